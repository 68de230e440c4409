"""The Grafana boards against Grafana's own types: its Python library, and its TypeScript.

The first needs nothing more. The second needs node, npm and a network once; see `compiler`.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from board_rules import Board
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins

from stack import ROOT
from stack.grafana import load_boards, panels
from stack.grafana.boards import kit, links

BOARDS = load_boards()
DAG = BOARDS[links.DAG]
SCHEMA = ROOT / "tests" / "stack" / "grafana_schema"
CACHE = ROOT / ".cache" / "grafana_schema"

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))


def lost(before: Any, after: Any, where: str = "") -> list[str]:
    """What is in a value and not in another one."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key, value in before.items()
            for line in (
                lost(value, after[key], f"{where}.{key}") if key in after else [f"{where}.{key}"]
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for n, (b, a) in pairs for line in lost(b, a, f"{where}[{n}]")]
    return [] if before == after else [where]


def round_trip(board: Board) -> Board:
    """Through Grafana's library: it keeps what it knows."""
    register_default_plugins()
    known = kit.model.Dashboard.from_json(copy.deepcopy(board))
    return json.loads(json.dumps(known, cls=JSONEncoder))


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


@pytest.fixture(scope="module")
def compiler() -> list[str]:
    """The TypeScript compiler beside Grafana's types. Skips where it cannot be had."""
    required = os.environ.get("STACK_BINARIES") == "required"
    if not (shutil.which("node") and shutil.which("npm")):
        assert not required, "node and npm are required"
        pytest.skip("node and npm are not installed, so Grafana's types cannot be compiled")
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = (SCHEMA / "package.json").read_text("utf-8")
    mark, marked = CACHE / "installed.json", "node_modules/typescript/bin/tsc"
    if not mark.exists() or mark.read_text("utf-8") != wanted or not (CACHE / marked).exists():
        shutil.copyfile(SCHEMA / "package.json", CACHE / "package.json")
        command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit"]
        done = subprocess.run(
            [*command, "--no-fund", "--cache", str(CACHE / "npm")],
            cwd=CACHE,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            assert not required, done.stderr
            pytest.skip("npm could not install Grafana's types: no network?")
        mark.write_text(wanted, "utf-8")
    options = "--noEmit --strict --skipLibCheck --target es2022 --module esnext"
    return ["node", marked, *options.split(), "--moduleResolution", "bundler"]


def compile_boards(compiler: list[str], texts: dict[str, Board]) -> dict[str, str]:
    """The compiler's complaints by board, in a folder where it finds Grafana's types."""
    for old in CACHE.glob("*.ts"):
        old.unlink()
    shutil.copyfile(SCHEMA / "board.ts", CACHE / "board.ts")
    for name, board in texts.items():
        text = f"export const it: Board = {json.dumps(board)};\n"
        (CACHE / f"{name}.ts").write_text(
            f'import type {{ Board }} from "./board";\n{text}', "utf-8"
        )
    files = [f"{name}.ts" for name in texts]
    done = subprocess.run(
        [*compiler, *files], cwd=CACHE, capture_output=True, text=True, check=False
    )
    said = {name: "" for name in texts}
    for name, line in re.findall(r"^(\w[\w-]*)\.ts\(.*?\): error (.*)$", done.stdout, re.MULTILINE):
        said.setdefault(name, "")
        said[name] += line + "\n"
    assert done.returncode == (2 if any(said.values()) else 0), done.stdout + done.stderr
    return said


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


def test_the_boards_compile_against_grafana_s_types(compiler: list[str]) -> None:
    texts = dict(BOARDS)
    for name, (spoil, _) in SPOILED.items():
        texts[name] = copy.deepcopy(DAG)
        spoil(texts[name])
    said = compile_boards(compiler, texts)
    assert {name: said[name] for name in BOARDS} == dict.fromkeys(BOARDS, "")
    for name, (_, word) in SPOILED.items():
        assert word in said[name], name
    assert set(said) == set(texts)
