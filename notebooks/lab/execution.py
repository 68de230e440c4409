"""Notebooks as files: made from their source, filled in with the answers, executed.

The readers' notebooks have neither answers nor outputs. Only tests and recording fill them in.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from lab.checks import question_of

NOTEBOOKS = Path(__file__).resolve().parents[1]
SOURCES = NOTEBOOKS / "source"
YOUR_TURN = re.compile(r'(?P<name>\w+) = \.\.\.(?P<between>.*)check\("(?P<number>[\d.]+)"', re.S)
SECONDS = 600  # for one cell
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def names() -> list[str]:
    """The notebooks in the order in which they are read."""
    return sorted(path.stem for path in SOURCES.glob("*.py"))


def from_source(name: str) -> NotebookNode:
    """A notebook as it is made from its source: the same text gives the same file."""
    notebook: NotebookNode = jupytext.read(SOURCES / f"{name}.py", fmt="py:percent")
    notebook.metadata = nbformat.from_dict(KERNEL)
    for number, cell in enumerate(notebook.cells, start=1):
        cell["id"] = f"cell-{number:02}"
        cell["metadata"] = nbformat.from_dict({})
    return notebook


def write(name: str) -> Path:
    """Write the notebook that readers open."""
    path = NOTEBOOKS / f"{name}.ipynb"
    nbformat.write(from_source(name), path)
    return path


def fill_in(notebook: NotebookNode) -> int:
    """Put the answers into the *Your turn* cells; how many there were."""
    filled = 0
    for cell in notebook.cells:
        if cell.cell_type == "code" and (turn := YOUR_TURN.search(cell.source)):
            answer = question_of(turn["number"]).answer
            cell.source = cell.source.replace(
                f"{turn['name']} = ...", f"{turn['name']} = {answer!r}"
            )
            filled += 1
    return filled


def execute(notebook: NotebookNode, mode: str) -> None:
    """Run all cells from the top in a fresh kernel; `mode` is what LAB is set to.

    Outputs are written into the notebook. Raises nbclient's `CellExecutionError`.
    """
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    client.execute(env=os.environ | {"LAB": mode})
