"""Copies of the stack's configuration in which host names are this machine.

The copies differ from the originals by these names and nothing else; a test holds that.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from stack import STACK

# The names under which containers know each other.
HOSTS = ("airflow-apiserver", "alertmanager", "grafana", "mailpit", "prometheus", "statsd-exporter")
NAME_AND_PORT = re.compile(rf"\b({'|'.join(HOSTS)})(?=:\d)")
COPIED = ("prometheus", "alertmanager", "grafana/provisioning")


def localise(text: str) -> str:
    """Put this machine's address where a container's name stands before a port."""
    return NAME_AND_PORT.sub("127.0.0.1", text)


def copy_configuration(target: Path) -> None:
    """Lay the configuration out below `target`, in the same folders as in `stack/`."""
    for name in COPIED:
        shutil.rmtree(target / name, ignore_errors=True)
        for source in sorted((STACK / name).rglob("*")):
            if source.is_file():
                copy = target / source.relative_to(STACK)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(localise(source.read_text("utf-8")), "utf-8")
