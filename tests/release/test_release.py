"""What is in the learner's zip, what is not, and from what it is refused to be built."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from handout_copy import build, git, run
from test_links import broken

import grader
from classroom.handout.archive import pack
from classroom.handout.checkout import File, NotReleasable, head
from classroom.handout.contents import BEGIN, END, learners_files, learners_page
from grader.course import ROOT, load_course
from grader.sealed.seal import unseal

FOLDER = f"airflow-by-doing-{grader.__version__}"
NOT_FOR_LEARNERS = re.compile(
    r"(solutions|tests|bench|classroom)/|instructors\.mk|CONTRIBUTING|INSTRUCTORS|^\.(ci|github)/"
)
# What a learner would type or open in vain.
NOT_THERE = re.compile(
    r"=solutions\b|(such as|for example) solutions|\b(solutions|tests|bench|classroom)/"
    r"|CONTRIBUTING|INSTRUCTORS"
    r"|\bmake (test|class|release|bench|boards|format|lock|stubs|notebook-)"
)
MESSAGES = (
    "Makefile",
    "stack/settings.py",
    "notebooks/lab/connection.py",
    "notebooks/lab/recorded.py",
)


@pytest.fixture(scope="module")
def files(zip_file: Path) -> dict[str, bytes]:
    """The bytes of every file by its path below the zip's only folder."""
    with zipfile.ZipFile(zip_file) as archive:
        assert archive.testzip() is None
        assert all(name.startswith(f"{FOLDER}/") for name in archive.namelist())
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def sources_of_checks() -> dict[str, str]:
    """The text of every file with checks."""
    found = (ROOT / "grader" / "checks").glob("*_[0-9][0-9]_*.py")
    return {path.stem: path.read_text("utf-8") for path in found}


def telling_lines(text: str) -> set[str]:
    """Lines that are too long to be the same by chance."""
    lines = {line.strip() for line in text.splitlines() if len(line.strip()) > 40}
    return {line for line in lines if not line.startswith(("from ", "import "))}


def test_the_zip_says_what_it_is(zip_file: Path, committed: Path) -> None:
    assert zip_file.name == f"{FOLDER}-learner.zip"
    with zipfile.ZipFile(zip_file) as archive:
        assert archive.comment.decode() == f"commit {head(committed).id}"
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 3, 2, 9, 0, 0)}


def test_the_course_is_in_it(files: dict[str, bytes]) -> None:
    wanted = {"Makefile", "README.md", "LICENSE", ".gitignore", "pyproject.toml",
              "requirements.lock", "docker-compose.yml", "exercises/course.toml",
              "grader/cli.py", "learner/__init__.py", "stack/cli.py", "notebooks/lab/__init__.py",
              "notebooks/01_tour_of_the_stack.ipynb"}  # fmt: skip
    for part in load_course().part:
        wanted |= {f"exercises/{part.slug}/{name}" for name in ("README.md", part.dag_file)}
        wanted.add(f"grader/checks/test_{part.slug}.sealed")
    assert wanted <= set(files)


def test_nothing_of_an_instructor_is_in_it(files: dict[str, bytes]) -> None:
    assert not [name for name in files if NOT_FOR_LEARNERS.match(name)]
    assert not [name for name in files if re.search(r"__pycache__|\.pyc$|(^|/)\.env$", name)]


def test_only_what_git_tracks_is_in_it(files: dict[str, bytes], committed: Path) -> None:
    tracked = set(git(committed, "ls-files", "-z").split("\0"))
    unsealed = {re.sub(r"\.sealed$", ".py", name) for name in files}
    assert unsealed <= tracked


def test_the_exercises_are_as_they_were_committed(files: dict[str, bytes], committed: Path) -> None:
    for part in load_course().part:
        name = f"exercises/{part.slug}/{part.dag_file}"
        assert files[name].decode() == git(committed, "show", f"HEAD:{name}")


def test_every_check_is_sealed_and_opens_to_what_it_was(files: dict[str, bytes]) -> None:
    sealed = {name: data for name, data in files.items() if name.startswith("grader/checks/")}
    opened = {
        Path(name).stem: unseal(data, Path(name).stem).decode() for name, data in sealed.items()
    }
    assert opened == sources_of_checks()
    assert all(name.endswith(".sealed") for name in sealed)


def test_no_line_of_a_check_or_a_solution_is_in_it(files: dict[str, bytes]) -> None:
    course = load_course()
    given = {line for data in exercises(files) for line in telling_lines(data)}
    hidden = [ROOT / "solutions" / part.slug / part.dag_file for part in course.part]
    hidden += (ROOT / "grader" / "checks").glob("*_[0-9][0-9]_*.py")
    lines = {line for file in hidden for line in telling_lines(file.read_text("utf-8"))} - given
    assert len(lines) > 1000
    found = {
        name: lines & telling_lines(data.decode("utf-8", "replace")) for name, data in files.items()
    }
    assert {name: same for name, same in found.items() if same} == {}


def exercises(files: dict[str, bytes]) -> Iterator[str]:
    """What a learner is given to begin with."""
    return (data.decode() for name, data in files.items() if name.startswith("exercises/"))


