"""The nightly trainings of Heron Mobile, which share two GPUs with everybody else.

    list_experiments -> gpu.train_experiment (one each) -> compare_experiments -> write_notes
                        gpu.train_churn -> ship_churn
                        gpu.train_roaming
                        gpu.train_network

Edit: only what stands between the lines `# --- TODO n: ... ---` and `# --- end of TODO n ---`. You
may add imports. The plain Python above the DAG is finished; call it from the tasks.

Done looks like this: no more GPUs are wanted at a time than there are, whoever wants them. The
churn model goes first and the experiments last. A training that hangs is cut off and tried once
more. And whatever becomes of a training, its GPUs can be taken again.
"""

from __future__ import annotations

import csv
import fcntl
import json
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, TaskGroup, get_current_context, task

TRAININGS = Path(__file__).parent / "data" / "trainings.csv"
WORK = Path(tempfile.gettempdir(), "heron/gpu_training")
ROOM = WORK / "machine_room"
GPUS = ("gpu-0", "gpu-1")
WEEKEND = timedelta(hours=60)

LEASE = timedelta(hours=5, minutes=30)


# Plain Python, finished. It knows of Airflow only how to ask which try this is.


def take_gpus(count: int) -> list[str]:
    """Take that many GPUs for this try, for the time of `LEASE`, and return their names.

    Raises `RuntimeError`, and takes none, if fewer are free.
    """
    ROOM.mkdir(parents=True, exist_ok=True)
    with (ROOM / "door").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)  # one at a time looks and takes
        taken = {gpu: note for gpu in GPUS if (note := lock_of(gpu))}
        free = [gpu for gpu in GPUS if gpu not in taken][:count]
        if len(free) < count:
            held = "; ".join(
                f"{gpu} is taken by {n['by']} until {n['until']}" for gpu, n in taken.items()
            )
            raise RuntimeError(f"{count} GPUs needed, {len(free)} free: {held}")
        for gpu in free:
            note = {"gpu": gpu, "by": this_try(), "until": f"{datetime.now(UTC) + LEASE:%F %T%z}"}
            (ROOM / f"{gpu}.json").write_text(json.dumps(note), encoding="utf-8")
            log("taken", note)
    return free


def give_back(gpus: list[str]) -> None:
    """Give GPUs back, so that others can take them."""
    for gpu in gpus:
        (ROOM / f"{gpu}.json").unlink(missing_ok=True)
        log("given back", {"gpu": gpu})


def lock_of(gpu: str) -> dict[str, str] | None:
    """What the lock file of a GPU says: by whom it is taken, and until when. None if it is free."""
    try:
        note: dict[str, str] = json.loads((ROOM / f"{gpu}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return note if datetime.fromisoformat(note["until"]) > datetime.now(UTC) else None


def log(event: str, note: dict[str, str]) -> None:
    """Add a line to the logbook of the machine room."""
    line = json.dumps({"at": f"{datetime.now(UTC):%F %T%z}", "event": event, **note})
    with (ROOM / "logbook.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def this_try() -> str:
    """Who is asking: `gpu.train_churn, try 1`."""
    ti = get_current_context()["ti"]
    number = f" {ti.map_index}" if ti.map_index is not None and ti.map_index >= 0 else ""
    return f"{ti.task_id}{number}, try {ti.try_number}"


def load_trainings() -> dict[str, dict[str, str]]:
    """A row for each training, by the name of the model; every cell is text."""
    with TRAININGS.open(encoding="utf-8", newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def train(model: str, gpus: list[str]) -> dict[str, Any]:
    """Train a model on these GPUs. Return its name, its accuracy and where it lies.

    Whoever starts a run can have something happen: the parameter `mishaps` has, for a model, a
    word for each try. "hang" waits all weekend, "error" raises `RuntimeError`.
    """
    context, row = get_current_context(), load_trainings()[model]
    words, number = context["params"]["mishaps"].get(model, []), context["ti"].try_number
    mishap = words[number - 1] if number <= len(words) else ""
    if mishap == "error":
        raise RuntimeError(f"{model}: out of memory on {' and '.join(gpus)}")
    if mishap == "hang":
        time.sleep(WEEKEND.total_seconds())
    time.sleep(float(row["hours"]) * context["params"]["seconds_per_hour"])
    path = WORK / f"{model}.json"
    result = {"model": model, "accuracy": float(row["accuracy"]), "path": str(path)}
    path.write_text(json.dumps(result), encoding="utf-8")
    return result


def publish(model: dict[str, Any]) -> str:
    """Put a model where the shops use it, in place of the one that is there."""
    target = WORK / "in_use" / Path(model["path"]).name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(model["path"], target)
    return str(target)


# What each training does on its GPUs.


MINE: list[str] = []  # what the try in this process has taken


def train_on_gpus(model: str, count: int) -> dict[str, Any]:
    """Take GPUs and train. Callbacks give them back."""
    MINE[:] = take_gpus(count)
    return train(model, MINE)


def give_mine_back(context: Any) -> None:
    """Give back what this very try has taken, however it ended."""
    give_back(MINE)
    MINE.clear()


def list_experiments() -> list[list[Any]]:
    """The arguments of tonight's experiments."""
    rows = load_trainings().values()
    return [[row["model"], 1] for row in rows if row["kind"] == "experiment"]


def compare_experiments(ti: Any) -> list[str]:
    """The names of the experiments, the best first."""
    models = list(ti.xcom_pull(task_ids="gpu.train_experiment", map_indexes=None) or [])
    ranked = sorted(models, key=lambda model: model["accuracy"], reverse=True)
    return [model["model"] for model in ranked]


with DAG(
    dag_id="gpu_training",
    schedule="0 22 * * *",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["churn", "training"],
    params={"seconds_per_hour": 10, "mishaps": {}},
    max_active_runs=1,
    default_args={
        "weight_rule": "absolute",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(hours=3),
    },
):
    listed = PythonOperator(task_id="list_experiments", python_callable=list_experiments)
    with TaskGroup("gpu"):
        shared: dict[str, Any] = {
            "python_callable": train_on_gpus,
            "pool": "gpu_pool",
            "on_success_callback": give_mine_back,
            "on_failure_callback": give_mine_back,
            "on_retry_callback": give_mine_back,
        }
        churn = PythonOperator(
            task_id="train_churn", op_args=["churn", 1], priority_weight=4, **shared
        )
        PythonOperator(task_id="train_roaming", op_args=["roaming", 1], priority_weight=3, **shared)
        PythonOperator(
            task_id="train_network",
            op_args=["network", 2],
            priority_weight=2,
            pool_slots=2,
            **shared,
        )
        experiments = PythonOperator.partial(
            task_id="train_experiment", max_active_tis_per_dag=1, **shared
        ).expand(op_args=listed.output)

    @task
    def ship_churn(ti: Any = None) -> str:
        """Hand the churn model to the shops."""
        return publish(ti.xcom_pull(task_ids="gpu.train_churn"))

    @task
    def write_notes(ranked: list[str]) -> str:
        """The sentence for the board of the data team."""
        return f"The best of {len(ranked)} experiments was {ranked[0]}"

    churn >> ship_churn()
    compared = PythonOperator(task_id="compare_experiments", python_callable=compare_experiments)
    experiments >> compared
    write_notes(compared.output)
