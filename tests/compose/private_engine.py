"""A Docker engine of our own, in namespaces of its own: whatever happens, nothing of it stays.

Its network is another one than this machine's, so its ports are free even beside a running stack.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from stand_ins import Impossible, cache, last_line, must

# Program to its Debian package. The last is part of docker.io in older releases.
NEEDED = {"debootstrap": "debootstrap", "dockerd": "docker.io", "docker": "docker-cli"}
CGROUP = "airflow-by-doing-test"
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
FOLDER = "engine-"
# Where Docker and its helpers leave files whatever they are told: covered by empty folders.
START = """
for folder in /run /etc/docker; do
    [ ! -d $folder ] || mount -t tmpfs none $folder
done
exec dockerd "$@"
"""
SECONDS = 60


class PrivateEngine:
    """dockerd as the first process of its own process namespace: when it ends, all of it ends."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() != 0:
            raise Impossible("Docker does not run, and only root can start an engine of its own")
        remove_abandoned()
        # Not below /tmp, which may be a file system that an image cannot be mounted from.
        self.folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=cache()))
        self.environment = os.environ | {
            "DOCKER_HOST": f"unix://{self.folder}/docker.sock",
            "DOCKER_CONFIG": str(self.folder / "config"),
        }

    def start(self) -> None:
        """Start it. Raises `Impossible` with one line that says why it does not.

        From then on, this process has no network but the engine's.
        """
        enter_own_network()
        self._choose_clients()
        log = self.folder / "dockerd.log"
        command = [
            # If this process is killed, so is the engine, and with it all that runs in it.
            *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"),
            *("--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", START, "dockerd"),
            *("--host", self.environment["DOCKER_HOST"], "--pidfile", f"{self.folder}/pid"),
            *("--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec"),
            # One that needs no systemd, and leaves nothing where others look.
            *("--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{CGROUP}"),
            *("--bridge", "none"),
        ]
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        end = time.monotonic() + SECONDS
        while self.docker_says("version") is None:
            if self._process.poll() is not None or time.monotonic() > end:
                raise Impossible(f"no Docker engine can run here: {last_line(log.read_text())}")
            time.sleep(0.5)

    def _choose_clients(self) -> None:
        """The engine's own client, and the Compose of our lock."""
        clients = self.folder / "bin"
        plugins = self.folder / "config" / "cli-plugins"
        clients.mkdir()
        plugins.mkdir(parents=True)
        engine = shutil.which("dockerd")
        assert engine is not None
        packaged = Path(engine).parents[1] / "bin" / "docker"
        docker = packaged if packaged.exists() else shutil.which("docker")
        (clients / "docker").symlink_to(str(docker))
        (plugins / "docker-compose").symlink_to(compose())
        self.environment["PATH"] = f"{clients}:{os.environ['PATH']}"

    def docker(self, *words: str) -> str:
        """Run a docker command; what it printed."""
        done = subprocess.run(
            ["docker", *words], env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise Impossible(f"docker {words[0]} failed: {last_line(done.stderr)}")
        return done.stdout

    def docker_says(self, *words: str) -> str | None:
        """What it printed, or None if it failed."""
        try:
            return self.docker(*words)
        except Impossible:
            return None

    def stop(self) -> None:
        """Stop it and remove all it made."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(psutil.Error, IndexError):
                (dockerd,) = psutil.Process(self._process.pid).children()
                dockerd.send_signal(signal.SIGTERM)
            try:
                self._process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder)
        for cgroup in Path("/sys/fs/cgroup").glob(f"**/{CGROUP}"):
            for folder in sorted(cgroup.glob("**/"), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()


def running_engine() -> str | None:
    """The version of an engine that answers already."""
    try:
        told = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True
        )
    except OSError:
        return None
    return told.stdout.strip() if told.returncode == 0 else None


def compose() -> str:
    """The Compose of our lock."""
    return str(Path(sys.executable).with_name("docker-compose"))


def install_missing(tell: Callable[[str], object]) -> None:
    """The Debian packages of the programs that are not here. The system's own engine stays off."""
    if all(map(shutil.which, NEEDED)):
        return
    if not shutil.which("apt-get"):
        raise Impossible("Docker does not run, and there is no apt to install an engine with")
    must("apt-get", "update", "--quiet")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    options = ("--yes", "--quiet", "--no-install-recommends")
    for program, package in NEEDED.items():
        if not shutil.which(program):
            tell(f"Installing {package} ...")
            must("apt-get", "install", *options, package, environment=environment)


def remove_abandoned() -> None:
    """What tests that were killed could not remove."""
    for folder in cache().glob(f"{FOLDER}*"):
        if not psutil.pid_exists(int(folder.name.removeprefix(FOLDER).partition("-")[0])):
            shutil.rmtree(folder, ignore_errors=True)  # another test may be at it


def enter_own_network() -> None:
    """Move this process, and those it will start, into a network namespace with a loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        reason = os.strerror(ctypes.get_errno())
        raise Impossible(f"Docker does not run, and a network namespace is refused: {reason}")
    with socket.socket() as any_socket:
        up_and_running = struct.pack("16sh", b"lo", 0x1 | 0x40)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, up_and_running)
