"""Write the JSON Schemas from the models: `python -m classroom.schemas.generate`.

It must not add a rule that the models do not have.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from classroom.compare import Comparison
from classroom.result import ClassResult
from grader.schemas.generate import schema_of

FOLDER = Path(__file__).resolve().parent
MODELS: dict[str, tuple[str, type[BaseModel]]] = {
    "class": ("A marked class", ClassResult),
    "comparison": ("Two markings of a class compared", Comparison),
}


def main() -> None:
    """Rewrite both files."""
    for name, (title, model) in MODELS.items():
        (FOLDER / f"{name}.schema.json").write_text(schema_of(title, model), encoding="utf-8")


if __name__ == "__main__":
    main()
