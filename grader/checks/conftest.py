"""Plain pytest for whoever writes checks: `python -m pytest grader/checks --part 01`.

It only joins the options to what `grader.api` does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.api import Grader
from grader.collect import scenarios
from grader.course import ROOT, load_course
from grader.judge.plugin import Judge, Observations


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `python -m grader grade`, under the same names."""
    group = parser.getgroup("grader")
    group.addoption("--part", action="append", default=[], help="number or slug, repeatable")
    group.addoption("--submission", type=Path, default=ROOT / "solutions", help="folder to mark")
    group.addoption("--seed", type=int, default=0, help="draws the scenarios' inputs")
    group.addoption("--jobs", type=int, default=None, help="scenarios at the same time")
    group.addoption("--no-cache", action="store_true", help="run every scenario again")


def pytest_configure(config: pytest.Config) -> None:
    """Judge by the options, unless somebody has brought a judge along."""
    config.addinivalue_line("markers", "check(mark): a hidden check of a lesson's section")
    if any(isinstance(plugin, Judge) for plugin in config.pluginmanager.get_plugins()):
        return
    option = config.option

    def provide(slugs: list[str]) -> Observations:
        parts = load_course().select(slugs)
        drawn = {part.slug: scenarios(part, option.seed) for part in parts}
        with Grader(jobs=option.jobs, cache=not option.no_cache) as grader:
            return grader.observe(option.submission, parts, drawn)

    config.pluginmanager.register(Judge(provide), "judge")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Only the files of the chosen parts."""
    if not collection_path.name.startswith("test_") or not config.option.part:
        return None
    chosen = {f"test_{part.slug}.py" for part in load_course().select(config.option.part)}
    return True if collection_path.name not in chosen else None
