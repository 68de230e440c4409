"""Transcripts by the hash of all that can change them: files, scenario, limits, engine, Airflow.

It must not keep what depends on the machine's mood: a breach of the clock is never stored.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

from grader.course import Part
from grader.scenario import Limits, Scenario
from grader.transcript import Transcript

ENGINE = Path(__file__).resolve().parent.parent
ENGINE_PARTS = ("worker", "observe", "scenario.py", "transcript.py")
LASTING = ("tasks",)


@cache
def engine_hash() -> str:
    """SHA-256 over the engine's sources, the Airflow distributions and the Python version."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ENGINE_PARTS:
        place = ENGINE / name
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(path.read_bytes())
    for distribution in sorted(
        f"{d.name}=={d.version}"
        for d in importlib.metadata.distributions()
        if d.name.startswith("apache-airflow")
    ):
        digest.update(distribution.encode())
    return digest.hexdigest()


def files_hash(folder: Path, source: bytes) -> str:
    """SHA-256 over the learner's file and all that the course ships in the part's folder."""
    digest = hashlib.sha256(source)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Cache:
    """A folder of transcripts. `folder` None keeps nothing."""

    def __init__(self, folder: Path | None):
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def key(self, files: str, part: Part, scenario: Scenario, limits: Limits) -> str:
        """The name under which a transcript is kept."""
        names = [part.dag_id, part.dag_file, str(part.several_dags)]
        settings = [scenario.model_dump_json(), limits.model_dump_json()]
        text = "\n".join([engine_hash(), files, *names, *settings])
        return hashlib.sha256(text.encode()).hexdigest()

    def get(self, key: str) -> Transcript | None:
        """The transcript, or None if there is none or it cannot be read."""
        if self._folder is None:
            return None
        try:
            return Transcript.model_validate_json((self._folder / f"{key}.json").read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, key: str, transcript: Transcript) -> None:
        """Keep it, whole or not at all."""
        if self._folder is None or (transcript.breach and transcript.breach.limit not in LASTING):
            return
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as file:
            file.write(transcript.model_dump_json().encode())
        os.replace(file.name, self._folder / f"{key}.json")
