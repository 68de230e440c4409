"""The inputs of part 11: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from grader.judge import scenario
from grader.scenario import HttpReply, Interruption, PlannedRun, Scenario

PUBLISHED = "heron/resilient_ingest/orders.jsonl"
SHOPS = ("harbour", "market", "mill")
NO_LISTS = (
    '{"error": "this address has moved"}',
    '{"orders": [{"number": "015',
    "[]",
    "",
    "<!doctype html><title>We are rebuilding our shop</title>",
)
Row = tuple[HttpReply, ...]


# --- what is drawn ---


def some_night(rng: Random) -> datetime:
    """Two o'clock at night within two years."""
    return datetime(2024, 6, 1, 2, tzinfo=UTC) + timedelta(days=rng.randrange(700))


def orders(rng: Random) -> HttpReply:
    """A list of two to six numbers that people want to bring along."""
    numbers = [f"0151{rng.randrange(10**7, 10**8)}" for _ in range(rng.randint(2, 6))]
    return HttpReply(body=json.dumps({"orders": [{"number": number} for number in numbers]}))


def fails(rng: Random, *codes: int) -> HttpReply:
    """An answer that is an error."""
    return HttpReply(status=rng.choice(codes), body="no", content_type="text/plain")


def down(rng: Random) -> HttpReply:
    """A shop that is down, in one of the ways that there are."""
    return fails(rng, 500, 502, 503, 504)


def busy(seconds: int) -> HttpReply:
    """A shop that has too many callers, and says when it wants to see them again."""
    return HttpReply(status=429, headers={"Retry-After": str(seconds)})


def nights(rng: Random, rows: Mapping[str, Row], count: int = 1, dies: bool = False) -> Scenario:
    """Runs on consecutive nights, with a row of replies for each shop. In the last one the machine
    dies at the first change to `orders.jsonl`, if it is to.
    """
    first = some_night(rng)
    runs = [PlannedRun(logical_date=first + timedelta(days=n)) for n in range(count)]
    if dies:
        end = Interruption(kind="kill", file=PUBLISHED)
        runs[-1] = runs[-1].model_copy(update={"interruption": end})
    shops = {"conn_type": "http", "host": "{http}", "password": f"{rng.randrange(16**12):012x}"}
    return Scenario(
        runs=tuple(runs),
        servers=("http",),
        http_replies={f"/orders/{shop}": row for shop, row in rows.items()}
        | {"/alerts": (HttpReply(body="{}"),)},
        connections={
            "partner_shops": json.dumps(shops),
            "on_call": json.dumps({"conn_type": "http", "host": "{http}"}),
        },
    )


@scenario("a good night")
def a_good_night(rng: Random) -> Scenario:
    """Each shop sends its orders."""
    return nights(rng, {shop: (orders(rng),) for shop in SHOPS})


@scenario("a shop has no orders")
def a_shop_has_no_orders(rng: Random) -> Scenario:
    """One answers 404, the others send orders."""
    rows = {shop: (orders(rng),) for shop in SHOPS}
    rows[rng.choice(SHOPS)] = (HttpReply(status=404),)
    return nights(rng, rows)


@scenario("each shop stumbles")
def each_shop_stumbles(rng: Random) -> Scenario:
    """One is busy twice, one is down twice, one hangs up once; then they send orders."""
    first, second, third = rng.sample(SHOPS, 3)
    waits = busy(rng.randint(700, 1700)), busy(rng.randint(330, 520))
    rows = {
        first: (*rng.sample(waits, 2), orders(rng)),
        second: (down(rng), down(rng), orders(rng)),
        third: (HttpReply(hang_up=True), orders(rng)),
    }
    return nights(rng, rows)


@scenario("a page instead of orders")
def a_page_instead_of_orders(rng: Random) -> Scenario:
    """A good night, and then one on which a shop answers 200 and sends something else."""
    rows = {shop: (orders(rng), orders(rng)) for shop in SHOPS}
    shop = rng.choice(SHOPS)
    rows[shop] = (rows[shop][0], HttpReply(body=rng.choice(NO_LISTS), content_type="text/html"))
    return nights(rng, rows, count=2)


@scenario("nothing works")
def nothing_works(rng: Random) -> Scenario:
    """One refuses the key, one answers what has no name, one is down all night."""
    rows = [(fails(rng, 401, 403),), (fails(rng, 402, 409, 418, 423, 451),), (down(rng),)]
    return nights(rng, dict(zip(SHOPS, rng.sample(rows, 3), strict=True)))


@scenario("the machine dies while it publishes")
def the_machine_dies_while_it_publishes(rng: Random) -> Scenario:
    """A good night, and then one on which the process is killed as soon as `orders.jsonl` is no
    longer what it was.
    """
    rows = {shop: (orders(rng), orders(rng)) for shop in SHOPS}
    return nights(rng, rows, count=2, dies=True)


# --- what is right for it ---


def key(given: Scenario) -> str:
    """The key to the shops."""
    return str(json.loads(given.connections["partner_shops"])["password"])


def replies(given: Scenario, shop: str) -> Row:
    """All that a shop answers."""
    return given.http_replies[f"/orders/{shop}"]


def waits(given: Scenario) -> tuple[str, list[int]]:
    """The shop that is busy, and how many seconds it asks for each time."""
    for shop in SHOPS:
        found = [int(r.headers["Retry-After"]) for r in replies(given, shop) if r.status == 429]
        if found:
            return shop, found
    raise ValueError(f"no shop is busy in {given.name!r}")


def numbers(reply: HttpReply) -> list[str]:
    """The numbers in an answer; none if it is no list of orders."""
    return re.findall(r'"number": "(\d{12})"', reply.body)


def night(given: Scenario, index: int = 0) -> set[tuple[str, str]]:
    """All orders of a night as (shop, number), where each shop answers once a night."""
    rows = {shop: replies(given, shop) for shop in SHOPS}
    return {
        (shop, number)
        for shop, row in rows.items()
        for number in numbers(row[min(index, len(row) - 1)])
    }


def troubles(given: Scenario) -> dict[str, str]:
    """The shops whose last answer is an error, by what it is."""
    kinds = {401: "refused", 403: "refused", 404: "nothing"}
    found = {}
    for shop in SHOPS:
        last = replies(given, shop)[-1]
        if last.status == 200:
            kind = "no list" if not numbers(last) else ""
        else:
            kind = "down" if last.status >= 500 else kinds.get(last.status, "unknown")
        if kind:
            found[shop] = kind
    return found
