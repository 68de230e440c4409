"""The Alertmanager: who gets which mail when, what it holds back, what stands in a real mail."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from binary import binary, run
from stack_files import ALERTS

from stack import STACK

FOLDER = STACK / "alertmanager"
FILE = FOLDER / "alertmanager.yml"
CONFIG: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
MATCHER = re.compile(r'(\w+) (=~|=) "([^"]+)"')
HEARTS = ["AirflowSchedulerHeartbeatMissing", "AirflowDagProcessorStuck", "AirflowTriggererDown"]

Labels = dict[str, str]


# --- The file, without any program ---


def matches(matchers: list[str], labels: Labels) -> bool:
    """Whether labels satisfy matchers, all of which are of the two kinds used here."""
    for matcher in matchers:
        found = MATCHER.fullmatch(matcher)
        assert found, f"quoted, so that old and new versions read it alike: {matcher}"
        name, operator, value = found.groups()
        pattern = value if operator == "=~" else re.escape(value)
        if not re.fullmatch(pattern, labels.get(name, "")):
            return False
    return True


def route_of(name: str) -> dict[str, Any]:
    """The route that takes an alert, with what it inherits."""
    top = CONFIG["route"]
    labels = {"alertname": name, **ALERTS[name]["labels"]}
    for route in top["routes"]:
        if matches(route["matchers"], labels):
            return {**top, **route}
    return top


def seconds(text: str) -> int:
    """A duration of one unit."""
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_becomes_a_mail_within_seconds_and_is_repeated_by_severity(name: str) -> None:
    route = route_of(name)
    severity = ALERTS[name]["labels"]["severity"]
    assert seconds(route["group_wait"]) <= 10
    assert seconds(route["group_interval"]) <= 30, "or news of a group would come late"
    assert route["repeat_interval"] == {"page": "30m", "ticket": "4h", "info": "24h"}[severity]
    assert (route["receiver"] == "daily") == (name == "Watchdog")


def test_the_repeats_are_those_of_the_runbooks() -> None:
    text = (STACK / "runbooks" / "README.md").read_text("utf-8")
    for severity, words in (
        ("page", "each 30 minutes"),
        ("ticket", "each 4 hours"),
        ("info", "once a day"),
    ):
        assert re.search(rf"^\| `{severity}` \|.*\| {words} \|$", text, re.M)


def test_every_receiver_mails_the_inbox_without_tls() -> None:
    assert CONFIG["global"]["smtp_smarthost"] == "mailpit:1025"
    assert CONFIG["global"]["smtp_from"] == "alertmanager@heron.example"
    assert CONFIG["global"]["smtp_require_tls"] is False
    for receiver in CONFIG["receivers"]:
        (mail,) = receiver["email_configs"]
        assert mail["to"] == "alerts@heron.example"
        assert mail["send_resolved"] is True


def test_templates_are_found_beside_the_file() -> None:
    patterns = CONFIG["templates"]
    assert patterns and not any(Path(pattern).is_absolute() for pattern in patterns)
    found = "".join(p.read_text("utf-8") for pattern in patterns for p in FOLDER.glob(pattern))
    used = set(re.findall(r'{{ template "([^"]+)" \. }}', FILE.read_text("utf-8")))
    assert used and used <= set(re.findall(r'{{ define "([^"]+)"', found))


def test_no_news_from_the_exporter_holds_back_guesses_about_hearts() -> None:
    (rule,) = CONFIG["inhibit_rules"]
    for name in ALERTS:
        labels = {"alertname": name}
        loud = name in ("StatsdExporterDown", "AirflowMetricsMissing")
        assert matches(rule["source_matchers"], labels) == loud
        assert matches(rule["target_matchers"], labels) == (name in HEARTS)


# --- The real thing ---


def test_amtool_accepts_the_file() -> None:
    run(binary("amtool"), "check-config", FILE)


@pytest.mark.parametrize("name", ALERTS)
def test_amtool_routes_as_this_test_thinks(name: str) -> None:
    labels = [f"{key}={value}" for key, value in ALERTS[name]["labels"].items()]
    command = ["config", "routes", "test", f"--config.file={FILE}", f"alertname={name}", *labels]
    printed = run(binary("amtool"), *command).splitlines()
    assert route_of(name)["receiver"] in printed
