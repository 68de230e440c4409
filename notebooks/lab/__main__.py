"""`python -m lab`: opens the notebooks, makes them from their sources, records replies for them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import nbformat
import typer

from lab import WORK, connection, execution
from lab.history import make_history
from lab.problem import LabProblem

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Names = Annotated[list[str] | None, typer.Argument(help="Notebooks; all if not given.")]


@app.command(name="open")
def open_lab() -> None:
    """Open JupyterLab on this folder, for this machine only."""
    folder = f"--notebook-dir={execution.NOTEBOOKS}"
    command = ["-m", "jupyterlab", "--ip=127.0.0.1", "--log-level=WARN", folder]
    # As root, which containers often are, Jupyter wants to be told that it may.
    root = ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    os.execv(sys.executable, [sys.executable, *command, *root])


@app.command()
def build(names: Names = None) -> None:
    """Write the notebooks from their sources."""
    for name in names or execution.names():
        print(execution.write(name).name)


@app.command()
def record(
    names: Names = None,
    history: Annotated[float, typer.Option(help="Minutes of runs before the first notebook.")] = 5,
) -> None:
    """Execute notebooks against the running stack, with the answers, and keep what it says.

    The executed notebooks are left in `.work/notebooks`, for you to look at.
    """
    make_history(connection.live("history", record=False).airflow, history)
    for name in names or execution.names():
        notebook = execution.from_source(name)
        execution.fill_in(notebook)
        execution.execute(notebook, "record")
        nbformat.write(notebook, WORK / f"{name}.ipynb")
        print(f"{name}: recorded, and executed as {WORK / name}.ipynb")


if __name__ == "__main__":
    try:
        app()
    except LabProblem as problem:
        sys.exit(f"lab: {problem}")
