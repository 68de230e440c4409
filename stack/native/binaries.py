"""Finds the programs that are not Python, says how to get the missing ones, builds two of them.

It downloads nothing but Go modules, whose versions and hashes stand in `go.mod` and `go.sum`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack import ROOT, STACK, StackProblem

MODULE = STACK / "native"
PROMETHEUS = "github.com/prometheus/prometheus"
EXPORTER = "github.com/prometheus/statsd_exporter"
BUILD = "make stack-binaries builds it (about 5 minutes, needs Go)"


@dataclass(frozen=True)
class Binary:
    """A program, its names in distributions, and where it comes from."""

    name: str
    aliases: tuple[str, ...]
    how: str
    needed: bool = True


BINARIES = (
    Binary("statsd_exporter", ("prometheus-statsd-exporter",), BUILD),
    Binary("prometheus", (), f"{BUILD}; distributions have older ones"),
    Binary("promtool", (), BUILD, needed=False),
    Binary(
        "alertmanager",
        ("prometheus-alertmanager",),
        "Debian and Ubuntu: apt install prometheus-alertmanager, then systemctl disable --now "
        "prometheus-alertmanager, since the package starts one; macOS: brew install alertmanager",
    ),
    Binary("amtool", (), "it comes with Alertmanager", needed=False),
    Binary("mailpit", (), "without it a small inbox of our own takes its place", needed=False),
    Binary("grafana", ("grafana-server",), "see grafana.com/grafana/download", needed=False),
)


def folder() -> Path:
    """Where binaries are built: `STACK_BIN`, or a folder of the repository that git ignores."""
    return Path(os.environ.get("STACK_BIN") or ROOT / ".cache" / "bin").absolute()


def find(name: str) -> Path | None:
    """The program, built here or installed."""
    binary = next(b for b in BINARIES if b.name == name)
    path = os.pathsep.join((str(folder()), os.environ.get("PATH", os.defpath)))
    for candidate in (binary.name, *binary.aliases):
        if found := shutil.which(candidate, path=path):
            return Path(found)
    return None


def missing() -> list[Binary]:
    """The needed programs that are not there."""
    return [b for b in BINARIES if b.needed and find(b.name) is None]


def version(module: str) -> str:
    """A module's version by `go.mod`, as its own releases are numbered."""
    match = re.search(rf"{re.escape(module)} v(\S+)", (MODULE / "go.mod").read_text("utf-8"))
    assert match, f"{module} is not in go.mod"
    if module == PROMETHEUS:  # 3.16.0 is v0.316.0 as a Go module
        major, minor, patch = re.fullmatch(r"0\.(\d)(\d\d)\.(\d+)", match[1]).groups()  # type: ignore[union-attr]
        return f"{major}.{int(minor)}.{patch}"
    return match[1]


def build() -> None:
    """Build what `go.mod` names, unless that was done before. Raises `StackProblem`."""
    target = folder()
    stamp = target / "built-from"
    wanted = hashlib.sha256((MODULE / "go.sum").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    if shutil.which("go") is None:
        raise StackProblem("Go is not installed; get it from go.dev/dl, then try again.")
    target.mkdir(parents=True, exist_ok=True)
    for module, commands in ((EXPORTER, ("",)), (PROMETHEUS, ("/cmd/prometheus", "/cmd/promtool"))):
        print(f"Building {module} {version(module)} ...", flush=True)
        flag = f"-X github.com/prometheus/common/version.Version={version(module)}"
        # Service discovery of every cloud is left out: it is most of the code, and not used here.
        command = ["go", "build", "-tags", "remove_all_sd", "-ldflags", flag, "-o", f"{target}/"]
        done = subprocess.run([*command, *(module + c for c in commands)], cwd=MODULE, check=False)
        if done.returncode:
            raise StackProblem(f"{module} could not be built; the lines above say why.")
    stamp.write_text(wanted)
