"""Each notebook on recorded replies, from a fresh kernel, top to bottom, untouched and answered."""

from __future__ import annotations

import re
from functools import cache

import pytest
from nbformat import NotebookNode

from lab import execution

NAMES = execution.names()
PROSE_NUMBER = re.compile(r"(?<![\w.#-])\d+(?:\.\d+)?(?![\w-]|\.\d)")
PLOT = re.compile(r"^(?:lab\.(?:plot|bars|alert_states)|see)\(", re.M)
# Not prose: fences, code, links, headings, list numbers, and references to sections and parts.
NOT_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\]\([^)]*\)|\[\d[^\]]*\]|^#[^\n]*|^\d+\. "
    r"|(?:[Ss]ections?|[Pp]arts?|[Nn]otebook|Airflow|Grafana|Your turn) [\d.]+(?:(?:,| and) \d+)*",
    re.S | re.M,
)


@cache
def executed(name: str) -> NotebookNode:
    """The notebook with each *Your turn* twice: untouched, then with its answer."""
    notebook, solved = execution.from_source(name), execution.from_source(name)
    execution.fill_in(solved)
    cells = []
    for untouched, filled in zip(notebook.cells, solved.cells, strict=True):
        cells.append(untouched)
        if filled.source != untouched.source:
            filled["id"] += "-filled"
            cells.append(filled)
    notebook.cells = cells
    execution.execute(notebook, "offline")
    return notebook


def printed(notebook: NotebookNode) -> str:
    """All text that the cells put out."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            texts.append(output.get("text", ""))
            texts.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_says_what_to_do_and_then_that_it_is_right(name: str) -> None:
    text = printed(executed(name))
    told = re.findall(r"^(\d\.\d+) (Right|Not yet|Your turn)", text, re.M)
    assert told
    for number in dict.fromkeys(number for number, _ in told):
        assert [said for n, said in told if n == number] == ["Your turn", "Right"], text
    assert "Warning" not in text


@pytest.mark.parametrize("name", NAMES)
def test_plots_are_drawn(name: str) -> None:
    # That nothing is drawn without data is the business of lab.plots; see test_clients.py.
    plots = 0
    for cell in executed(name).cells:
        asked = len(PLOT.findall(cell.source)) if cell.cell_type == "code" else 0
        drawn = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        assert len(drawn) >= asked, cell.source
        plots += len(drawn)
    assert plots


@pytest.mark.parametrize("name", NAMES)
def test_every_number_in_the_prose_comes_from_a_cell(name: str) -> None:
    notebook = executed(name)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    shown = set(PROSE_NUMBER.findall(code + "\n" + printed(notebook)))
    shown |= set(re.findall(r"\d+", code))
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    stated = set(PROSE_NUMBER.findall(NOT_PROSE.sub(" ", prose)))
    assert stated - shown == set()
