"""The inputs of part 05: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from random import Random

from grader.judge import scenario
from grader.scenario import PlannedRun, Scenario

STREETS = ("Harbour", "Market", "Station", "Mill", "Castle", "Garden", "Bridge", "Chapel")
KINDS = ("Street", "Square", "Lane", "Corner")
NOBODY = "smtp://127.0.0.1:9?disable_ssl=true&disable_tls=true"


# --- what is drawn ---


def some_monday(rng: Random) -> datetime:
    """A Monday at 06:00 within two years."""
    return datetime(2024, 6, 3, 6, tzinfo=UTC) + timedelta(weeks=rng.randrange(100))


def deliver(
    rng: Random,
    *,
    closed_for: timedelta | None = None,
    answers_after: timedelta = timedelta(seconds=20),
    bad_score: str = "",
    lost_shop: bool = False,
    mail_server: bool = True,
) -> Scenario:
    """One run on a Monday, with something in its way or nothing."""
    monday = some_monday(rng)
    names = [f"{street} {rng.choice(KINDS)}" for street in rng.sample(STREETS, 4)]
    shops = {
        f"S{number}": name for number, name in zip(rng.sample(range(10, 99), 4), names, strict=True)
    }
    customers = rng.sample(range(1000, 10_000), rng.randint(60, 90))
    rows = [[f"HM-{c}", rng.choice(list(shops)), f"{rng.random():.2f}"] for c in customers]
    if bad_score:
        rows[rng.randrange(5, 50)][2] = bad_score
    if lost_shop:
        del shops[rows[0][1]]
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("customer_id", "shop_id", "score"), *rows])
    until = (monday + closed_for).isoformat() if closed_for else None
    service = {"closed_until": until, "answers_after_seconds": answers_after.total_seconds()}
    return Scenario(
        files={
            "data/scores.csv": table.getvalue(),
            "data/shops.json": json.dumps(shops),
            "data/service.json": json.dumps(service),
        },
        runs=(PlannedRun(logical_date=monday),),
        servers=("smtp",) if mail_server else (),
        connections={} if mail_server else {"smtp_default": NOBODY},
    )


def word_in_brackets(rng: Random) -> str:
    """What a program writes that has no number, in the brackets that HTML uses for its tags."""
    return rng.choice(["<missing>", "<null>", "<unknown>", "<nobody>"])


@scenario("all is well")
def all_is_well(rng: Random) -> Scenario:
    """Nothing fails."""
    return deliver(rng)


@scenario("closed all morning")
def closed_all_morning(rng: Random) -> Scenario:
    """The scoring service is closed at each of three tries."""
    return deliver(rng, closed_for=timedelta(hours=5, minutes=rng.randrange(60)))


@scenario("closed for a few minutes")
def closed_for_a_few_minutes(rng: Random) -> Scenario:
    """The scoring service is open again when the third try comes."""
    return deliver(rng, closed_for=timedelta(minutes=7))


@scenario("a score in brackets")
def a_score_in_brackets(rng: Random) -> Scenario:
    """A score is no number; no second try."""
    return deliver(rng, bad_score=word_in_brackets(rng))


@scenario("a shop is not in the list")
def a_shop_is_not_in_the_list(rng: Random) -> Scenario:
    """The report cannot be written."""
    return deliver(rng, lost_shop=True)


@scenario("no answer for hours")
def no_answer_for_hours(rng: Random) -> Scenario:
    """The scoring service takes the question and answers seven hours later."""
    return deliver(rng, answers_after=timedelta(hours=7, minutes=rng.randrange(60)))


@scenario("no mail server, bad scores")
def no_mail_server_bad_scores(rng: Random) -> Scenario:
    """A task fails, and nobody can be written to."""
    return deliver(rng, bad_score=word_in_brackets(rng), mail_server=False)


@scenario("no mail server")
def no_mail_server(rng: Random) -> Scenario:
    """All is well but for the mail server, to which nothing can be handed."""
    return deliver(rng, mail_server=False)


# --- what is right for it ---


def closed_until(given: Scenario) -> str:
    """When the scoring service opens again, as the error says it."""
    return str(json.loads(given.files["data/service.json"] or "")["closed_until"])


def wrong_score(given: Scenario) -> str:
    """The score that is no number."""
    rows = csv.DictReader(io.StringIO(given.files["data/scores.csv"] or ""))
    return next(row["score"] for row in rows if row["score"].startswith("<"))


def likely_to_leave(given: Scenario) -> dict[str, int]:
    """How many customers with a score of 0.8 or more, by the name of their shop."""
    shops = json.loads(given.files["data/shops.json"] or "")
    rows = list(csv.DictReader(io.StringIO(given.files["data/scores.csv"] or "")))
    return {
        name: sum(row["shop_id"] == shop and float(row["score"]) >= 0.8 for row in rows)
        for shop, name in shops.items()
    }
