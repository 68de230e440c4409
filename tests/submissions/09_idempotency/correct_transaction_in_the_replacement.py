"""What each shop took on each business day: nested tasks, a transaction within the replacement."""

from __future__ import annotations

import csv
import os
import sqlite3
import tempfile
import time
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


# Plain Python, finished. No line of it knows that Airflow exists.


def day_of(moment: datetime) -> str:
    """The name of the business day that begins at `moment`, as `2024-03-05`."""
    return f"{moment:%Y-%m-%d}"


def sales_between(start: datetime, end: datetime) -> list[Sale]:
    """All that was sold from `start` on and before `end`, as far as the tills have delivered it.

    A till that is offline delivers later, and one that delivers a sale again corrects it. So the
    same question can have another answer tomorrow, and tomorrow's is the better one.
    """
    newest: dict[str, Sale] = {}
    with SALES.open(encoding="utf-8", newline="") as file:
        for sale in csv.DictReader(file):
            if datetime.fromisoformat(sale["delivered_at"]) <= datetime.now(UTC):
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


def file_for(day: str) -> Path:
    """Where the sales of a day wait to be booked."""
    return WORK / day[:4] / day[5:7] / day[8:] / "sales.csv"


def replace_day(ledger: sqlite3.Connection, day: str, revenue: dict[str, int]) -> None:
    """All in one: after an error, `with` rolls back what was begun."""
    with ledger:
        ledger.execute("BEGIN")
        take_out(ledger, day)
        for shop in sorted(revenue):
            put_in(ledger, day, shop, revenue[shop])


@dag(
    dag_id="daily_revenue",
    description="Book what each shop took on each business day",
    start_date=datetime(2024, 3, 1, tzinfo=UTC),
    end_date=datetime(2024, 3, 15, tzinfo=UTC),
    tags=["finance"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    schedule=CronDataIntervalTimetable("0 4 * * *", timezone="UTC"),
    catchup=True,
)
def daily_revenue() -> None:
    """Fetch the sales of one business day and book them."""

    @task
    def fetch_sales(dag_run: Any = None) -> dict[str, str]:
        """Save the sales of the interval that the run has."""
        start, end = dag_run.data_interval_start, dag_run.data_interval_end
        day = day_of(start)
        save(sales_between(start, end), file_for(day))
        return {"day": day, "path": str(file_for(day))}

    @task
    def book_day(fetched: dict[str, str]) -> None:
        """Try a few times within the try, and then leave it to the retries."""
        with closing(open_ledger()) as ledger:
            for attempt in range(3):
                try:
                    replace_day(ledger, fetched["day"], revenue_of(fetched["path"]))
                    return
                except sqlite3.OperationalError as error:
                    print(f"attempt {attempt + 1}: {error}")
                    time.sleep(5)
            replace_day(ledger, fetched["day"], revenue_of(fetched["path"]))

    book_day(fetch_sales())


daily_revenue()
