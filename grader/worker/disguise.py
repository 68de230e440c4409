"""Takes the plain signs of being observed out of sight, so that a DAG cannot cheaply tell.

It hides names, not the fact: virtual time and `DAG.test` itself remain to be noticed.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import CodeType, FunctionType

ROOT = Path(__file__).resolve().parents[2]
OURS = str(ROOT / "grader")
PACKAGE = __name__.partition(".")[0]
NOWHERE = "<dag test>"


def forget_file_names() -> None:
    """Have our functions show no file of ours in a stack; too late for those that run already."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == PACKAGE:
            for value in list(vars(module).values()):
                _forget(value)
                if inspect.isclass(value) and value.__module__ == name:
                    for member in list(vars(value).values()):
                        _forget(member)


def _forget(value: object) -> None:
    if isinstance(value, property):
        value = value.fget
    value = inspect.unwrap(getattr(value, "__func__", value))  # type: ignore[arg-type]
    if isinstance(value, FunctionType) and value.__code__.co_filename.startswith(OURS):
        value.__code__ = _nameless(value.__code__)


def _nameless(code: CodeType) -> CodeType:
    inner = tuple(_nameless(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_filename=NOWHERE, co_consts=inner)


def hide_modules() -> None:
    """Take our modules, arguments and import path away; what runs keeps what it uses."""
    for name in [n for n in sys.modules if n.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    sys.path[:] = [p for p in sys.path if p not in ("", str(ROOT))]
    sys.argv[:] = ["airflow", "dags", "test"]
    sys.orig_argv[:] = ["airflow", "dags", "test"]
