"""The nightly ingest of port-in orders from three partner shops, each of which can fail in its way.

    make_staging -> fetch_orders (one for each shop) -> publish -> remove_staging

Edit: only what stands between the lines `# --- TODO n: ... ---` and `# --- end of TODO n ---`. You
may add imports. The plain Python above the DAG is finished; call it from the tasks. The lesson is
README.md in this folder; its headings carry the same numbers.

Done: `make grade PART=11` shows full marks. A shop without orders is skipped, what passes by
waiting is tried again, everything else fails at once and tells somebody. `orders.jsonl` holds all
orders of one night, and never half of them.
"""

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

from airflow.sdk import (
    BaseHook,
    Context,
    RetryDecision,
    RetryPolicy,
    dag,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowSkipException

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


# --- TODO 2: decide by the kind of error ---
class ByKind(RetryPolicy):
    """Try again what passes by waiting. Anything else fails at once, known or not."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """What to do after a try that ended with this exception."""
        raise NotImplementedError("TODO 2: return a RetryDecision for each kind of error")


# --- end of TODO 2 ---


# --- TODO 3: tell the person on call ---
def alert(context: Context) -> None:
    """Say who failed for good, with which error, and what to do about it."""
    raise NotImplementedError("TODO 3: call send_alert with its three texts")


# --- end of TODO 3 ---


@dag(
    dag_id="resilient_ingest",
    description="Collect the port-in orders of the partner shops, all of them or none",
    schedule="0 2 * * *",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["orders", "errors"],
    default_args={
        "owner": "data-team",
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        # --- TODO 2: hand the policy to every task ---
        # One more entry, for every task: an object of the class above.
        # --- end of TODO 2 ---
        # --- TODO 3: hand the alert to every task ---
        # One more entry, for every task: the function above.
        # --- end of TODO 3 ---
    },
)
def resilient_ingest() -> None:
    """Fetch from each shop into a folder that nobody reads, then publish in one step."""

    @task
    def make_staging() -> None:
        """Make the staging folder of this run."""
        staging().mkdir(parents=True, exist_ok=True)

    @task
    def fetch_orders(shop: str) -> str:
        """Stage the orders of one shop; return the path of the file."""
        # --- TODO 1: skip what is no error ---
        raise NotImplementedError("TODO 1: ask the shop, read its orders, stage them")
        # --- end of TODO 1 ---

    # --- TODO 5: publish all or nothing ---
    # So far it runs only if every shop had orders.
    @task
    def publish(paths: Iterable[str]) -> int:
        """Make the staged orders those that everybody reads; return how many there are."""
        raise NotImplementedError("TODO 5: put the orders together, and publish them in one step")

    # --- end of TODO 5 ---

    @task
    def remove_staging() -> None:
        """Remove the staging folder of this run."""
        shutil.rmtree(staging())

    made = make_staging()
    fetched = fetch_orders.expand(shop=SHOPS)
    made >> fetched
    # --- TODO 4: clean up, whatever happened ---
    # So far the folder is removed only if all went well.
    publish(fetched) >> remove_staging()
    # --- end of TODO 4 ---


resilient_ingest()
