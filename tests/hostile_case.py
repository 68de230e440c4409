"""A hostile submission laid out, and what has to hold once it was graded.

It grades nothing itself.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console

from grader.course import ROOT, Course, load_course
from grader.judge.record import PartResult, Record
from grader.report.terminal import print_report
from grader.scenario import Limits

HOSTILE = Path(__file__).parent / "submissions" / "hostile"
PART = "00_hello_airflow"
DAG_FILE = "hello_airflow.py"
DAG_FILES = {part.slug: part.dag_file for part in load_course().part}
PLAYGROUND = "@PLAYGROUND@"
SECONDS = 20.0
INSIDE = re.compile(
    r"Traceback \(most recent|_pytest|pluggy|site-packages|grader[/.](judge|worker)"
)
# These name text of their own that looks like the grader's.
ITS_OWN_WORDS = {"some_marks__forged_traceback.py"}
ALL = os.environ.get("MATRIX") == "all"
SLOW = re.compile(r"^# slow$", re.M)


def is_chosen(path: Path) -> bool:
    """Whether a trick is tried: those that say that they are slow only with `MATRIX=all`."""
    if path.name.startswith(("no_verdict__", "_", ".")):
        return False
    return ALL or path.is_dir() or not SLOW.search(path.read_text("utf-8"))


FIXTURES = sorted(path.name for path in HOSTILE.iterdir() if is_chosen(path))


class Case(NamedTuple):
    """A fixture laid out as a submission."""

    name: str
    part: str
    folder: Path
    playground: Path
    message: str
    seconds: float

    @property
    def verdict(self) -> str:
        """What the file's name says."""
        return self.name.partition("__")[0]


def said(text: str, name: str) -> str:
    """What a line such as `# message: ...` of a fixture says, or nothing."""
    found = re.search(rf"^# {name}: (.+)$", text, re.M)
    return found[1] if found else ""


def whole(path: Path) -> str:
    """A file of a fixture, with the file of the course that it is preceded by, and the one beside
    it that it is followed by.
    """
    text = path.read_text("utf-8")
    begin, end = said(text, "preceded by"), said(text, "followed by")
    around = [ROOT / begin] * bool(begin), [HOSTILE / end] * bool(end)
    before, after = ([one.read_text("utf-8") for one in files] for files in around)
    return "\n\n".join([*before, text, *after])


def lay_out(name: str, tmp: Path, playgrounds: Path | None = None) -> Case:
    """Copy a fixture to where a submission has it. `.txt` hides a file from tools of this repo."""
    submission, playground = tmp / "submission", (playgrounds or tmp) / f"playground-{tmp.name}"
    source = HOSTILE / name
    text = (source / DAG_FILE if source.is_dir() else source).read_text("utf-8")
    part = said(text, "part") or PART
    folder = submission / part
    folder.mkdir(parents=True)
    playground.mkdir()
    for path in source.iterdir() if source.is_dir() else [source]:
        target = folder / (path.name.removesuffix(".txt") if source.is_dir() else DAG_FILES[part])
        target.write_text(whole(path).replace(PLAYGROUND, str(playground)), "utf-8")
    return Case(
        name=name,
        part=part,
        folder=submission,
        playground=playground,
        message=said(text, "message"),
        seconds=float(said(text, "seconds") or SECONDS),
    )


def course_with(seconds: float, slug: str = PART) -> Course:
    """The course with limits for a part that are reached soon."""
    limits = Limits(
        seconds=seconds, memory_mib=768, processes=24, output_mib=4, files_mib=16, tasks=500
    )
    course = load_course()
    parts = [
        part.model_copy(update={"limits": limits}) if part.slug == slug else part
        for part in course.part
    ]
    return course.model_copy(update={"part": tuple(parts)})


def still_running(playground: Path) -> set[int]:
    """The processes which left their number in the playground and live, after a moment's grace."""
    noted = {int(path.name.removeprefix("pid-")) for path in playground.glob("pid-*")}
    deadline = time.monotonic() + 3
    while alive := {pid for pid in noted if is_alive(pid)}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return alive


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def strangers() -> set[str]:
    """Files that a fixture would have left outside its own folder."""
    shared = Path(tempfile.gettempdir()).glob("heron-hostile-*")
    return {str(p) for p in (*shared, Path.home() / "airflow") if p.exists()}


def happened(part: PartResult) -> str:
    """The sentence that the learner reads first, or nothing where all is well."""
    for check in part.checks:
        if check.status == "failed":
            found = re.search(
                r"^Happened: (.*?)(?=^Expected: |\Z)", check.message or "", re.M | re.S
            )
            assert found, f"no sentence: {check.message!r}"
            return found[1].strip()
    return ""


def assert_verdict(verdict: str, part: PartResult) -> None:
    """The marks are those that the fixture's name says, and nobody else is to blame."""
    not_passed = [check for check in part.checks if check.status != "passed"]
    assert {check.blame for check in not_passed} <= {"submission"}
    assert all(check.status in ("failed", "not_checked") for check in not_passed)
    assert all(check.points == 0 for check in not_passed)
    if verdict == "full_marks":
        assert part.points == part.max_points, [c.message for c in not_passed]
    elif verdict == "some_marks":
        assert 0 < part.points < part.max_points
    elif verdict == "no_marks":
        assert part.points == 0, [c.id for c in part.checks if c.points]
    else:
        raise AssertionError(f"no such verdict: {verdict}")


def assert_readable(name: str, record: Record, message: str) -> None:
    """One plain sentence, nothing of the inside, nothing that moves a terminal's cursor."""
    part = record.parts[0]
    sentence = happened(part)
    assert re.search(message, sentence), sentence
    own = name in ITS_OWN_WORDS
    assert own or "\n" not in sentence
    assert len(sentence) < 3_000
    for check in part.checks:
        assert own or not INSIDE.search(check.message or ""), check.message
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=False, width=100)
    print_report(record, load_course(), console)
    text = shown.getvalue()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    assert len(text) < 20_000
