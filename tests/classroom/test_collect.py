"""Whatever shape a class hands in: each learner's files are found, and nobody gets in the way."""

from __future__ import annotations

import io
import os
import random
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from classroom.result import HandedIn, Learner
from classroom.submissions import Collected, collect
from classroom.submissions.names import person_of
from classroom.submissions.unpack import MAX_SOURCE, clean_path
from grader.course import ROOT, load_course

COURSE = load_course()
HELLO, TRAINING = COURSE.part[0], COURSE.part[1]
PLACE = f"{HELLO.slug}/{HELLO.dag_file}"
TEXT = b"# one\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The class's folder."""
    (tmp_path / "class").mkdir()
    return tmp_path / "class"


def write(path: Path, data: bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip file; a name in bytes that are no UTF-8 keeps them."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return data.getvalue()


def only(folder: Path) -> tuple[Learner, Collected]:
    """The class's only learner."""
    found = collect(folder, COURSE)
    (learner,) = found.learners
    return learner, found


def part_of(learner: Learner, slug: str = HELLO.slug) -> HandedIn:
    return next(h for h in learner.handed_in if h.part == slug)


@pytest.mark.parametrize(
    "path",
    [
        PLACE,
        f"exercises/{PLACE}",
        f"my homework (final)/airflow by doing/{PLACE}",
        "hello_airflow.py",
        "Hello_Airflow.PY",
        f"{HELLO.slug.upper()}/Hello_Airflow.py",
        f"{HELLO.slug} (1)/hello_airflow (1).py",
        "hello_airflow-2.py",
        "hello_airflow - Copy.py",
        "hello_airflow.py.txt",
        "mullerjana_12345_67890_hello_airflow-1.py",
        "Übung eins/00_hello_airflow/hello_airflow.py",
    ],
)
@pytest.mark.parametrize("kind", ["folder", "zip", "zip in a zip", "zip in a folder", "tar"])
def test_the_file_is_found_wherever_it_lies(path: str, kind: str, folder: Path) -> None:
    if kind == "folder":
        write(folder / "jana" / path)
    elif kind == "zip":
        write(folder / "jana.zip", zipped({path: TEXT}))
    elif kind == "zip in a zip":
        write(folder / "jana.zip", zipped({"work/inner.zip": zipped({path: TEXT})}))
    elif kind == "zip in a folder":
        write(folder / "jana" / "work.zip", zipped({path: TEXT}))
    else:
        with tarfile.open(folder / "jana.tar.gz", "w:gz") as archive:
            info = tarfile.TarInfo(path)
            info.size = len(TEXT)
            archive.addfile(info, io.BytesIO(TEXT))
    learner, found = only(folder)
    assert (learner.id, learner.name) == ("jana", "jana")
    assert found.sources == {("jana", HELLO.slug): TEXT}
    handed_in = part_of(learner)
    assert handed_in.file is not None and handed_in.file.lower().endswith(path.lower())
    assert (handed_in.notes, learner.notes) == ((), ())
    assert part_of(learner, TRAINING.slug) == HandedIn(part=TRAINING.slug)


def test_what_tools_leave_is_no_version(folder: Path) -> None:
    members = {
        PLACE: TEXT,
        f"__MACOSX/{HELLO.slug}/._hello_airflow.py": b"\0\5\26\7",
        f"__MACOSX/{PLACE}": b"mac",
        f".git/{PLACE}": b"git",
        f".venv/lib/{PLACE}": b"venv",
        f"{HELLO.slug}/__pycache__/hello_airflow.py": b"cache",
        f"{HELLO.slug}/.ipynb_checkpoints/hello_airflow.py": b"checkpoint",
        ".DS_Store": b"x",
    }
    write(folder / "jana.zip", zipped(members))
    for name, data in members.items():
        write(folder / "omar" / name, data)
    (folder / ".DS_Store").touch()
    (folder / "__MACOSX").mkdir()
    found = collect(folder, COURSE)
    assert found.sources == {("jana", HELLO.slug): TEXT, ("omar", HELLO.slug): TEXT}
    assert {h.notes for learner in found.learners for h in learner.handed_in} == {()}
    assert found.problems == ()


def test_of_two_versions_the_one_in_the_parts_folder_counts(folder: Path) -> None:
    write(folder / "jana" / "hello_airflow.py", b"# beside\n")
    write(folder / "jana" / "exercises" / PLACE)
    learner, found = only(folder)
    assert found.sources["jana", HELLO.slug] == TEXT
    (note,) = part_of(learner).notes
    assert note == (
        f"There are several versions: jana/exercises/{PLACE} was taken, not jana/hello_airflow.py."
    )


def test_of_two_equal_places_the_newer_counts(folder: Path) -> None:
    old, new = write(folder / "jana" / "a" / PLACE, b"old"), write(folder / "jana" / "b" / PLACE)
    os.utime(old, (1_000, 1_000))
    os.utime(new, (2_000, 2_000))
    assert only(folder)[1].sources["jana", HELLO.slug] == TEXT
    os.utime(old, (3_000, 3_000))
    assert only(folder)[1].sources["jana", HELLO.slug] == b"old"


def test_two_copies_are_one_version(folder: Path) -> None:
    write(folder / "jana" / "a" / PLACE)
    write(folder / "jana" / "b" / PLACE)
    assert part_of(only(folder)[0]).notes == ()


def test_the_courses_own_solutions_are_nobodys_work(folder: Path) -> None:
    """Who hands in the whole course hands these in too."""
    write(folder / "jana" / "solutions" / PLACE, b"solved")
    write(folder / "jana" / "exercises" / PLACE)
    learner, found = only(folder)
    assert found.sources["jana", HELLO.slug] == TEXT
    assert part_of(learner).notes == ()
    (folder / "jana" / "exercises" / PLACE).unlink()
    assert "comes with the course" in part_of(only(folder)[0]).notes[0]


def test_a_file_of_another_name_is_known_by_its_dag(folder: Path) -> None:
    solution = (ROOT / "solutions" / PLACE).read_bytes()
    write(folder / "jana" / "homework.py", solution)
    write(folder / "jana" / "other.py", b"import this is no python")
    learner, found = only(folder)
    assert found.sources == {("jana", HELLO.slug): solution}
    assert part_of(learner).notes == ("jana/homework.py was taken for its DAG, not its name.",)


def test_bytes_stay_as_they_were_handed_in(folder: Path) -> None:
    odd = b"\xff\xfe# one\r\n\0"
    write(folder / "jana.zip", zipped({PLACE.replace("/", "\\"): odd}))
    assert only(folder)[1].sources["jana", HELLO.slug] == odd
    write(folder / "jana.zip", zipped({PLACE: b"x" * (MAX_SOURCE + 100)}))
    assert len(only(folder)[1].sources["jana", HELLO.slug]) == MAX_SOURCE + 1


def raw_name(data: bytes, old: str, new: bytes) -> bytes:
    """A zip with a member's name replaced, and no word of its encoding."""
    assert len(old) == len(new)
    return data.replace(old.encode(), new)


@pytest.mark.parametrize("name", ["Müller", "Мария", "José"])
def test_a_zip_that_does_not_say_its_encoding(name: str, folder: Path) -> None:
    raw = name.encode("utf-8")
    stand_in = "x" * len(raw)
    write(folder / "a.zip", raw_name(zipped({f"{stand_in}/{PLACE}": TEXT}), stand_in, raw))
    learner, _ = only(folder)
    assert part_of(learner).file == f"a.zip/{name}/{PLACE}"


@pytest.mark.parametrize(
    ("entry", "name", "id"),
    [
        ("jana", "jana", "jana"),
        ("Jana Müller.zip", "Jana Müller", "jana-müller"),
        ("Jana Mu\u0308ller", "Jana Müller", "jana-müller"),
        ("Jana Müller_123456_assignsubmission_file_", "Jana Müller", "jana-müller-123456"),
        ("mullerjana_12345_67890_homework.zip", "mullerjana", "mullerjana-12345"),
        ("mullerjana_LATE_12345_67890_work.tar.gz", "mullerjana", "mullerjana-12345"),
        ("王小明.zip", "王小明", "王小明"),
        ("con", "con", "learner-con"),
        ("...", "...", "learner"),
        ("a/../../b", "a/../../b", "a-b"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", "cmd-c-calc-a0"),
        ("\u202egnp.exe", "gnp.exe", "gnp-exe"),
        ("x" * 300, "x" * 300, "x" * 60),
    ],
)
def test_a_name_for_people_and_one_for_files(entry: str, name: str, id: str) -> None:
    person = person_of(entry)
    assert (person.name, person.id) == (name, id)
    Learner(id=person.id, name=person.name, source=entry)


def test_names_that_come_to_the_same_are_told_apart(folder: Path) -> None:
    write(folder / "Jana" / PLACE, b"1")
    write(folder / "jana" / PLACE, b"2")
    write(folder / "omar" / PLACE, b"3")
    found = collect(folder, COURSE)
    ids = [learner.id for learner in found.learners]
    assert [bool(re.fullmatch(r"jana-[0-9a-f]{6}", i)) for i in ids] == [True, True, False]
    assert sorted(found.sources.values()) == [b"1", b"2", b"3"]


def test_a_folder_and_a_zip_of_one_name_are_one_learner(folder: Path) -> None:
    write(folder / "jana" / PLACE)
    write(folder / "jana.zip", zipped({PLACE: b"# two\n", "ml_training_pipeline.py": TEXT}))
    learner, found = only(folder)
    assert set(found.sources) == {("jana", HELLO.slug), ("jana", TRAINING.slug)}
    assert learner.notes == ("There are 2 entries: jana + jana.zip.",)
    assert "several versions" in part_of(learner).notes[0]


def test_single_files_of_canvas_are_put_together(folder: Path) -> None:
    write(folder / "mullerjana_1_20_hello_airflow.py")
    write(folder / "mullerjana_1_21_ml_training_pipeline-1.py")
    write(folder / "hello_airflow.py")
    write(folder / "marks.xlsx")
    learner, found = only(folder)
    assert (learner.id, len(found.sources)) == ("mullerjana-1", 2)
    assert found.problems == (
        "hello_airflow.py was left out: put it into a folder with its learner's name.",
        "marks.xlsx was left out: it is neither a folder nor an archive.",
    )


def make_bomb() -> bytes:
    return zipped({f"{n}.txt": b"" for n in range(60_000)})


ODD: dict[str, tuple[str, Callable[[Path], object]]] = {
    "damaged.zip": ("damaged", lambda p: p.write_bytes(zipped({PLACE: TEXT})[:-30])),
    "empty.zip": ("damaged", lambda p: p.touch()),
    "page.zip": ("web page", lambda p: p.write_bytes(b"<!DOCTYPE html><title>Log in</title>")),
    "no.tar.gz": ("damaged", lambda p: p.write_bytes(b"no archive")),
    "work.7z": (r"have it packed as \.zip", lambda p: p.write_bytes(b"7z")),
    "nothing": ("No part", lambda p: p.mkdir()),
    "link": ("link", lambda p: p.symlink_to("/etc")),
    "link.zip": ("link", lambda p: p.symlink_to("/etc/passwd")),
    "bomb.zip": ("more than 50,000 files", lambda p: p.write_bytes(make_bomb())),
}


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_read_is_the_learners_own_trouble(name: str, folder: Path) -> None:
    message, build = ODD[name]
    write(folder / "omar" / PLACE)
    build(folder / name)
    found = collect(folder, COURSE)
    odd = next(learner for learner in found.learners if learner.id != "omar")
    assert re.search(message, odd.notes[0]), odd.notes
    assert "\n" not in odd.notes[0]
    assert found.sources == {("omar", HELLO.slug): TEXT}


def test_a_zip_with_a_password(folder: Path) -> None:
    data = bytearray(zipped({PLACE: TEXT}))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + offset] |= 1
    write(folder / "jana.zip", bytes(data))
    assert "has a password" in only(folder)[0].notes[0]


def test_links_and_odd_files_are_not_followed(folder: Path) -> None:
    secret = write(folder.parent / "secret.py", b"secret")
    for name in ("jana", "omar"):
        (folder / name / HELLO.slug).mkdir(parents=True)
    (folder / "jana" / PLACE).symlink_to(secret)
    os.mkfifo(folder / "omar" / PLACE)
    (folder / "omar" / "elsewhere").symlink_to("/")
    with tarfile.open(folder / "tara.tar", "w") as archive:
        info = tarfile.TarInfo(PLACE)
        info.type, info.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(info)
    info = zipfile.ZipInfo(PLACE)
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(folder / "zoe.zip", "w") as zip_file:
        zip_file.writestr(info, str(secret))
    found = collect(folder, COURSE)
    assert found.sources == {}
    assert [learner.notes[0].partition(" is ")[2][:11] for learner in found.learners] == [
        "a link, and", "a link, and", "a link or n", "a link, and",
    ]  # fmt: skip


def test_archives_in_archives_have_an_end(folder: Path) -> None:
    data = zipped({PLACE: TEXT})
    for _ in range(6):
        data = zipped({"a.zip": data})
    write(folder / "jana.zip", data)
    learner, found = only(folder)
    assert "packed too deep" in learner.notes[0]
    assert found.sources == {}


@pytest.mark.parametrize("path", ["../../x.py", "/etc/x.py", "C:\\a\\..\\x.py", "a//./x.py"])
def test_no_name_leads_out(path: str) -> None:
    clean = clean_path(path)
    assert not clean.is_absolute() and ".." not in clean.parts


def test_the_order_of_the_disk_does_not_matter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("omar", "jana", "zoe"):
        write(folder / name / "a" / PLACE, name.encode())
        write(folder / name / "b" / PLACE)
        os.utime(folder / name / "a" / PLACE, (1, 1))
        os.utime(folder / name / "b" / PLACE, (1, 1))
    first = collect(folder, COURSE)
    scandir = os.scandir

    def shuffled(place: str) -> list[os.DirEntry[str]]:
        entries = list(scandir(place))
        random.Random(1).shuffle(entries)
        return entries

    monkeypatch.setattr(os, "scandir", shuffled)
    assert collect(folder, COURSE) == first
