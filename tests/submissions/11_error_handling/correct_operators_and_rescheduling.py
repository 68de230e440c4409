"""Operators; a busy shop is asked again by being scheduled again."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import (
    DAG,
    BaseHook,
    Context,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    get_current_context,
)
from airflow.sdk.exceptions import AirflowRescheduleException, AirflowSkipException

SHOPS = ["harbour", "market", "mill"]
WORK = Path(tempfile.gettempdir(), "heron/resilient_ingest")
PUBLISHED = WORK / "orders.jsonl"
PATIENCE = 1.0  # seconds that a shop may take for its answer

Order = dict[str, str]


# Plain Python, finished. First the errors that have a name, because somebody has met them before.


class ShopError(Exception):
    """A known error of a shop. `advice` is for the person on call."""

    advice = ""


class NoOrders(ShopError):
    """404: the shop has no list for this night, because nobody brought a number along."""


class ShopBusy(ShopError):
    """429: too many callers. The shop says in how many `seconds` it wants to see us again."""

    advice = "The shop turned us away at every try. Ask it which hour suits it better."

    def __init__(self, text: str, seconds: int) -> None:
        super().__init__(text)
        self.seconds = seconds


class ShopDown(ShopError):
    """500 and above, or no answer at all. Often it is back a few minutes later."""

    advice = "See whether the shop is back, and clear the run. If it is not, call the shop."


class KeyRefused(ShopError):
    """401 or 403: our key is no longer valid, and it will not be in an hour."""

    advice = "Ask the shop for a new key, and put it into the connection `partner_shops`."


class NotOrders(ShopError):
    """200, but what came is no list of orders: a page for people, half a file."""

    advice = "Look at what came. The shop has probably changed its site: call it."


UNKNOWN = "Nobody has met this one. Read the log, then give it a name in this file."


# Then what talks to the shops and to the person on call. The address of each is a connection.


def ask_shop(shop: str) -> str:
    """Return the text that a shop answers for the night of this run.

    Raises a `ShopError` for what has a name above, and `RuntimeError` for any other answer. The
    shops want our key in the address, as they did it in 2009.
    """
    place = BaseHook.get_connection("partner_shops")
    run = get_current_context()["dag_run"]
    night = f"{run.logical_date or run.run_after:%Y-%m-%d}"
    url = f"{place.host}/orders/{shop}?night={night}&key={place.password}"
    try:
        with urlopen(url, timeout=PATIENCE) as reply:
            return str(reply.read().decode())
    except HTTPError as error:
        answer = f"{shop} answered {error.code}"
        if error.code == 404:
            raise NoOrders(f"{answer}: no orders for {night}") from None
        if error.code == 429:
            seconds = int(error.headers.get("Retry-After", "300"))
            raise ShopBusy(f"{answer}: come back in {seconds} seconds", seconds) from None
        if error.code in (401, 403):
            raise KeyRefused(f"{answer}: the key is not valid") from None
        if error.code >= 500:
            raise ShopDown(answer) from None
        raise RuntimeError(f"{url} answered {error.code}") from None
    except OSError as error:
        raise ShopDown(f"{shop} did not answer: {error!r}") from None


def read_orders(shop: str, text: str) -> list[Order]:
    """Return the orders in a shop's answer. Raises `NotOrders` if it is something else."""
    try:
        return [{"shop": shop, "number": o["number"]} for o in json.loads(text)["orders"]]
    except (ValueError, KeyError, TypeError):
        raise NotOrders(f"{shop} sent no list of orders, but {text[:60]!r}") from None


def staging() -> Path:
    """The folder in which this run, and no other one, puts together what it will publish."""
    return WORK / "staging" / re.sub(r"[^A-Za-z0-9_-]", "_", str(get_current_context()["run_id"]))


def stage(shop: str, orders: list[Order]) -> str:
    """Write the orders of one shop into the staging folder; return the path of the file."""
    path = staging() / f"{shop}.jsonl"
    path.write_text("".join(json.dumps(order) + "\n" for order in orders), encoding="utf-8")
    return str(path)


def join_orders(paths: Iterable[str], target: Path) -> int:
    """Write the files below each other into `target`, one after the other; return the number of
    orders. What `target` held before is gone.
    """
    target.write_text("", encoding="utf-8")
    for path in paths:
        with target.open("a", encoding="utf-8") as file:
            file.write(Path(path).read_text(encoding="utf-8"))
    return len(target.read_text(encoding="utf-8").splitlines())


def who_failed(context: Context) -> str:
    """The task that a callback is about and, if there is one, its shop."""
    ti = context["ti"]
    return f"{ti.task_id}, {SHOPS[ti.map_index]}" if (ti.map_index or 0) >= 0 else ti.task_id


def without_key(text: str) -> str:
    """The text with stars in the place of the key to the shops."""
    key = BaseHook.get_connection("partner_shops").password
    return text.replace(key, "***") if key else text


def send_alert(who: str, error: str, advice: str) -> None:
    """Post three texts to the channel that the person on call reads."""
    body = json.dumps({"who": who, "error": error, "advice": advice}).encode()
    address = f"{BaseHook.get_connection('on_call').host}/alerts"
    with urlopen(Request(address, body), timeout=PATIENCE):
        print(f"Told the person on call about {who}.")


# What to do about an error. Airflow calls these two.


def tell(context: Context) -> None:
    error = context["exception"]
    send_alert(
        who=who_failed(context),
        error=without_key(f"{type(error).__name__}: {error}"),
        advice=getattr(error, "advice", UNKNOWN),
    )


def make() -> None:
    staging().mkdir(parents=True, exist_ok=True)


def fetch(shop: str) -> str:
    try:
        return stage(shop, read_orders(shop, ask_shop(shop)))
    except NoOrders:
        raise AirflowSkipException from None
    except ShopBusy as busy:
        raise AirflowRescheduleException(
            datetime.now(UTC) + timedelta(seconds=busy.seconds)
        ) from None


def swap(paths: Iterable[str]) -> int:
    whole = staging() / "whole"
    count = join_orders(list(paths or []), whole)
    return whole.rename(PUBLISHED) and count


def remove() -> None:
    shutil.rmtree(staging())


with DAG(
    dag_id="resilient_ingest",
    schedule="0 2 * * *",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "on_failure_callback": tell,
        "retry_policy": ExceptionRetryPolicy(
            [RetryRule(ShopDown, retry_delay=timedelta(minutes=10))], default=RetryAction.FAIL
        ),
    },
):
    made = PythonOperator(task_id="make_staging", python_callable=make).as_setup()
    fetched = PythonOperator.partial(task_id="fetch_orders", python_callable=fetch).expand(
        op_args=[[shop] for shop in SHOPS]
    )
    published = PythonOperator(
        task_id="publish",
        python_callable=swap,
        op_args=[fetched.output],
        trigger_rule="none_failed",
    )
    removed = PythonOperator(task_id="remove_staging", python_callable=remove)
    made >> fetched >> published >> removed.as_teardown(setups=made)
