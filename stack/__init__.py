"""The monitored Airflow: one set of configuration files, run in containers or as plain processes.

Nothing in here knows the grader, and the grader does not know the stack.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STACK = ROOT / "stack"
# Where the native stack keeps its data. Another folder is another stack, with the same ports.
HOME = Path(os.environ.get("STACK_HOME") or ROOT / ".work" / "stack").absolute()


class StackProblem(Exception):
    """Something that a person has to put right. Its text is one line and says what to do."""
