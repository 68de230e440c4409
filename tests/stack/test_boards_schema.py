"""The Grafana boards against Grafana's own types: its Python library, and its TypeScript."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from board_rules import Board
from grafana_types import SCHEMA, compile_boards, compiler, lost, round_trip  # noqa: F401

from stack import ROOT
from stack.grafana import load_boards, panels
from stack.grafana.boards import links

BOARDS = load_boards()
DAG = BOARDS[links.DAG]

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))


@each_board
def test_grafana_s_library_knows_every_field(board: Board) -> None:
    assert lost(board, round_trip(board)) == []


def test_grafana_s_library_drops_what_it_does_not_know() -> None:
    spoiled = copy.deepcopy(DAG)
    spoiled["panels"][1]["colour"] = "red"
    spoiled["panels"][1]["targets"][0]["expression"] = "up"
    wrong = set(lost(spoiled, round_trip(spoiled)))
    assert wrong == {".panels[1].colour", ".panels[1].targets[0].expression"}


def test_the_types_are_those_of_the_grafana_that_runs() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    wanted = json.loads((SCHEMA / "package.json").read_text("utf-8"))["dependencies"]
    assert compose["services"]["grafana"]["image"] == f"grafana/grafana:{wanted['@grafana/schema']}"


def first(board: Board, *path: str) -> dict[str, Any]:
    """A part of the first panel."""
    part = panels(board)[0]
    for name in path:
        part = part[name]
    return part


# What is done to a board, and a word of what the compiler must say.
SPOILED: dict[str, tuple[Callable[[Board], object], str]] = {
    "unknown-field": (lambda board: board.update(graphTip=1), "graphTip"),
    "unknown-option": (lambda board: first(board, "options").update(colour=1), "colour"),
    "unknown-kind": (lambda board: first(board).update(type="graph"), '"graph"'),
    "wrong-word": (lambda board: first(board, "options").update(colorMode="loud"), '"loud"'),
    "wrong-number": (lambda b: b["templating"]["list"][1].update(refresh=7), "VariableRefresh"),
    "wrong-type": (lambda b: first(b, "fieldConfig", "defaults").update(unit=3), "string"),
    "missing-field": (lambda board: board.pop("schemaVersion"), "schemaVersion"),
}


def test_the_boards_compile_against_grafana_s_types(
    compiler: list[str],  # noqa: F811
) -> None:
    texts = dict(BOARDS)
    for name, (spoil, _) in SPOILED.items():
        texts[name] = copy.deepcopy(DAG)
        spoil(texts[name])
    said = compile_boards(compiler, texts, "stack")
    assert {name: said[name] for name in BOARDS} == dict.fromkeys(BOARDS, "")
    for name, (_, word) in SPOILED.items():
        assert word in said[name], name
    assert set(said) == set(texts)
