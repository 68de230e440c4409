"""What `docs/from-airflow-2.md` says of Airflow 3.3 is so: imports, commands, settings, metrics.

One process of its own imports Airflow for all of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from grader.course import ROOT, load_course

PAGE = (ROOT / "docs" / "from-airflow-2.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| Airflow 2.7")
]
NOW = "\n".join(row[1] for row in ROWS) + "\n" + PAGE.rpartition("## Next steps")[2]
CODE = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", NOW)]
IMPORTS = sorted({span for span in CODE if span.startswith("from ")})
COMMANDS = sorted({span for span in CODE if span.startswith("airflow ")})
SETTINGS = sorted({span for span in CODE if span.startswith("AIRFLOW__")})
METRICS = sorted({span for span in CODE if re.fullmatch(r"airflow_[a-z_]+", span)})
LOOK = """
import argparse, json, sys
asked = json.loads(sys.stdin.read())
wrong = {}
for line in asked["imports"]:
    try:
        exec(line)
    except Exception as error:
        wrong[line] = repr(error)
from airflow.cli.cli_parser import get_parser
def known(parser, words):
    for word in words:
        sub = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not sub or word not in sub[0].choices:
            return False
        parser = sub[0].choices[word]
    return True
for line in asked["commands"]:
    if not known(get_parser(), line.split()[1:]):
        wrong[line] = "no such command"
from airflow.configuration import conf
for name in asked["settings"]:
    _, section, key = name.split("__")
    options = conf.configuration_description.get(section.lower(), {}).get("options", {})
    if key.lower() not in options:
        wrong[name] = "no such setting"
print(json.dumps(wrong))
"""


def test_every_kind_of_name_is_there_to_be_checked() -> None:
    assert len(ROWS) > 40
    assert min(map(len, (IMPORTS, COMMANDS, SETTINGS, METRICS))) > 5


def test_each_name_of_airflow_3_exists(tmp_path: Path) -> None:
    asked = {"imports": IMPORTS, "commands": COMMANDS, "settings": SETTINGS}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", LOOK],
        input=json.dumps(asked),
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {}


def test_each_metric_is_in_the_contract() -> None:
    contract = tomllib.loads((ROOT / "stack" / "metrics.toml").read_text("utf-8"))
    known = {metric["name"] for metric in contract["metric"]}
    for name in METRICS:
        assert name in known or re.sub(r"_(sum|count)$", "", name) in known, name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_each_line_has_three_cells_and_names_parts_that_are_there(row: list[str]) -> None:
    assert len(row) == 3
    numbers = {part.number for part in load_course().part}
    assert set(re.findall(r"\b\d\d\b", re.sub(r"\[.*?\]\(.*?\)", "", row[2]))) <= numbers
