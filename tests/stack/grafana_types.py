"""Grafana's own types, to check boards with: its Python library, and its TypeScript.

The first needs nothing more. The second needs node, npm and a network once; see `compiler`.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest
from board_rules import Board
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins

from stack import ROOT
from stack.grafana.boards import kit

SCHEMA = ROOT / "tests" / "stack" / "grafana_schema"
CACHE = ROOT / ".cache" / "grafana_schema"


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
    return ["node", str(CACHE / marked), *options.split(), "--moduleResolution", "bundler"]


def compile_boards(compiler: list[str], texts: dict[str, Board], name: str) -> dict[str, str]:
    """The compiler's complaints by board. `name` is a folder of the caller's own in the cache."""
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(SCHEMA / "board.ts", folder / "board.ts")
    for title, board in texts.items():
        text = f"export const it: Board = {json.dumps(board)};\n"
        (folder / f"{title}.ts").write_text(
            f'import type {{ Board }} from "./board";\n{text}', "utf-8"
        )
    files = [f"{name}.ts" for name in texts]
    done = subprocess.run(
        [*compiler, *files], cwd=folder, capture_output=True, text=True, check=False
    )
    said = {name: "" for name in texts}
    for name, line in re.findall(r"^(\w[\w-]*)\.ts\(.*?\): error (.*)$", done.stdout, re.MULTILINE):
        said.setdefault(name, "")
        said[name] += line + "\n"
    assert done.returncode == (2 if any(said.values()) else 0), done.stdout + done.stderr
    return said
