"""What the stack tells a person: lines that are ok or not, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. `advice` is an address, or what to do."""

    name: str
    ok: bool
    told: str
    advice: str = ""


def print_lines(lines: Sequence[Line], console: Console) -> bool:
    """Print the lines; True if all are ok."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for line in lines:
        mark = "[green]ok[/]" if line.ok else "[bold red]fix[/]"
        table.add_row(mark, line.name, line.told, line.advice)
    console.print(table)
    return all(line.ok for line in lines)
