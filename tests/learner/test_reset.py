"""Beginning again: the shipped stub comes back, and what stood there is never lost."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from course_copy import PART, Copy

from grader.course import ROOT, load_course
from learner.reset import is_pristine, keep_beside, reset
from learner.stubs import STUBS, name_of, pristine, zipped

NAME = f"exercises/{PART.slug}/{PART.dag_file}"


def test_the_zip_holds_the_stubs_of_this_checkout():
    course = load_course()
    assert STUBS.read_bytes() == zipped(course, ROOT / "exercises"), (
        "learner/stubs.zip is not in step with exercises/. "
        "If the stubs there are as a learner should get them, run: make stubs"
    )


def test_the_zip_is_the_same_wherever_and_whenever_it_is_made(tmp_path):
    course = load_course()
    for part in reversed(course.part):
        file = tmp_path / name_of(part)
        file.parent.mkdir()
        file.write_bytes((ROOT / "exercises" / name_of(part)).read_bytes())
        file.chmod(0o600)
    assert zipped(course, tmp_path) == zipped(course, ROOT / "exercises")
    with zipfile.ZipFile(STUBS) as kept:
        assert kept.namelist() == sorted(map(name_of, course.part))
        assert {entry.compress_type for entry in kept.infolist()} == {zipfile.ZIP_STORED}


def test_what_is_kept_beside_is_never_overwritten_and_never_loaded(tmp_path):
    file = tmp_path / "dag.py"
    for text in ("first", "second"):
        file.write_text(text)
        kept = reset(file, b"stub")
        assert kept.read_text() == text and not kept.name.endswith(".py")
        assert file.read_bytes() == b"stub"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "dag.py", "dag.py.old-1", "dag.py.old-2",
    ]  # fmt: skip


def test_where_there_is_no_file_the_stub_is_put_there(tmp_path):
    assert reset(tmp_path / "dag.py", b"stub") is None
    assert (tmp_path / "dag.py").read_bytes() == b"stub"


def test_other_line_ends_make_no_other_file(tmp_path):
    file = tmp_path / "dag.py"
    file.write_bytes(b"a\r\nb\r\n")
    assert is_pristine(file, b"a\nb\n") and not is_pristine(file, b"a\nc\n")
    assert not is_pristine(tmp_path / "none.py", b"")


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "mine.py").write_text("mine")
    (tmp_path / "dag.py").symlink_to(tmp_path / "mine.py")
    kept = reset(tmp_path / "dag.py", b"stub")
    assert kept.read_text() == "mine" == (tmp_path / "mine.py").read_text()
    assert not (tmp_path / "dag.py").is_symlink()


def test_a_full_disk_changes_nothing(tmp_path):
    import resource

    file = tmp_path / "dag.py"
    file.write_text("mine" * 100)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            keep_beside(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["dag.py"]
    assert file.read_text() == "mine" * 100


# --- the command ---------------------------------------------------------------------------------


def test_in_a_script_it_needs_a_yes(copy: Copy):
    copy.file().write_text("mine", "utf-8")
    told = copy.learner("reset", "00")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "reset: this asks before it changes a file; in a script, add --yes.\n"
    assert copy.file().read_text("utf-8") == "mine"


def test_with_a_yes_only_the_dag_file_is_reset(copy: Copy):
    copy.file().write_text("mine", "utf-8")
    beside = copy.file().with_name("notes.txt")
    beside.write_text("mine too", "utf-8")
    told = copy.learner("reset", "0", "--yes")
    assert (told.returncode, told.stderr) == (0, "")
    assert " ".join(told.stdout.split()) == (
        f"{NAME} is as it was shipped. What stood there is kept in {NAME}.old-1"
    )
    assert copy.file().read_bytes() == pristine(PART)
    assert beside.read_text("utf-8") == "mine too"
    beside.unlink()
    again = copy.learner("reset", PART.slug)
    assert (again.returncode, again.stderr) == (0, "")
    assert " ".join(again.stdout.split()) == (
        f"{NAME} is as it was shipped; there is nothing to do."
    )


def test_on_a_terminal_it_asks_and_takes_nothing_for_a_no(copy: Copy, terminal):
    copy.file().write_text("mine", "utf-8")
    for keys, code in (("\n", 1), ("n\n", 1), ("\x03", 130), ("\x04", 130), ("y\n", 0)):
        asked = terminal("learner", "reset", "00")
        asked.until(f"Put {NAME} back as it was shipped? [y/N]:")
        asked.press(keys)
        assert asked.wait() == code
        assert ("nothing was changed" in asked.rest()) == bool(code), asked.rest()
        assert (copy.file().read_bytes() == pristine(PART)) == (code == 0)


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ((), 2, "say which part: make reset PART=01"),
        (("77",), 2, "there is no part '77'; the parts are 00, 01"),
        (("00", "01"), 2, "name one part; this works on one at a time."),
    ],
)
def test_it_needs_one_part_that_there_is(arguments, code, line, copy: Copy):
    told = copy.learner("reset", *arguments)
    assert (told.returncode, told.stdout) == (code, "")
    assert told.stderr.startswith(f"reset: {line}") and told.stderr.count("\n") == 1


def test_a_folder_in_the_place_of_the_file_is_one_line(copy: Copy):
    copy.file().unlink()
    copy.file().mkdir()
    try:
        told = copy.learner("reset", "00", "--yes")
    finally:
        copy.file().rmdir()
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == f"reset: {NAME} is a folder; move it away, then run this again.\n"


@pytest.mark.parametrize("damage", ["gone", "no zip", "without the part"])
def test_without_the_shipped_stubs_it_is_the_environment(damage: str, copy: Copy):
    stubs = copy.folder / "learner" / "stubs.zip"
    data = stubs.read_bytes()
    copy.file().write_text("mine", "utf-8")
    try:
        stubs.unlink()
        if damage == "no zip":
            stubs.write_text("no zip")
        elif damage == "without the part":
            with zipfile.ZipFile(stubs, "w"):
                pass
        told = copy.learner("reset", "00", "--yes")
    finally:
        stubs.write_bytes(data)
    assert told.returncode == 3
    assert told.stderr.startswith("reset: learner/stubs.zip has no file for part 00")
    assert copy.file().read_text("utf-8") == "mine"


def test_a_file_that_is_gone_is_put_back(copy: Copy):
    copy.file().unlink()
    told = copy.learner("reset", "00", "--yes")
    assert (told.returncode, told.stdout) == (0, f"{NAME} is as it was shipped.\n")
    assert Path(copy.file()).read_bytes() == pristine(PART)
