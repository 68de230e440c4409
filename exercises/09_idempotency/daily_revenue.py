"""What each shop of Heron Mobile took on each business day, booked so that it can be booked again.

    fetch_sales -> book_day

Edit: only what stands between the lines `# --- TODO n: ... ---` and `# --- end of TODO n ---`. TODO
3 and 4 stand above the others. You may add imports. The plain Python is finished; call it.

Done looks like this: each business day gets a run, and the run books that day, whenever it takes
place. However often, in whatever order and beside whatever else a day is booked, and wherever a run
dies: the ledger has each day as a whole, once, as the tills have delivered it by now.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task

SALES = Path(__file__).parent / "data" / "sales.csv"
WORK = Path(tempfile.gettempdir(), "heron/daily_revenue")
LEDGER = WORK / "ledger.db"

Sale = dict[str, str]


# Plain Python. No line of it knows that Airflow exists. It is finished but for TODO 3 and 4.


def day_of(moment: datetime) -> str:
    """The name of the business day that begins at `moment`, as `2024-03-05`."""
    return f"{moment:%Y-%m-%d}"


def sales_between(start: datetime, end: datetime) -> list[Sale]:
    """All that was sold from `start` on and before `end`, as far as the tills have delivered it.

    A till that is offline delivers later, and one that delivers a sale again corrects it. So the
    same question can have another answer tomorrow, and tomorrow's is the better one.
    """
    now, newest = datetime.now(UTC), dict[str, Sale]()
    with SALES.open(encoding="utf-8", newline="") as file:
        for sale in csv.DictReader(file):
            if datetime.fromisoformat(sale["delivered_at"]) <= now:
                newest[sale["sale_id"]] = sale
    return [s for s in newest.values() if start <= datetime.fromisoformat(s["sold_at"]) < end]


def save(sales: list[Sale], path: Path) -> None:
    """Write the sales to a CSV file. It appears as a whole, and takes the place of an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["sale_id", "sold_at", "shop", "cents", "delivered_at"])
        writer.writeheader()
        writer.writerows(sales)
    os.replace(part, path)


def revenue_of(path: str) -> dict[str, int]:
    """How many cents each shop took, from a file of sales. A shop without a sale is not in it."""
    revenue: Counter[str] = Counter()
    with Path(path).open(encoding="utf-8", newline="") as file:
        for sale in csv.DictReader(file):
            revenue[sale["shop"]] += int(sale["cents"])
    return dict(revenue)


def open_ledger() -> sqlite3.Connection:
    """The ledger: a table with one row for each day and shop. It keeps each statement at once.

    It has one writer at a time. Another one waits for half a second and then raises
    `OperationalError: database is locked`.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    ledger = sqlite3.connect(LEDGER, timeout=0.5, isolation_level=None)
    ledger.execute("CREATE TABLE IF NOT EXISTS revenue (day TEXT, shop TEXT, cents INTEGER)")
    return ledger


def take_out(ledger: sqlite3.Connection, day: str) -> None:
    """Take all rows of a day out of the ledger, if there are any."""
    ledger.execute("DELETE FROM revenue WHERE day = ?", (day,))


def put_in(ledger: sqlite3.Connection, day: str, shop: str, cents: int) -> None:
    """Put one row into the ledger. It does not look whether there is such a row already."""
    ledger.execute("INSERT INTO revenue (day, shop, cents) VALUES (?, ?, ?)", (day, shop, cents))


# --- TODO 3: keep the runs apart ---
def file_for(day: str) -> Path:
    """Where the sales of a day wait to be booked."""
    # So far all runs write to the same file.
    return WORK / "sales.csv"


# --- end of TODO 3 ---


# --- TODO 4: replace the day ---
def replace_day(ledger: sqlite3.Connection, day: str, revenue: dict[str, int]) -> None:
    """Make the ledger have exactly these rows for the day, whatever it had for it before."""
    raise NotImplementedError("TODO 4: take the day out of the ledger, and put its rows in")


# --- end of TODO 4 ---


@dag(
    dag_id="daily_revenue",
    description="Book what each shop took on each business day",
    start_date=datetime(2024, 3, 1, tzinfo=UTC),
    end_date=datetime(2024, 3, 15, tzinfo=UTC),  # on this day the shops get new tills
    tags=["finance"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    # --- TODO 1: a run for each business day ---
    # A run at four each morning, for the day that is then over; and none is left out.
    # --- end of TODO 1 ---
)
def daily_revenue() -> None:
    """Fetch the sales of one business day and book them."""

    # --- TODO 2: ask the run for its day ---
    @task
    def fetch_sales() -> dict[str, str]:
        """Save the sales of the run's day; return its "day" and the "path" of the file."""
        raise NotImplementedError("TODO 2: ask the run for its data interval, and save its sales")

    # --- end of TODO 2 ---

    @task
    def book_day(fetched: dict[str, str]) -> None:
        """Book the fetched sales under their day."""
        day, revenue = fetched["day"], revenue_of(fetched["path"])
        with closing(open_ledger()) as ledger:
            # --- TODO 5: all or nothing ---
            # So far each statement is kept at once, so a crash can come between two of them.
            replace_day(ledger, day, revenue)
            # --- end of TODO 5 ---

    book_day(fetch_sales())


daily_revenue()
