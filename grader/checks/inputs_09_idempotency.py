"""The inputs of part 09: what each scenario draws from a seed, and what is right for them.

Pure functions of a generator or of a scenario. They must not look at what a submission did.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from grader.judge import scenario
from grader.scenario import Interruption, PlannedRun, Scenario

SALES, LEDGER = "data/sales.csv", "heron/daily_revenue/ledger.db"
COLUMNS = ["sale_id", "sold_at", "shop", "cents", "delivered_at"]
SHOPS = ("Harbour Street", "Old Market", "Station West", "Mill Lane", "Castle Corner", "Bridge Row")
STAND = "Fairground"
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Sale:
    """One line of the tills."""

    sale_id: str
    sold_at: datetime
    shop: str
    cents: int
    delivered_at: datetime


# --- what is drawn ---


def some_day(rng: Random, last: int = 10) -> datetime:
    """When a business day begins that is over before the DAG ends."""
    return datetime(2024, 3, rng.randint(2, last), 4, tzinfo=UTC)


def sales_of(rng: Random, day: datetime, shops: Sequence[str]) -> list[Sale]:
    """A business day: from its first second until late at night, when only one shop is open."""
    minutes = [0] + [rng.randrange(120, 1100) for _ in range(rng.randint(7, 10))]
    sold = [(day + timedelta(minutes=m), rng.choice(shops)) for m in minutes]
    sold += [(day + timedelta(minutes=rng.randrange(1210, 1400)), shops[0]) for _ in range(2)]
    sold += [(day + timedelta(hours=4, minutes=n), shop) for n, shop in enumerate(shops)]
    return [
        Sale(
            sale_id=f"T{day:%d}{number:02}{rng.randrange(100, 1000)}",
            sold_at=at,
            shop=shop,
            cents=rng.randint(5, 90) * 50 + rng.randint(1, 49),
            delivered_at=at + timedelta(minutes=1),
        )
        for number, (at, shop) in enumerate(sold)
    ]


def corrected(rng: Random, day: datetime, sales: list[Sale], at: datetime) -> list[Sale]:
    """What comes later: two sales of a till that was offline, and one that was never the stand's.

    Without it the stand has not sold anything on that day.
    """
    first, second = (s for s in rng.sample(sales[3:], 2))
    late = [
        Sale(f"{s.sale_id}0", s.sold_at, s.shop, rng.randint(1000, 6000), at)
        for s in (first, second)
    ]
    noon = day + timedelta(hours=8, minutes=rng.randrange(60))
    wrong = Sale(
        f"T{day:%d}99{rng.randrange(100, 1000)}", noon, STAND, rng.randint(500, 4000), noon
    )
    return [wrong, *late, Sale(wrong.sale_id, noon, sales[-1].shop, wrong.cents, at)]


def tills(rng: Random, first: datetime, days: int, late: dict[int, datetime]) -> str:
    """The sales of some days, of the one before and of the one after. `late` says on which days,
    counted from 0, something comes later, and when.
    """
    shops, sales = rng.sample(SHOPS, 4), []
    for number in range(-1, days + 1):
        day = first + number * A_DAY
        sales += (of_day := sales_of(rng, day, shops))
        if number in late:
            sales += corrected(rng, day, of_day, late[number])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sale in sorted(sales, key=lambda s: (s.delivered_at, s.sale_id)):
        times = sale.sold_at.isoformat(), sale.delivered_at.isoformat()
        writer.writerow([sale.sale_id, times[0], sale.shop, sale.cents, times[1]])
    return text.getvalue()


def story(text: str, *runs: PlannedRun, now: datetime | None = None) -> Scenario:
    """Runs over these sales; the ledger is read after each."""
    return Scenario(files={SALES: text}, runs=runs, now=now, databases=(LEDGER,))


def book(
    day: datetime, *, late: timedelta = timedelta(0), kill: int = 0, pause: int = 0
) -> PlannedRun:
    """A run by hand at the end of a business day, or with that date and so much later."""
    plan = None
    if kill or pause:
        plan = Interruption(kind="kill" if kill else "pause", change=kill or pause)
    return PlannedRun(logical_date=day + A_DAY, start=day + A_DAY + late, interruption=plan)


def one_morning(rng: Random, *pauses: int) -> Scenario:
    """A day after another is booked weeks later. `pauses` says at which change of a file a run is
    held until the next one has taken place; 0 is never.
    """
    first = some_day(rng, last=8)
    today = datetime(2024, 3, 20, 9, tzinfo=UTC) + timedelta(days=rng.randrange(20))
    days = [first + n * A_DAY for n in range(len(pauses))]
    runs = [
        book(day, late=today - (day + A_DAY), pause=pause)
        for day, pause in zip(days, pauses, strict=True)
    ]
    return story(tills(rng, first, len(days), {}), *runs)


@scenario("an ordinary night")
def an_ordinary_night(rng: Random) -> Scenario:
    """One day is booked when it is over. The file is loaded before the first of all days."""
    day = some_day(rng)
    before = datetime(2024, 2, rng.randint(20, 28), 12, tzinfo=UTC)
    return story(tills(rng, day, 1, {}), book(day), now=before)


@scenario("a week, weeks later and in any order")
def a_week_weeks_later(rng: Random) -> Scenario:
    """Seven days are booked in one morning."""
    first = some_day(rng, last=6)
    today = datetime(2024, 3, 20, 9, tzinfo=UTC) + timedelta(days=rng.randrange(20))
    days = rng.sample([first + n * A_DAY for n in range(7)], 7)
    runs = [
        book(day, late=today + timedelta(minutes=5 * n) - (day + A_DAY))
        for n, day in enumerate(days)
    ]
    return story(tills(rng, first, 7, {}), *runs)


@scenario("by hand, in the middle of the night")
def by_hand_in_the_night(rng: Random) -> Scenario:
    """Somebody starts a run before the day is over."""
    day = some_day(rng)
    at = day + A_DAY - timedelta(minutes=rng.randrange(20, 200))
    return story(tills(rng, day, 1, {}), PlannedRun(logical_date=at))


@scenario("two days at once")
def two_days_at_once(rng: Random) -> Scenario:
    """A run is held when it has saved its sales, and another one takes place meanwhile."""
    return one_morning(rng, 2, 0)


@scenario("two bookings at once")
def two_bookings_at_once(rng: Random) -> Scenario:
    """There is a ledger. A run is held when it is booking, and another wants to book meanwhile."""
    return one_morning(rng, 0, 3, 0)


@scenario("the same day again")
def the_same_day_again(rng: Random) -> Scenario:
    """A day is booked, booked again, and booked once more when corrections have come."""
    day = some_day(rng)
    later = timedelta(days=2, hours=rng.randrange(3, 9))
    return story(
        tills(rng, day, 1, {0: day + A_DAY + later}),
        book(day),
        book(day, late=timedelta(minutes=40)),
        book(day, late=later + timedelta(hours=2)),
    )


@scenario("killed")
def killed(rng: Random) -> Scenario:
    """A first booking is killed and repeated; two bookings of corrections are killed and not."""
    first = some_day(rng, last=9)
    days = [first + n * A_DAY for n in range(3)]
    noon = days[2] + timedelta(hours=8)
    return story(
        tills(rng, first, 3, {0: noon, 1: noon}),
        book(days[0]),
        book(days[1], kill=4),
        book(days[1], late=timedelta(minutes=20)),
        book(days[0], late=A_DAY + timedelta(hours=9), kill=3),
        book(days[1], late=timedelta(hours=10), kill=4),
        book(days[2]),
    )


# --- what is right for it ---


def day_named(run: PlannedRun) -> str:
    """The business day that is over at a run's date: the last one that ended at or before it."""
    return f"{last_start(run):%Y-%m-%d}"


def last_start(run: PlannedRun) -> datetime:
    """When that day began."""
    return (run.logical_date - timedelta(hours=4)).replace(hour=4, minute=0, second=0) - A_DAY


def delivered(given: Scenario, run: PlannedRun, at: datetime | None = None) -> list[Sale]:
    """The sales of a run's day as the tills had delivered them when it took place, or at `at`."""
    start, until = last_start(run), at or run.begin
    newest: dict[str, Sale] = {}
    for row in csv.DictReader(io.StringIO(given.files[SALES] or "")):
        sold, came = (datetime.fromisoformat(row[key]) for key in ("sold_at", "delivered_at"))
        if came <= until:
            newest[row["sale_id"]] = Sale(
                row["sale_id"], sold, row["shop"], int(row["cents"]), came
            )
    return [sale for sale in newest.values() if start <= sale.sold_at < start + A_DAY]


def revenue(given: Scenario, run: PlannedRun) -> dict[str, int]:
    """What each shop took on a run's day, as it was known when the run took place."""
    cents: dict[str, int] = {}
    for sale in delivered(given, run):
        cents[sale.shop] = cents.get(sale.shop, 0) + sale.cents
    return cents
