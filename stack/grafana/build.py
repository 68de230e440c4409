"""Writes the boards as JSON: `python -m stack.grafana.build`.

The result is the same text each time. Only this module writes into `dashboards/`.
"""

from __future__ import annotations

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from stack.grafana import DASHBOARDS
from stack.grafana.boards import dag, overview


def files() -> dict[str, str]:
    """The text of every board by its file name."""
    made = (overview.board(), dag.board())
    return {
        f"{board.uid}.json": json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
        for board in made
    }


def main() -> None:
    """Make the folder hold these boards and no others."""
    DASHBOARDS.mkdir(exist_ok=True)
    texts = files()
    for old in DASHBOARDS.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (DASHBOARDS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
