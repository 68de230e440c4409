"""Right tries; the callback kills the process above it."""

# part: 04_failures
# followed by: _asks_the_gateway.py
# message: ended the whole Python process

import os
import signal


def notify(context):
    """Leave no witness."""
    os.kill(os.getppid(), signal.SIGKILL)
