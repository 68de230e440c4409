"""What is sealed can be opened, and noticed if it was touched; nothing of it can be read."""

from __future__ import annotations

import inspect
import linecache
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from grader.course import ROOT
from grader.sealed import HEADER, MAGIC, SUFFIX, Damaged, plain_digest
from grader.sealed.loader import SealedFinder
from grader.sealed.seal import seal, unseal

SOURCE = b'''"""A secret sentence."""
from __future__ import annotations
WORD = "a secret word"
def fails(value: NotThere = 1):
    return {}["nothing here"]  # a secret comment
'''


def put(folder: Path, name: str, source: bytes = SOURCE) -> Path:
    """A sealed file in a folder."""
    file = folder / f"{name}{SUFFIX}"
    file.write_bytes(seal(source, name))
    return file


def module_of(folder: Path, name: str) -> object:
    """Import it without leaving it in this process."""
    spec = SealedFinder(folder).find_spec(f"grader.checks.{name}", None)
    assert spec is not None and spec.loader is not None
    module = type(sys)(spec.name)
    spec.loader.exec_module(module)
    return module


def test_what_was_sealed_comes_back() -> None:
    for plain in (SOURCE, b"", "größer".encode(), b"x" * 100_000):
        assert unseal(seal(plain, "a"), "a") == plain


def test_the_same_text_gives_the_same_bytes_and_another_name_gives_others() -> None:
    assert seal(SOURCE, "a") == seal(SOURCE, "a")
    one, other = (seal(SOURCE, name)[HEADER:] for name in "ab")
    assert len(one) == len(other) and one != other


def test_nothing_of_the_text_is_in_the_file() -> None:
    sealed = seal(SOURCE * 20, "a")
    assert not [word for word in SOURCE.split() if len(word) > 3 and word in sealed]


@pytest.mark.parametrize("place", [0, len(MAGIC), HEADER - 1, HEADER, HEADER + 20, -1])
def test_one_changed_bit_is_noticed(place: int) -> None:
    sealed = bytearray(seal(SOURCE, "a"))
    sealed[place] ^= 1
    with pytest.raises(Damaged):
        unseal(bytes(sealed), "a")


@pytest.mark.parametrize("length", [0, 3, len(MAGIC), HEADER, HEADER + 5, -1])
def test_a_file_that_was_cut_is_noticed(length: int) -> None:
    with pytest.raises(Damaged):
        unseal(seal(SOURCE, "a")[:length], "a")


def test_a_file_under_another_name_is_noticed() -> None:
    with pytest.raises(Damaged):
        unseal(seal(SOURCE, "a"), "b")


def test_the_hash_is_that_of_the_text_plain_or_sealed(tmp_path: Path) -> None:
    plain = tmp_path / "a.py"
    plain.write_bytes(SOURCE)
    assert plain_digest(plain) == plain_digest(put(tmp_path, "a"))


def test_a_sealed_module_runs_and_shows_no_source(tmp_path: Path) -> None:
    put(tmp_path, "a")
    module = module_of(tmp_path, "a")
    assert module.WORD == "a secret word"
    assert module.fails.__annotations__ == {"value": "NotThere"}
    with pytest.raises(OSError):
        inspect.getsource(module.fails)
    with pytest.raises(KeyError) as caught:
        module.fails()
    told = "".join(traceback.format_exception(caught.value))
    assert 'File "<sealed a>", line 5, in fails' in told
    assert "secret" not in told
    assert not [key for key in linecache.cache if "sealed a" in key]


def test_no_file_is_written(tmp_path: Path) -> None:
    file = put(tmp_path, "a")
    module_of(tmp_path, "a")
    assert list(tmp_path.rglob("*")) == [file]


@pytest.mark.parametrize("kind", ["missing", "a folder", "other bytes"])
def test_a_damaged_file_is_named(kind: str, tmp_path: Path) -> None:
    if kind == "a folder":
        (tmp_path / f"a{SUFFIX}").mkdir()
    elif kind == "other bytes":
        (tmp_path / f"a{SUFFIX}").write_bytes(b"print('mine')")
    with pytest.raises(Damaged, match=r"^grader/checks/a\.sealed (is|cannot)"):
        module_of(tmp_path, "a")


def test_sealed_files_import_each_other_by_their_usual_names(tmp_path: Path) -> None:
    """In a process of its own, in which they are there under these names."""
    put(tmp_path, "words_x", b"WORD = 'from there'\n")
    put(tmp_path, "test_x", b"from grader.checks.words_x import WORD\n")
    code = (
        "import sys; from pathlib import Path; from grader.sealed.loader import install\n"
        "install(Path(sys.argv[1])); from grader.checks import test_x; print(test_x.WORD)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("from there\n", "")
