"""Write the JSON Schemas from the models: `python -m grader.schemas.generate`.

It must not add a rule that the models do not have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from grader.judge.record import Record
from grader.transcript import Transcript

FOLDER = Path(__file__).resolve().parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, tuple[str, type[BaseModel]]] = {
    "record": ("Result record of a grading", Record),
    "transcript": ("Transcript of an observed scenario", Transcript),
}


class _AsWritten(GenerateJsonSchema):
    """The grader writes every field, also one that is at its default."""

    def field_is_required(self, *_args: Any, **_more: Any) -> bool:
        return True


def schema_text(name: str) -> str:
    """The schema of one file as it stands on disk."""
    return schema_of(*MODELS[name])


def schema_of(title: str, model: type[BaseModel]) -> str:
    """The schema of the files that are written from a model."""
    schema = model.model_json_schema(mode="serialization", schema_generator=_AsWritten)
    schema.pop("title")
    return json.dumps({"$schema": DIALECT, "title": title, **schema}, indent=2) + "\n"


def main() -> None:
    """Rewrite both files."""
    for name in MODELS:
        (FOLDER / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
