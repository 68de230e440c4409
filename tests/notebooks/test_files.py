"""The notebooks as files: made from their sources, clean, and true to what their cells show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote_plus

import nbformat
import pytest

from lab import execution, recorded
from lab.checks import STEP, questions

sys.path.append(str(Path(__file__).parents[1] / "stack"))  # the metric contract

from stack_files import known, metrics_of

from stack import ROOT

NAMES = execution.names()
EXPECTED = [
    "01_tour_of_the_stack",
    "02_prometheus_queries",
    "03_grafana_dashboard",
    "04_logs_and_debugging",
    "05_alerts",
]
QUERY = re.compile(r"(?:^| )query=(.*?)(?= seconds=\d+ step=|$)")


def replies(name: str) -> recorded.Replies:
    return recorded.load(name)[1]


def queries(name: str) -> set[str]:
    """All that a notebook asks Prometheus, its answers and the wrong ones included."""
    return {found[1] for key in replies(name) if (found := QUERY.search(key))}


def turns(name: str) -> list[str]:
    """The numbers of a notebook's *Your turn* cells."""
    cells = execution.from_source(name).cells
    return [t["number"] for cell in cells if (t := execution.YOUR_TURN.search(cell.source))]


def test_all_five_are_there() -> None:
    assert NAMES == EXPECTED
    assert sorted(p.stem for p in execution.NOTEBOOKS.glob("*.ipynb")) == EXPECTED
    assert sorted(p.stem for p in recorded.FOLDER.iterdir()) == EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_what_its_source_makes(name: str) -> None:
    notebook = nbformat.read(execution.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook == execution.from_source(name), "make notebook-files was not run"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("name", NAMES)
def test_sections_and_turns_are_numbered(name: str) -> None:
    text = "\n".join(c.source for c in execution.from_source(name).cells)
    number = int(name[:2])
    sections = re.findall(r"^## (\d\.\d+) ", text, re.M)
    assert sections == [f"{number}.{n}" for n in range(1, len(sections) + 1)]
    titles = re.findall(r"^### Your turn (\S+)$", text, re.M)
    assert titles == turns(name) and len(titles) >= 2
    last = ""
    for line in re.findall(r"^## (\d\.\d+) |^### Your turn (\S+)$", text, re.M):
        last = line[0] or last
        assert line[1] in ("", last), f"Your turn {line[1]} stands in section {last}"
    assert [n for n in questions() if n.startswith(f"{number}.")] == turns(name)
    for heading in ("**You will learn**", "**You need**", "## What to read next"):
        assert heading in text


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_is_in_the_contract(name: str) -> None:
    asked = queries(name)
    assert asked
    unknown = {metric for query in asked for metric in metrics_of(query) if not known(metric)}
    assert unknown == set()


@pytest.mark.parametrize("name", NAMES)
def test_recorded_replies_tell_of_nobody(name: str) -> None:
    text = recorded.path_of(name).read_text("utf-8")
    assert "access_token" not in text
    assert str(ROOT) not in text
    assert len(text) < 2_000_000


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_compared_at_one_moment(name: str) -> None:
    for key, known_replies in replies(name).items():
        assert not key.endswith(f"step={STEP}s") or len(known_replies) == 1, unquote_plus(key)


def test_nothing_is_written_to_the_readers_home(tmp_path: Path) -> None:
    # What makes folders: finding a kernel, and matplotlib.
    code = (
        "import lab.execution, matplotlib.pyplot, jupyter_client.kernelspec as kernels\n"
        "kernels.KernelSpecManager().get_kernel_spec('python3')"
    )
    folders = ("IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER", "XDG")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(folders)}
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=execution.NOTEBOOKS,
        env=environment | {"HOME": str(tmp_path)},
        check=True,
    )
    assert list(tmp_path.iterdir()) == []
