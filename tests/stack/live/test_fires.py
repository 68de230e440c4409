"""Each alert that can be provoked in a minute or two is provoked, and its mail read."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from clients import eventually
from conftest import Played, Stack
from stack_files import CONTRACT, ONLY_IN_TROUBLE

SECONDS = (
    180  # the slowest: a window of 1 m, a scrape, `for: 30s`, and the Alertmanager's group_wait
)


def mail(stack: Stack, alert: str, *words: str) -> str:
    """The text of the first mail about a firing alert in which all the words stand."""

    def about() -> list[str]:
        mails = stack.inbox.about(f"] {alert}", *words)
        return [str(m["Text"]) for m in mails if not m["Subject"].startswith("[over]")]

    return eventually(about, seconds=SECONDS)[-1]


def assert_fires(stack: Stack, alert: str) -> None:
    """Wait until Prometheus says so, and the mail is there."""
    eventually(
        lambda: {a["labels"]["alertname"] for a in stack.prometheus.firing()},
        lambda names: alert in names,
        seconds=SECONDS,
    )
    text = mail(stack, alert)
    assert f"stack/runbooks/{alert}.md" in text


def test_the_watchdog_says_that_mails_arrive(stack: Stack) -> None:
    assert_fires(stack, "Watchdog")


def test_a_failed_task_is_a_mail_with_dag_task_and_log(stack: Stack, played: Played) -> None:
    assert_fires(stack, "AirflowTaskFailed")
    text = mail(stack, "AirflowTaskFailed", "fails_for_good", "ship")
    assert "http://localhost:8080/dags/fails_for_good/tasks/ship" in text
    assert stack.airflow.get("/dags/fails_for_good/tasks/ship")["task_id"] == "ship"


def test_a_task_that_came_back_and_succeeded_is_no_mail(stack: Stack, played: Played) -> None:
    assert stack.inbox.about("] AirflowTaskFailed", "waits_for_it") == []


def test_an_import_error_is_a_mail(stack: Stack, played: Played) -> None:
    assert_fires(stack, "AirflowImportErrors")


def test_many_failures_are_a_mail(stack: Stack, played: Played) -> None:
    for _ in range(2):
        assert stack.airflow.state("fails_for_good") == "failed"
    assert_fires(stack, "AirflowFailureRatioHigh")


@pytest.fixture(scope="class")
def overloaded(stack: Stack, played: Played) -> Iterator[None]:
    """Too many tasks, and neither triggerer nor dag-processor: four alerts in the same minutes."""
    stack.airflow.make_pool("narrow", 1)
    run_id = stack.airflow.trigger("wants_too_much")
    stack.stop("airflow-triggerer")
    stack.stop("airflow-dag-processor")
    yield
    stack.airflow.end("wants_too_much", run_id)
    stack.start("airflow-triggerer", "airflow-dag-processor")


class TestOverload:
    """Tests of one fixture, which ends with them."""

    @pytest.mark.parametrize(
        "alert",
        [
            "AirflowTriggererDown",
            "AirflowDagProcessorStuck",
            "AirflowPoolStarving",
            "AirflowExecutorSaturated",
        ],
    )
    def test_overload_and_a_missing_part_are_mails(
        self, alert: str, stack: Stack, overloaded: None
    ) -> None:
        assert_fires(stack, alert)


def test_a_scheduler_that_is_away_is_a_mail_and_so_is_its_return(stack: Stack) -> None:
    stack.stop("airflow-scheduler")
    try:
        assert_fires(stack, "AirflowSchedulerHeartbeatMissing")
    finally:
        stack.start("airflow-scheduler")
    over = "[over] AirflowSchedulerHeartbeatMissing"
    eventually(lambda: stack.inbox.about(over), seconds=SECONDS)


def test_lines_that_nobody_understands_are_mails(stack: Stack) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        lines = (b"a.metric.of.its.own:1|c", b"this is not a line", b"airflow.ti.start:1|g")
        for line in lines:
            sender.sendto(line, ("127.0.0.1", 9125))
    assert_fires(stack, "StatsdEventsUnmapped")
    assert_fires(stack, "StatsdEventsDropped")
    for name in ONLY_IN_TROUBLE:
        labels = {label for series in stack.prometheus.query(name) for label in series["metric"]}
        assert labels >= set(CONTRACT[name]["labels"]), name


def test_an_exporter_that_is_away_is_a_mail(stack: Stack) -> None:
    stack.stop("statsd-exporter")
    try:
        assert_fires(stack, "StatsdExporterDown")
    finally:
        stack.start("statsd-exporter")


def test_without_alertmanager_the_board_says_so(stack: Stack) -> None:
    stack.stop("alertmanager")
    try:
        eventually(
            lambda: stack.prometheus.query(
                'ALERTS{alertname="AlertmanagerDown",alertstate="firing"}'
            ),
            seconds=SECONDS,
        )
    finally:
        stack.start("alertmanager")