def test_files_are_plain_and_readable(zip_file: Path) -> None:
    with zipfile.ZipFile(zip_file) as archive:
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}
    assert all(stat.S_ISREG(mode) and mode & 0o444 == 0o444 for mode in modes)


def test_every_link_of_its_pages_leads_somewhere(course: Path) -> None:
    pages = [*course.rglob("*.md"), *course.rglob("*.ipynb")]
    assert len(pages) > 40
    assert {page.relative_to(course): broken(page) for page in pages if broken(page)} == {}


def test_nothing_that_is_not_there_is_spoken_of(files: dict[str, bytes]) -> None:
    """In what a learner reads, types or is told."""
    found = {
        name: [line.strip() for line in data.decode().splitlines() if NOT_THERE.search(line)]
        for name, data in files.items()
        if name.endswith((".md", ".ipynb")) or name in MESSAGES
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_readme_says_what_the_seal_is_worth(files: dict[str, bytes]) -> None:
    for name in ("README.md", "grader/README.md"):
        said = " ".join(files[name].decode().split())
        assert re.search(r"stops? reading", said) and "reverse engineering" in said
        assert re.search(r"instructor's own grader", said)
    assert re.search(r"with another seed|with other inputs", files["README.md"].decode())


def test_a_page_without_its_passages() -> None:
    page = f"a\n\n{BEGIN}\nb\n\n{END}\n\nc\n{BEGIN}\nd\n{END}\n"
    assert learners_page("x.md", page.encode()) == b"a\n\nc\n"


@pytest.mark.parametrize("text", [f"{BEGIN}\na\n", f"a\n{END}\n", f"a {BEGIN}\nb\n{END}\n"])
def test_a_passage_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(NotReleasable, match=r"x\.md"):
        learners_page("x.md", text.encode())


def test_what_nobody_has_thought_of_is_left_out() -> None:
    files = {name: File(b"x") for name in ("answers/a.py", "README.py", "exercisesx", "stack/a")}
    assert set(learners_files(files)) == {"stack/a"}


def test_a_program_stays_one() -> None:
    time = head(ROOT).time
    packed = pack({"run": File(b"", True), "read": File(b"")}, "x", time, "")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert [e.external_attr >> 16 & 0o111 for e in archive.infolist()] == [0, 0o111]


def test_the_same_commit_gives_the_same_bytes(
    committed: Path, zip_file: Path, tmp_path: Path
) -> None:
    """Also in another folder, where files have other times and other modes."""
    other = tmp_path / "other folder"
    git(tmp_path, "clone", "--quiet", "--no-hardlinks", str(committed), str(other))
    assert build(other, tmp_path / "out").read_bytes() == zip_file.read_bytes()


@pytest.fixture
def mine(committed: Path, tmp_path: Path) -> Path:
    """A checkout to be changed."""
    folder = tmp_path / "mine"
    git(tmp_path, "clone", "--quiet", str(committed), str(folder))
    return folder


CHANGES: dict[str, Callable[[Path], object]] = {
    "exercises/course.toml": lambda p: p.write_text("title = 'other'"),
    "grader/checks/test_00_hello_airflow.py": lambda p: p.unlink(),
    "learner/forgotten.py": lambda p: p.write_text("# never added\n"),
    "stack/größer name.md": lambda p: p.write_text("x"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_not_as_committed_is_refused_in_one_line(name: str, mine: Path) -> None:
    CHANGES[name](mine / name)
    told = run(mine, "classroom.handout", "--out", "out")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(f"release: {name}: not as in git's last commit.")
    assert told.stderr.count("\n") == 1
    assert not (mine / "out").exists()


def test_many_changes_are_one_line_as_well(mine: Path) -> None:
    shutil.rmtree(mine / "exercises")
    told = run(mine, "classroom.handout")
    assert told.returncode == 2
    assert re.search(r" and \d\d more: not as in git's last commit", told.stderr)
    assert told.stderr.count("\n") == 1


def test_what_learners_do_not_get_may_be_changed(mine: Path, zip_file: Path) -> None:
    (mine / "CONTRIBUTING.md").write_text("other\n")
    (mine / "tests" / "new.py").write_text("")
    (mine / ".env").write_text("SECRET=x\n")
    assert build(mine, mine / "dist").read_bytes() == zip_file.read_bytes()
    assert git(mine, "status", "--porcelain").split() == [
        "M",
        "CONTRIBUTING.md",
        "??",
        "tests/new.py",
    ]


def test_without_git_it_is_the_environment(mine: Path) -> None:
    shutil.rmtree(mine / ".git")
    told = run(mine, "classroom.handout")
    assert told.returncode == 3
    assert told.stderr.startswith("release: git status in ") and told.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_is_said_so(mine: Path) -> None:
    told = run(mine, "classroom.handout", "--out", "LICENSE")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "release: LICENSE is a file; name a folder for the zip.\n"


def test_the_size_and_the_hash_are_told(committed: Path, tmp_path: Path) -> None:
    told = run(committed, "classroom.handout", "--out", tmp_path)
    (made,) = tmp_path.iterdir()
    data = made.read_bytes()
    assert f"{len(data):,} bytes" in told.stdout
    assert f"SHA-256 {hashlib.sha256(data).hexdigest()}" in told.stdout
    with zipfile.ZipFile(made) as archive:
        assert f"{len(archive.namelist())} files" in told.stdout
