"""What each shop took on each business day: an upsert, and what it does not reach taken out."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import CronDataIntervalTimetable, dag, get_current_context, task

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


UPSERT = """INSERT INTO revenue (day, shop, cents) VALUES (?, ?, ?)
ON CONFLICT (day, shop) DO UPDATE SET cents = excluded.cents"""
THE_REST = """DELETE FROM revenue WHERE day = ? AND shop NOT IN (SELECT value FROM json_each(?))"""


def file_for(run_id: str) -> Path:
    """A file for each run, so that not even two runs of one day share it."""
    return WORK / run_id / "sales.csv"


def replace_day(ledger: sqlite3.Connection, day: str, revenue: dict[str, int]) -> None:
    """Change the rows that are there, add those that are not, take out those that are left."""
    ledger.execute("CREATE UNIQUE INDEX IF NOT EXISTS one_row ON revenue (day, shop)")
    ledger.executemany(UPSERT, [(day, shop, cents) for shop, cents in revenue.items()])
    ledger.execute(THE_REST, (day, json.dumps(list(revenue))))


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

    @task(multiple_outputs=False)
    def fetch_sales() -> dict[str, str]:
        """Save the sales of the interval that the context names."""
        context = get_current_context()
        end = context["data_interval_end"]
        start = end - timedelta(days=1)
        path = file_for(context["run_id"])
        save(sales_between(start, end), path)
        return {"path": str(path), "day": start.date().isoformat()}

    @task
    def book_day(fetched: dict[str, str]) -> None:
        """Let Python begin and end the transaction."""
        with closing(open_ledger()) as ledger:
            ledger.isolation_level = "IMMEDIATE"
            with ledger:
                replace_day(ledger, fetched["day"], revenue_of(fetched["path"]))

    book_day(fetch_sales())


daily_revenue()
