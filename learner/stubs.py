"""The stubs as they were shipped, in `stubs.zip`, from which `make reset` takes them.

`python -m learner.stubs` makes it from `exercises/`, which must be pristine then. The same stubs
give the same bytes on every machine.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from grader.course import ROOT, Course, Part, load_course
from grader.report.json_file import write_whole

STUBS = Path(__file__).with_name("stubs.zip")
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows


def name_of(part: Part) -> str:
    """A stub's name in the zip."""
    return f"{part.slug}/{part.dag_file}"


def pristine(part: Part, stubs: Path = STUBS) -> bytes:
    """A part's file as it was shipped. Raises `OSError`, `KeyError` or `BadZipFile`."""
    with zipfile.ZipFile(stubs) as kept:
        return kept.read(name_of(part))


def zipped(course: Course, exercises: Path) -> bytes:
    """All stubs in one zip: sorted, of one time, and not compressed, which each library does in
    its own way.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as kept:
        for name in sorted(map(name_of, course.part)):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.create_system = 3  # as on Unix, so that the mode counts
            entry.external_attr = 0o644 << 16
            kept.writestr(entry, (exercises / name).read_bytes())
    return made.getvalue()


def main() -> None:
    """Make the zip anew."""
    data = zipped(load_course(), ROOT / "exercises")
    write_whole(data, STUBS)
    print(f"{STUBS.relative_to(ROOT)}: {len(load_course().part)} stubs, {len(data):,} bytes")


if __name__ == "__main__":
    main()
