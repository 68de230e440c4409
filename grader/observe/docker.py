"""Starts a command in a Docker container, on the socket that is this process's standard input:
`python -m grader.observe.docker FOLDER DOCKER RUN OPTION... -- IMAGE COMMAND...`.

Docker hands no descriptor into a container. So the socket goes through another one, a file in
FOLDER, which the container sees too. It must not know what the command is.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

MEETING = "meeting"
# Runs in the container: takes the socket, and becomes the command.
STARTER = f"""
import os, socket, sys
with socket.socket(socket.AF_UNIX) as meeting:
    here = os.getcwd()
    os.chdir(sys.argv[1])  # an address has to be short
    meeting.connect({MEETING!r})
    os.chdir(here)
    _, (found, *_), _, _ = socket.recv_fds(meeting, 1, 1)
os.dup2(found, 0)
os.close(found)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def main() -> int:
    """Run the container until it ends. Returns its exit code."""
    folder, *words = sys.argv[1:]
    divide = words.index("--")
    run, (image, *command) = words[:divide], words[divide + 1 :]
    settings = [word for name in os.environ for word in ("--env", name)]
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as meeting:
        Path(MEETING).unlink(missing_ok=True)
        meeting.bind(MEETING)
        meeting.listen(1)
        container = subprocess.Popen(
            [*run, *settings, image, sys.executable, "-P", "-c", STARTER, folder, *command],
            stdin=subprocess.DEVNULL,
        )
        while container.poll() is None and not select.select([meeting], [], [], 0.1)[0]:
            pass
        if container.poll() is None:
            opened, _ = meeting.accept()
            with opened:
                socket.send_fds(opened, [b"."], [0])
    os.close(0)  # whoever is in the container has it now, and nobody else
    return container.wait()


if __name__ == "__main__":
    sys.exit(main())
