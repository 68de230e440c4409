"""The inputs of part 03: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from grader.judge import scenario
from grader.scenario import HttpReply, PlannedRun, Scenario

COLUMNS = ("customer_id", "plan", "tenure_months", "support_calls")
PLANS = ("family", "flat", "prepaid")
SECONDS_PER_CALLER = 0.2
QUERY = "/api/v1/query"
NOBODY_THERE = "http://127.0.0.1:1"


# --- what is drawn ---


def callers(rng: Random) -> str:
    """Callers of three plans; of one plan nobody is about to leave."""
    calm, rows = rng.choice(PLANS), []
    for plan in PLANS:
        count = rng.randint(20, 40)
        leaving = 0 if plan == calm else rng.randint(5, 15)
        for number in range(count):
            calls = rng.randint(1, 6)
            tenure = rng.randint(1, 6 * calls - 1) if number < leaving else 6 * calls
            rows.append([plan, tenure + (number >= leaving) * rng.randint(0, 40), calls])
    rng.shuffle(rows)
    ids = rng.sample(range(10_000, 99_999), len(rows))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([COLUMNS, *([number, *row] for number, row in zip(ids, rows, strict=True))])
    return table.getvalue()


def watch(rng: Random, reply: HttpReply | None, **more: Any) -> Scenario:
    """One run that watches another DAG; without a reply nobody listens at the address."""
    hour = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(hours=rng.randrange(2 * 365 * 24))
    subject = rng.choice(["billing", "network", "roaming", "number_porting", "campaign"])
    watched = f"{subject}_{rng.choice(['export', 'report', 'import', 'cleanup'])}"
    return Scenario(
        runs=(PlannedRun(logical_date=hour, conf={"watched": watched}),),
        variables={"prometheus_url": "{http}" if reply else NOBODY_THERE},
        servers=("statsd", "http") if reply else ("statsd",),
        http_replies={QUERY: (reply,)} if reply else {},
        **more,
    )


def numbers(*values: str) -> HttpReply:
    """What Prometheus answers to a query, with one series for each value."""
    result = [{"metric": {}, "value": [1717200000.123, value]} for value in values]
    data = {"resultType": "vector", "result": result}
    return HttpReply(body=json.dumps({"status": "success", "data": data}))


@scenario("no try failed")
def no_try_failed(rng: Random) -> Scenario:
    """All is well. The callers are drawn here."""
    return watch(rng, numbers("0"), files={"data/callers.csv": callers(rng)})


@scenario("exactly 10 % failed")
def exactly_10_percent_failed(rng: Random) -> Scenario:
    """A little more would be too much."""
    return watch(rng, numbers("0.1"))


@scenario("many tries failed")
def many_tries_failed(rng: Random) -> Scenario:
    """More than a tenth."""
    return watch(rng, numbers(str(rng.randint(1100, 6000) / 10_000)))


@scenario("Prometheus knows no such series")
def no_such_series(rng: Random) -> Scenario:
    """An answer without a number."""
    return watch(rng, numbers())


@scenario("nothing finished in the last hour")
def nothing_finished(rng: Random) -> Scenario:
    """Zero divided by zero."""
    return watch(rng, numbers("NaN"))


@scenario("Prometheus answers with an error")
def answers_with_an_error(rng: Random) -> Scenario:
    """As it does when it has too much to do."""
    seconds = rng.choice([30, 60, 120])
    text = f"query timed out in expression evaluation after {seconds}s"
    body = json.dumps({"status": "error", "errorType": "timeout", "error": text})
    return watch(rng, HttpReply(status=503, body=body))


@scenario("Prometheus is slow")
def is_slow(rng: Random) -> Scenario:
    """The answer comes long after anybody still waits for it."""
    return watch(rng, numbers("0.02").model_copy(update={"delay": 60.0}))


@scenario("Prometheus is down")
def is_down(rng: Random) -> Scenario:
    """Nobody listens at its address."""
    return watch(rng, None)


QUIET = ("no try failed", "exactly 10 % failed")
NO_NUMBER = ("Prometheus knows no such series", "nothing finished in the last hour")
NO_ANSWER = (
    "Prometheus answers with an error", "Prometheus is slow", "Prometheus is down",
)  # fmt: skip


# --- what is right for it ---


def watched(given: Scenario) -> str:
    """The DAG that the run was told to watch."""
    return str(given.runs[0].conf["watched"])


def ratio(given: Scenario) -> float:
    """The number that Prometheus answers."""
    answer = json.loads(given.http_replies[QUERY][0].body)
    return float(answer["data"]["result"][0]["value"][1])


def rows_of(given: Scenario) -> list[dict[str, str]]:
    """The callers that the submission was given."""
    return list(csv.DictReader(io.StringIO(given.files["data/callers.csv"] or "")))


def calling(given: Scenario) -> dict[str, int]:
    """Callers by plan."""
    plans = [row["plan"] for row in rows_of(given)]
    return {plan: plans.count(plan) for plan in PLANS}


def leaving(given: Scenario) -> dict[str, int]:
    """Callers at risk by plan."""
    found = dict.fromkeys(PLANS, 0)
    for row in rows_of(given):
        found[row["plan"]] += 6 * int(row["support_calls"]) > int(row["tenure_months"])
    return found


def scoring(given: Scenario) -> dict[str, float]:
    """Milliseconds that the model takes by plan."""
    return {plan: 1000 * SECONDS_PER_CALLER * n for plan, n in calling(given).items()}
