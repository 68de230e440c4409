"""The words that the checks of part 10 share: nights as a scheduler would have them, tries, and the
logbook of the machine room.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from grader.checks.inputs_10_limits import hours, mishaps
from grader.judge import NotChecked, NotPassed, Observation, Observe, expect
from grader.judge.capacity import Load, Span, Work
from grader.judge.view import in_words, length, moment
from grader.transcript import TaskFacts, Try

CHURN, ROAMING, NETWORK = "gpu.train_churn", "gpu.train_roaming", "gpu.train_network"
EXPERIMENT = "gpu.train_experiment"
PRODUCTS = {CHURN: "churn", ROAMING: "roaming", NETWORK: "network"}
TRAININGS = (EXPERIMENT, ROAMING, NETWORK, CHURN)  # those that have to come last are given first
NEEDED = {CHURN: 1, ROAMING: 1, NETWORK: 2, EXPERIMENT: 1}
POOL, GPUS = "gpu_pool", 2
POOLS = {"default_pool": 128, POOL: GPUS}
LIMIT, A_MOMENT = timedelta(hours=3), timedelta(seconds=30)
A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)
UNBOUND = ("NameError", "UnboundLocalError")  # a slip in what was to clean up, and no mishap


# --- nights as a scheduler would have them ---


def night(observe: Observe, story: str, due: float = 0.0) -> Load:
    """A run of the DAG, with what it declares and with the hours of a scenario."""
    instances = observe("an ordinary night").run.data.instances
    weights, seen = {i.task_id: i.priority_weight for i in instances}, observe(story)
    dag = seen.dag.data
    work = [w for facts in dag.tasks for w in work_of(facts, seen, weights)]
    work.sort(key=lambda w: TRAININGS.index(w.task_id) if w.task_id in TRAININGS else -1)
    runs, tasks = dag.max_active_runs or 16, dag.max_active_tasks or 16
    return Load(dag.dag_id, due, tuple(work), most_runs=runs, most_tasks=tasks)


def work_of(facts: TaskFacts, seen: Observation, weights: dict[str, int]) -> list[Work]:
    """The instances of a task. What needs no GPU takes no time."""
    products, experiments = (hours(seen.scenario, kind) for kind in ("product", "experiment"))
    one = Work(
        task_id=facts.task_id,
        hours=products.get(PRODUCTS.get(facts.task_id, ""), 0.0),
        upstream=frozenset(facts.upstream),
        pool=facts.pool,
        slots=facts.pool_slots,
        weight=weights.get(facts.task_id, facts.priority_weight),
        most_per_dag=facts.max_active_per_dag,
        most_per_run=facts.max_active_per_run,
    )
    if facts.task_id != EXPERIMENT:
        return [one]
    return [
        replace(one, hours=length, map_index=number)
        for number, length in enumerate(experiments.values())
    ]


def only(load: Load, *task_ids: str) -> Load:
    """A run of which only these tasks are left, and nothing that they would wait for."""
    left = [w for w in load.work if w.task_id in task_ids]
    return replace(load, work=tuple(replace(w, upstream=frozenset()) for w in left))


def pooled(load: Load) -> Load:
    """The same run with all trainings in the pool, where they fit: what section 1 asks for."""
    work = [
        replace(w, pool=POOL, slots=min(w.slots, GPUS)) if w.task_id in TRAININGS else w
        for w in load.work
    ]
    return replace(load, work=tuple(work))


def elsewhere(seen: Observation) -> list[Load]:
    """The trainings of other DAGs, which began an hour ago."""
    return [
        Load(dag_id=name, due=-1.0, work=(Work(f"train_{name}", length + 1, pool=POOL),))
        for name, length in hours(seen.scenario, "elsewhere").items()
    ]


def gpus_of(span: Span) -> int:
    """How many GPUs a task really uses, whatever its DAG declares."""
    if span.work.task_id.startswith("train_"):  # of another DAG
        return 1
    return NEEDED.get(span.work.task_id, 0)


def these(spans: list[Span]) -> str:
    """`gpu.train_churn` and 3 times `gpu.train_experiment`, for a sentence."""
    ids = [span.work.task_id for span in spans]
    words = [f"{f'{ids.count(i)} times ' * (ids.count(i) > 1)}`{i}`" for i in dict.fromkeys(ids)]
    return " and ".join([", ".join(words[:-1]), words[-1]][len(words) < 2 :])


def when(hour: float) -> str:
    """An hour of the night as the time of day."""
    days, minutes = divmod(round((22 + hour) * 60), 24 * 60)
    later = {0: "", 1: " of the next day"}.get(days, f" {days} days later")
    return f"{minutes // 60:02}:{minutes % 60:02}{later}"


# --- tries ---


def trainings(seen: Observation, *task_ids: str) -> list[Try]:
    """All tries of the trainings in the only run, those of mapped instances too."""
    found = [t for t in seen.run.data.tries if t.task_id in (task_ids or TRAININGS)]
    for one in found:
        if one.error and one.error.type == "NotImplementedError":
            raise NotPassed(
                f"`{one.task_id}` still raises `NotImplementedError`: TODO 4 is open.",
                "Replace the `raise` line, save, and grade again.",
                line=one.error.line,
            )
    if not found:
        raise NotChecked("No training was started.")
    return found


def hung(seen: Observation) -> list[Try]:
    """The tries in which a training hung."""
    return [t for t in trainings(seen) if mishap_of(t, seen) == "hang"]


def mishap_of(one: Try, seen: Observation) -> str:
    """What happened to a training in this try."""
    experiments = list(hours(seen.scenario, "experiment"))
    model = PRODUCTS.get(one.task_id) or experiments[one.map_index]
    words = mishaps(seen.scenario).get(model, [])
    return words[one.number - 1] if one.number <= len(words) else ""


def cut_off(one: Try) -> bool:
    """Whether a limit of time ended this try."""
    return one.error is not None and "Timeout" in one.error.type


def ended_in_a_hang(one: Try, seen: Observation) -> bool:
    """Whether it was cut off, by whatever name its error goes: nothing else ends a hang."""
    hangs = mishap_of(one, seen) == "hang" and one.error is not None and length(one) > A_MOMENT
    return hangs or cut_off(one)


# --- the logbook ---


@dataclass(frozen=True)
class Entry:
    """A line of the logbook."""

    at: datetime
    event: str
    gpu: str
    by: str
    until: datetime | None


def logbook(seen: Observation) -> list[Entry]:
    """What was taken and given back. Two functions write it that are given."""
    texts = [f.text or "" for f in seen.transcript.files if f.path.endswith("logbook.jsonl")]
    found = []
    for line in "\n".join(texts).splitlines():
        try:
            note = json.loads(line)
            event, gpu, by = str(note["event"]), str(note["gpu"]), str(note.get("by"))
            until = moment(note["until"]) if "until" in note else None
            found.append(Entry(moment(note["at"]), event, gpu, by, until))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise NotPassed(
                f"The logbook of the machine room has a line that cannot be read: {line[:80]!r}.",
                "Only `take_gpus` and `give_back` write it.",
            ) from None
    return found


def taken_by(one: Try, book: list[Entry]) -> list[Entry]:
    """Which GPUs a try took, and until when at most."""
    place = f" {one.map_index}" if one.map_index >= 0 else ""
    name, start = f"{one.task_id}{place}, try {one.number}", moment(one.start) - A_MOMENT
    return [e for e in book if (e.event, e.by) == ("taken", name) and e.at >= start]


def held(one: Try, book: list[Entry]) -> list[tuple[Entry, datetime | None]]:
    """Each GPU that a try took, with the time at which it was given back, be it by whom it may."""
    found = []
    for taken in taken_by(one, book):
        later = book[book.index(taken) + 1 :]
        back = [e.at for e in later if (e.event, e.gpu) == ("given back", taken.gpu)]
        found.append((taken, back[0] if back else None))
    return found


def taken_and_killed(seen: Observation, book: list[Entry]) -> tuple[Try, Entry, datetime]:
    """The try that was killed, which GPU it had taken, and until when."""
    first = seen.runs[0].data
    taken = taken_by(first.tries[-1], book)[:1] if first.killed else []
    if not taken:
        raise NotChecked("No GPU was taken, so nothing was killed.")
    return first.tries[-1], taken[0], taken[0].until or taken[0].at


def given_back_early(taken: Entry, book: list[Entry]) -> bool:
    """Whether a GPU that is taken was given back before its lease was over."""
    later = book[book.index(taken) + 1 :]
    backs = [e.at for e in later if (e.event, e.gpu) == ("given back", taken.gpu)]
    return any(at < (taken.until or at) for at in backs)


def must_have_taken(one: Try, count: int, happened: str, place: object) -> None:
    """A training that is over had as many GPUs as it needs."""
    why = f" It raised {one.error.type}: {one.error.message}" if one.error else ""
    if one.error and one.error.type == "TypeError" and "datetime.datetime" in one.error.message:
        raise NotPassed(
            f"{happened}.{why}",
            "`LEASE` is a `timedelta`, such as `timedelta(hours=...)`: it is added to a time. "
            "That is section 6.",
        )
    expect(
        count == NEEDED[one.task_id],
        happened=f"{happened}, and had taken {count} of {NEEDED[one.task_id]} GPUs.{why}",
        expected="It takes them first: `take_gpus(count)`. If too few are free, an earlier "
        "training has not given its own back.",
        at=place,
    )


def must_have_trained(one: Try, happened: str, place: object) -> None:
    """A training hands on what `train` returned."""
    value = one.xcoms.get("return_value")
    found = value.json_value if value else None
    expect(
        isinstance(found, dict) and "model" in found,
        happened=f"{happened}, and returned {found!r}.",
        expected="It returns what `train(model, gpus)` returns.",
        at=place,
    )


def must_have_given_back(one: Try, book: list[Entry], place: object) -> None:
    """Each GPU went back when the training was over, and not before."""
    end = moment(one.end or one.start)
    for entry, back in held(one, book):
        happened = f"`{one.task_id}` had taken {entry.gpu} and ran for {in_words(length(one))}. "
        expect(
            back is not None and back <= end + A_MOMENT,
            happened=f"{happened}When it was over, {entry.gpu} was still taken.",
            expected="It gives back what it has taken: `give_back(gpus)`.",
            at=place,
        )
        expect(
            back is not None and back >= end - A_MOMENT,
            happened=f"{happened}It gave {entry.gpu} back {in_words(end - (back or end))} before "
            "the end.",
            expected="It gives a GPU back when the training is over. Until then nobody else may "
            "have it.",
            at=place,
        )
