"""The solution is for comparing: shown once a part passes, as the way from the learner's file."""

from __future__ import annotations

import shutil
from io import StringIO

from course_copy import PART, Copy
from rich.console import Console

from learner.solution import diff, print_diff


def printed(lines: list[str], *, terminal: bool = False) -> str:
    file = StringIO()
    console = Console(file=file, force_terminal=terminal, _environ={"TERM": "xterm"}, width=80)
    print_diff(lines, console)
    return file.getvalue()


def test_a_diff_leads_from_mine_to_the_solution(tmp_path):
    mine, solved = tmp_path / "mine.py", tmp_path / "solved.py"
    mine.write_text("a\nb = 1\nc\n")
    solved.write_text("a\nb = 2\nc\n")
    text = printed(diff(mine, solved))
    assert "--- " in text and "+++ " in text and "\n-b = 1\n+b = 2\n" in text
    assert "Different is not wrong" in text and "\x1b" not in text
    coloured = printed(diff(mine, solved), terminal=True)
    assert "\x1b[31m-b = 1\x1b[0m" in coloured and "\x1b[32m+b = 2\x1b[0m" in coloured


def test_markup_and_escape_sequences_in_a_file_are_shown_as_they_are(tmp_path):
    mine, solved = tmp_path / "mine.py", tmp_path / "solved.py"
    mine.write_text("x = '[bold]' # \x1b[31m\n" + "y" * 300 + "\n")
    solved.write_text("x = 1\n")
    text = printed(diff(mine, solved))
    assert "-x = '[bold]' # \n" in text and "\x1b" not in text and "-" + "y" * 300 in text


def test_the_same_file_is_said_so(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text("a\n")
    assert printed(diff(mine, mine)) == "Your file and the solution are the same, word for word.\n"


def test_it_is_shown_only_when_the_part_passes(copy: Copy) -> None:
    told = copy.learner("solution", "00")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.splitlines()[-1] == (
        "solution: part 00 has 0 of 10 marks; the solution is for comparing, once it passes. "
        "Until then: make hint PART=00"
    )
    copy.file().write_text(copy.solved() + "\n# mine\n", "utf-8")
    told = copy.learner("solution", "00")
    assert told.returncode == 0
    assert f"+++ solutions/{PART.slug}/{PART.dag_file}" in told.stdout
    assert "\n-# mine\n" in told.stdout
    told = copy.learner("hint", "00")
    assert (told.returncode, told.stdout) == (
        0,
        "Part 00 passes: there is nothing to hint at.\n",
    )


def test_a_copy_without_solutions_says_so(copy: Copy) -> None:
    solutions = copy.folder / "solutions"
    shutil.move(solutions, copy.folder / "away")
    try:
        told = copy.learner("solution", "00")
    finally:
        shutil.move(copy.folder / "away", solutions)
    assert (told.returncode, told.stdout) == (3, "")
    assert told.stderr == (
        f"solution: there is no solutions/{PART.slug}/{PART.dag_file} in this copy of the course.\n"
    )
