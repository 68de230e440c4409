"""Images that stand in for the official ones, under the tags that the compose file names.

They are made of this machine's Debian packages, our lock and our own binaries. It pulls nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack import ROOT
from stack.native import binaries

HERE = Path(__file__).parent
LOCK = ROOT / "requirements.lock"
PACKAGES = (
    "ca-certificates",
    "curl",
    "dumb-init",
    "netcat-openbsd",
    "postgresql",
    "prometheus-alertmanager",
    "python3",
    "wget",
)
BASE = "stand-in-base"
KEPT = 2  # archives in the cache: this one, and the one before, for whoever switches branches
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POSTGRES = "/usr/lib/postgresql/current/bin"
VENV = "/home/airflow/.local"
AIRFLOW_PATH = f"PATH={VENV}/bin:{PATH}"


class Impossible(Exception):
    """This machine cannot do it. The text is one line that says why."""


@dataclass(frozen=True)
class StandIn:
    """What makes the base image look like an official one."""

    entrypoint: tuple[str, ...]
    files: Mapping[str, Path] = field(default_factory=dict)
    user: str = "root"
    environment: tuple[str, ...] = (f"PATH={PATH}",)
    workdir: str = "/"
    volume: str | None = None
    stop_signal: str = "SIGTERM"


def stand_ins() -> dict[str, StandIn]:
    """Repository to what stands in for it, with the official users, entry points and volumes."""
    return {
        "apache/airflow": StandIn(
            ("/usr/bin/dumb-init", "--", "/entrypoint"),
            {"/entrypoint": HERE / "image/airflow-entrypoint"},
            user="50000",
            environment=(
                AIRFLOW_PATH,
                f"VIRTUAL_ENV={VENV}",
                "AIRFLOW_HOME=/opt/airflow",
                "DUMB_INIT_SETSID=1",
                "LANG=C.UTF-8",
            ),
            workdir="/opt/airflow",
        ),
        "postgres": StandIn(
            ("docker-entrypoint.sh",),
            {"/usr/local/bin/docker-entrypoint.sh": HERE / "image/postgres-entrypoint"},
            # Before Debian's own wrappers of these programs.
            environment=(f"PATH={POSTGRES}:{PATH}", "PGDATA=/var/lib/postgresql/data"),
            volume="/var/lib/postgresql/data",
            stop_signal="SIGINT",
        ),
        "prom/statsd-exporter": StandIn(
            ("/bin/statsd_exporter",),
            {"/usr/bin/statsd_exporter": built("statsd_exporter")},
            user="65534",
        ),
        "prom/prometheus": StandIn(
            ("/bin/prometheus",),
            {"/usr/bin/prometheus": built("prometheus")},
            user="nobody",
            workdir="/prometheus",
            volume="/prometheus",
        ),
        "prom/alertmanager": StandIn(
            ("/bin/alertmanager",), user="nobody", workdir="/alertmanager", volume="/alertmanager"
        ),
        "axllent/mailpit": StandIn(
            ("/mailpit",),
            {
                "/mailpit": HERE / "image/mailpit",
                "/inbox/stack/__init__.py": ROOT / "stack/__init__.py",
                "/inbox/stack/native/__init__.py": ROOT / "stack/native/__init__.py",
                "/inbox/stack/native/inbox.py": ROOT / "stack/native/inbox.py",
            },
            environment=(AIRFLOW_PATH,),
        ),
    }


def built(name: str) -> Path:
    """One of our own binaries, built now if it was not before."""
    if binaries.find(name) is None:
        binaries.build()
    found = binaries.find(name)
    assert found is not None
    return found


class Maker:
    """Makes the images. `tell` is told what is done."""

    def __init__(self, tell: Callable[[str], object]):
        """Get all that has to come over a network."""
        self._known = stand_ins()
        self._archive = base_archive(tell)

    def make(self, images: Iterable[str], docker: Callable[..., str]) -> None:
        """Make a stand-in for each of these names with tags. `docker` runs a docker command."""
        self._docker = docker
        docker("import", str(self._archive), BASE)
        for image in images:
            self._stand_in(image, self._known[image.split(":")[0]])

    def _stand_in(self, image: str, what: StandIn) -> None:
        container = self._docker("create", "--stop-signal", what.stop_signal, BASE, "true").strip()
        for target, source in what.files.items():
            with tempfile.TemporaryDirectory() as scratch:
                # docker cp makes no folders, but copies them.
                copy = Path(scratch, "root", target.lstrip("/"))
                copy.parent.mkdir(parents=True)
                shutil.copy(source, copy)
                copy.chmod(0o755)
                self._docker("cp", f"{scratch}/root/.", f"{container}:/")
        changes = [
            f"ENTRYPOINT {json.dumps(what.entrypoint)}",
            "CMD []",
            f"USER {what.user}",
            f"WORKDIR {what.workdir}",
            *(f"ENV {pair}" for pair in what.environment),
            *([f"VOLUME {what.volume}"] if what.volume else []),
        ]
        options = [word for change in changes for word in ("--change", change)]
        self._docker("commit", *options, container, image)
        self._docker("rm", "--volumes", container)


def base_archive(tell: Callable[[str], object]) -> Path:
    """The file system that all stand-ins share, from the cache if nothing in it has changed."""
    release, mirror, components = debian()
    parts = [
        release,
        *PACKAGES,
        (HERE / "image/setup").read_text(),
        LOCK.read_text(),
        os.uname().machine,
    ]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    folder = cache()
    archive = folder / f"base-{key}.tar"
    if archive.is_file():
        archive.touch()
        return archive
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        root = Path(scratch, "root")
        tell("Making the stand-in images (2 to 5 minutes): Debian packages ...")
        # In a mount namespace of its own, so that what it mounts is gone when it ends.
        must(
            *("unshare", "--mount", "debootstrap", "--variant=minbase"),
            *(f"--components={','.join(components)}", f"--include={','.join(PACKAGES)}"),
            *(release, str(root), mirror),
        )
        tell("Making the stand-in images: Airflow from the lock ...")
        install_lock(root)
        shutil.copy(HERE / "image/setup", root / "setup")
        must("chroot", str(root), "/setup")
        (root / "setup").unlink()
        must("tar", "-C", str(root), "--numeric-owner", "-cf", f"{scratch}/done.tar", ".")
        Path(scratch, "done.tar").rename(archive)
    for old in sorted(folder.glob("base-*.tar"), key=lambda p: p.stat().st_mtime)[:-KEPT]:
        old.unlink()
    return archive


def install_lock(root: Path) -> None:
    """The lock's packages for the Python of that file system."""
    python = (root / "usr/bin/python3").readlink().name
    target = root / VENV.lstrip("/") / "lib" / python / "site-packages"
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    must(
        *(uv, "pip", "install", "--quiet", "--require-hashes", "--link-mode=copy"),
        *("--python", sys.executable, "--python-version", python.removeprefix("python")),
        *("--target", str(target), "--requirements", str(LOCK)),
        environment={"UV_CACHE_DIR": str(ROOT / ".cache" / "uv")} | os.environ,
    )
    shutil.rmtree(target / "bin", ignore_errors=True)


def debian() -> tuple[str, str, list[str]]:
    """This machine's release, its mirror and its components, as apt knows them."""
    try:
        told = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise Impossible(
            "stand-in images are made of Debian packages, and apt is not here"
        ) from None
    found = [line.split() for line in dict.fromkeys(told.stdout.splitlines())]
    # Not bookworm-updates and its like.
    plain = [row for row in found if len(row) == 3 and "-" not in row[1]]
    if not plain:
        raise Impossible("apt names no Debian mirror to make stand-in images from")
    mirror, release, _ = plain[0]
    return release, mirror, [c for m, r, c in plain if (m, r) == (mirror, release)]


def cache() -> Path:
    """A folder outside the clone, where a fresh clone finds what an older one made."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home, "airflow-by-doing", "stand-ins")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def must(*command: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a command. Raises `Impossible` with its last line if it fails."""
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise Impossible(f"{' '.join(command[:3])} failed: {last_line(done.stdout)}")


def last_line(text: str) -> str:
    """The last line in which something stands."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no output")
