"""The dev container: what it names is there, and its ports are those of the stack."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from grader.course import ROOT
from stack.ports import TCP

FOLDER = ROOT / ".devcontainer"


@pytest.fixture(scope="module")
def container() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "devcontainer.json").read_text("utf-8"))
    return found


def test_each_command_is_one_of_the_course(container: dict[str, Any]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    commands = [value for name, value in container.items() if name.endswith("Command")]
    words = "\n".join([*commands, (FOLDER / "welcome.txt").read_text("utf-8")])
    named = re.findall(r"\bmake ([a-z-]+)", words)
    assert {"install", "quickcheck", "watch"} <= set(named) <= targets


def test_each_file_is_there(container: dict[str, Any]) -> None:
    opened = container["customizations"]["codespaces"]["openFiles"]
    (welcome,) = (w for w in container["onCreateCommand"].split() if w.startswith(".devcontainer"))
    for name in [*opened, welcome]:
        assert (ROOT / name).is_file(), name


def test_the_pages_of_the_stack_are_forwarded_by_their_names(container: dict[str, Any]) -> None:
    labels = {int(port): about["label"] for port, about in container["portsAttributes"].items()}
    assert container["forwardPorts"] == list(labels)
    for port, label in labels.items():
        assert label.lower() in TCP[port].lower()


def test_the_welcome_fits_a_narrow_terminal() -> None:
    lines = (FOLDER / "welcome.txt").read_text("utf-8").splitlines()
    assert max(map(len, lines)) <= 100
