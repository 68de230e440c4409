"""Numbers of our own from Heron Mobile's scoring, and an hourly look at how another DAG is doing.

Edit the six TODO regions (two of them have two places), in the order of their numbers, and nothing
outside them. The lesson is README.md in this folder; its headings carry the same numbers.

The file has three parts. The helpers read callers, score them and talk to Prometheus in plain
Python: use them, they send no metric and decide nothing. Then comes the DAG, then its tasks:

    count_callers
    score_callers -> publish_risk
    failure_ratio -> choose_way -+-> page_on_call -+-> watch_finished
                                 +-> all_quiet ----+
                                 +-> no_data ------+

Done: `make grade PART=03` shows full marks. Task ids are the names of the functions; keep them.
"""

from __future__ import annotations

import csv
import json
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from airflow.sdk import TriggerRule, Variable, dag, task
from airflow.sdk.observability import stats

CALLERS = Path(__file__).parent / "data" / "callers.csv"
PLANS = ("family", "flat", "prepaid")
SECONDS_PER_CALLER = 0.2

DEFAULT_ADDRESS = "http://localhost:9090"
TIMEOUT = 1.0
MAX_FAILURE_RATIO = 0.1

Caller = dict[str, str]


def callers_by_plan() -> dict[str, list[Caller]]:
    """Return who called support in the last hour: for each plan a list, which may be empty."""
    with CALLERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {plan: [row for row in rows if row["plan"] == plan] for plan in PLANS}


def score(callers: list[Caller]) -> int:
    """Return how many of these callers are about to leave. The model needs its time for each."""
    time.sleep(SECONDS_PER_CALLER * len(callers))
    return sum(6 * int(c["support_calls"]) > int(c["tenure_months"]) for c in callers)


def failure_query(dag_id: str) -> str:
    """Return the PromQL for the share of a DAG's tries in the last hour that failed."""
    finished = f'airflow_task_finish{{dag_id="{dag_id}",state=~"%s"}}'
    failing = f"sum(increase({finished % 'failed|up_for_retry'}[1h]))"
    tries = f"sum(increase({finished % 'success|failed|up_for_retry'}[1h]))"
    return f"({failing} or 0 * {tries}) / {tries}"


def ask_prometheus(address: str, query: str) -> list[float]:
    """Return the numbers that Prometheus has for a query: often one, maybe none, maybe NaN.

    Raises OSError if nobody answers within `TIMEOUT`, RuntimeError if the answer is an error.
    """
    url = f"{address.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"
    try:
        with urlopen(url, timeout=TIMEOUT) as reply:
            answer = json.load(reply)
    except HTTPError as refusal:
        text = refusal.read(500).decode("utf-8", "replace")
        raise RuntimeError(f"Prometheus answered {refusal.code}: {text}") from None
    return [float(series["value"][1]) for series in answer["data"]["result"]]


@dag(
    dag_id="pipeline_metrics",
    description="Send numbers of our own, and ask Prometheus how another DAG is doing",
    schedule="@hourly",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    params={"watched": "ml_training_pipeline"},
    tags=["monitoring", "metrics"],
    default_args={"owner": "data-team"},
)
def pipeline_metrics() -> None:
    """Three chains that do not wait for each other."""
    count_callers()
    publish_risk(score_callers())
    ratio = failure_ratio()
    choice = choose_way(ratio)
    page, quiet, unknown = page_on_call(ratio), all_quiet(), no_data()
    finished = watch_finished()
    # --- TODO 5: let the choice part the way ---
    choice >> [page, quiet, unknown]
    # --- end of TODO 5 ---
    # --- TODO 6: let the ways meet again ---
    [page, quiet, unknown] >> finished
    # --- end of TODO 6 ---


# --- TODO 1: count the callers ---
@task
def count_callers() -> None:
    """Add the number of callers of each plan to the counter "heron.callers_read".

    The counter has one tag, `plan`. It has no other tag that tells callers apart.
    """
    for plan, callers in callers_by_plan().items():
        stats.incr("heron.callers_read", len(callers), tags={"plan": plan})


# --- end of TODO 1 ---


# --- TODO 2: time the scoring ---
@task
def score_callers() -> dict[str, int]:
    """Return for each plan what `score` says, and send how long it took for that plan.

    The timing is "heron.scoring_time" with the tag `plan`, once per plan.
    """
    at_risk = {}
    for plan, callers in callers_by_plan().items():
        with stats.timer("heron.scoring_time", tags={"plan": plan}):
            at_risk[plan] = score(callers)
    return at_risk


# --- end of TODO 2 ---


# --- TODO 3: show how many are at risk now ---
@task
def publish_risk(at_risk: dict[str, int]) -> None:
    """Set the gauge "heron.callers_at_risk" with the tag `plan` to each of the numbers."""
    for plan, number in at_risk.items():
        stats.gauge("heron.callers_at_risk", number, tags={"plan": plan})


# --- end of TODO 3 ---


# --- TODO 4: ask Prometheus ---
@task(retries=1, retry_delay=timedelta(minutes=1))
def failure_ratio(params: dict[str, str]) -> float | None:
    """Return the failure ratio of the DAG `params["watched"]`, or None if there is no number.

    The address of Prometheus is the Variable "prometheus_url", else `DEFAULT_ADDRESS`. An empty
    list and NaN are no number. If Prometheus does not answer, this task fails; it is tried once
    more, a minute later.
    """
    address = Variable.get("prometheus_url", default=DEFAULT_ADDRESS)
    numbers = ask_prometheus(address, failure_query(params["watched"]))
    if not numbers or math.isnan(numbers[0]):
        return None
    return numbers[0]


# --- end of TODO 4 ---


# --- TODO 5: let the choice part the way ---
@task.branch
def choose_way(ratio: float | None) -> str:
    """Return the id of the task to go on with.

    "no_data" if there is no number, "page_on_call" if the ratio is above `MAX_FAILURE_RATIO`,
    else "all_quiet".
    """
    if ratio is None:
        return "no_data"
    return "page_on_call" if ratio > MAX_FAILURE_RATIO else "all_quiet"


# --- end of TODO 5 ---


@task
def page_on_call(ratio: float | None, params: dict[str, str]) -> str:
    """Say what the person on call has to know. Part 05 makes a mail of it."""
    return f"{params['watched']}: {ratio:.0%} of the tries in the last hour failed"


@task
def all_quiet() -> str:
    """Say that nobody has to do anything."""
    return "all quiet"


@task
def no_data(params: dict[str, str]) -> str:
    """Say that nobody knows. It may be that nothing ran, or that no metric arrives any more."""
    return f"{params['watched']}: no try finished in the last hour, as far as Prometheus knows"


# --- TODO 6: let the ways meet again ---
@task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
def watch_finished(params: dict[str, str]) -> None:
    """Add 1 to the counter "heron.watch_finished" with the tag `watched`: the DAG watched.

    This runs after each watch that got an answer, whatever the answer was, and after no other.
    """
    stats.incr("heron.watch_finished", tags={"watched": params["watched"]})


# --- end of TODO 6 ---


pipeline_metrics()
