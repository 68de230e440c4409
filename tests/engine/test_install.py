"""`python3 -m grader.install`: when the lock changed, and never outside the repository."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader import install
from grader.course import ROOT

LOCK = """\
rich==15.0 \\
    --hash=sha256:aa
uv==0.9 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
wheel==1.0 \\
    --hash=sha256:dd
"""
UV = """\
#!/bin/sh
echo "uv $*" >> "$REPO/asked"
echo "$UV_CACHE_DIR|$VIRTUAL_ENV" >> "$REPO/environment"
if [ "$1" = venv ]; then
    mkdir -p "$REPO/.venv/bin" && ln -s "$PYTHON" "$REPO/.venv/bin/python"
fi
[ ! -e "$REPO/offline" ] || { echo "no route to host" >&2; exit 2; }
"""


class Repo:
    """A repository with a lock, on a machine whose only tools are a Python and a fake uv."""

    def __init__(self, folder: Path):
        self.folder, self.person, self.tools = folder / "repo", folder / "person", folder / "bin"
        for place in (self.folder / "grader", self.person, self.tools):
            place.mkdir(parents=True)
        for name in ("__init__.py", "install.py"):
            shutil.copyfile(ROOT / "grader" / name, self.folder / "grader" / name)
        self.lock = self.folder / "requirements.lock"
        self.lock.write_text(LOCK)
        (self.tools / "uv").write_text(UV)
        (self.tools / "uv").chmod(0o755)
        self.stamp = self.folder / ".venv" / "installed-lock"

    def install(self) -> subprocess.CompletedProcess[str]:
        (self.folder / "asked").write_text("")
        return subprocess.run(
            [sys.executable, "-m", "grader.install"],
            cwd=self.folder,
            env={
                "PATH": f"{self.tools}:/usr/bin:/bin",
                "HOME": str(self.person),
                "REPO": str(self.folder),
                "PYTHON": sys.executable,
                "VIRTUAL_ENV": "/somewhere/else",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        """The first words of what the fake uv was asked for in the last installation."""
        lines = (self.folder / "asked").read_text().splitlines()
        return [" ".join(w for w in line.split()[1:3] if not w.startswith("-")) for line in lines]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)


def test_once_and_again_only_when_the_lock_changed(repo: Repo) -> None:
    first = repo.install()
    assert (first.returncode, first.stderr, first.stdout.count("\n")) == (0, "", 1)
    assert repo.asked == ["venv", "pip sync"]
    assert repo.stamp.read_text() == hashlib.sha256(LOCK.encode()).hexdigest()

    second = repo.install()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert repo.asked == []

    repo.lock.write_text(LOCK + "zip==1 \\\n    --hash=sha256:ee\n")
    assert repo.install().returncode == 0
    assert repo.asked == ["pip sync"]
    assert repo.stamp.read_text() == hashlib.sha256(repo.lock.read_bytes()).hexdigest()


def test_everything_stays_in_the_repository(repo: Repo) -> None:
    repo.install()
    assert list(repo.person.iterdir()) == []
    for line in (repo.folder / "environment").read_text().splitlines():
        assert line == f"{repo.folder}/.cache/uv|"


def test_hashes_are_asked_for(repo: Repo) -> None:
    repo.install()
    command = (repo.folder / "asked").read_text().splitlines()[-1]
    assert "--require-hashes" in command and command.endswith("requirements.lock")


def test_a_failed_installation_is_tried_again(repo: Repo) -> None:
    (repo.folder / "offline").touch()
    failed = repo.install()
    assert failed.returncode == 3
    told = [line for line in failed.stderr.splitlines() if line.startswith("install: ")]
    assert len(told) == 1 and "network" in told[0] and "Traceback" not in failed.stderr
    assert not repo.stamp.exists()
    (repo.folder / "offline").unlink()
    assert repo.install().returncode == 0
    assert repo.stamp.exists()


def test_an_environment_without_its_python_is_made_again(repo: Repo) -> None:
    repo.install()
    (repo.folder / ".venv" / "bin" / "python").unlink()
    assert repo.install().returncode == 0
    assert repo.asked == ["venv", "pip sync"]


def test_an_environment_whose_making_was_interrupted_is_made_again(
    commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a Python in it, but no pip yet."""
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    python.chmod(0o755)
    assert not install.pip_works(str(python))
    install.main()
    assert commands[0][1:3] == ["-m", "venv"]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine without uv; the commands that would be run."""
    asked: list[list[str]] = []
    monkeypatch.setattr(install, "VENV", str(tmp_path / "venv"))
    monkeypatch.setattr(install, "STAMP", str(tmp_path / "venv" / "installed-lock"))
    monkeypatch.setattr(install, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(install.shutil, "which", lambda name: None if name == "uv" else name)
    (tmp_path / "lock").write_text(LOCK)

    def call(command: list[str]) -> int:
        asked.append(command)
        os.makedirs(tmp_path / "venv", exist_ok=True)
        return 0

    monkeypatch.setattr(install, "call", call)
    return asked


def test_without_uv_the_standard_library_does(
    commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "python_works", lambda path: path == "python3.12")
    install.main()
    venv = str(tmp_path / "venv")
    assert commands[0] == ["python3.12", "-m", "venv", venv]
    assert commands[1][1:4] == ["-m", "pip", "install"]
    alone = Path(commands[1][-1])
    assert alone.read_text() == "uv==0.9 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    assert commands[2][:3] == [f"{venv}/bin/uv", "pip", "sync"]
    assert all("--require-hashes" in command for command in commands[1:])
    assert len(commands) == 3


def test_pip_alone_is_enough(
    commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the lock's own uv does not run on the machine."""
    monkeypatch.setattr(install, "python_works", lambda path: True)
    monkeypatch.setattr(install, "pip_works", lambda path: True)
    monkeypatch.setattr(install, "uv_from_lock", lambda: None)
    install.main()
    (only,) = commands
    assert only[1:4] == ["-m", "pip", "install"]
    assert only[-3:] == ["--require-hashes", "-r", str(tmp_path / "lock")]


def test_a_python_that_is_too_old_is_told_in_one_line(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "python_works", lambda path: False)
    with pytest.raises(SystemExit) as stopped:
        install.main()
    assert stopped.value.code == 3
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.startswith("install: Python 3.11")
    assert commands == []


def test_windows_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "os", SimpleNamespace(name="nt"))
    with pytest.raises(SystemExit) as stopped:
        install.main()
    assert stopped.value.code == 3
    assert "WSL2" in capsys.readouterr().err


def test_which_pythons_work(tmp_path: Path) -> None:
    assert install.python_works(sys.executable)
    assert not install.python_works(str(tmp_path / "none"))
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert not install.python_works(str(old))


@pytest.mark.parametrize("name", ["__init__.py", "install.py"])
def test_an_old_python_can_read_it(name: str) -> None:
    """It has to run there to say that it is too old."""
    text = (ROOT / "grader" / name).read_text("utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert imported <= {"hashlib", "os", "shutil", "subprocess", "sys"}
