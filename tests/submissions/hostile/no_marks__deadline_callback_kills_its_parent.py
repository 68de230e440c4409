"""A right DAG, but the callback of its deadlines kills the process above."""

# part: 07_deadlines
# preceded by: solutions/07_deadlines/training_with_deadline.py
# message: ended the whole Python process

import os
import signal


def report_late(level, context):
    """Leave no witness."""
    os.kill(os.getppid(), signal.SIGKILL)
