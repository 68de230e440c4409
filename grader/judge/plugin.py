"""A pytest plugin that runs hidden checks over observations and keeps a verdict for each.

The process it runs in never imports Airflow or learner code, so pytest's own outcome can be
trusted; still only what is noted here as passed counts as passed.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace

import pytest

from grader.judge.check import CheckMark, NotChecked, NotPassed, check_mark
from grader.judge.problems import NOT_LOADED, load_problem, scenario_problem
from grader.judge.record import Blame, Status
from grader.judge.view import Observation

LONGEST = 2_500
Observations = Mapping[tuple[str, str], Observation]


@dataclass(frozen=True)
class Verdict:
    """What became of one check."""

    status: Status
    blame: Blame | None = None
    message: str | None = None
    line: int | None = None


class Judge:
    """One judging. `provide` is asked once, after collection, for the observations it needs."""

    def __init__(self, provide: Callable[[list[str]], Observations]):
        self._provide = provide
        self._observations: Observations = {}
        self._seen: list[Observation] = []
        self._broken: dict[str, tuple[NotPassed, str]] = {}
        self.verdicts: dict[tuple[str, str], Verdict] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All checks are known: get the observations."""
        if session.config.option.collectonly:
            return
        slugs = list(dict.fromkeys(slug_of(item) for item in session.items))
        self._observations = self._provide(slugs)
        for slug in slugs:
            mine = [o for (s, _), o in self._observations.items() if s == slug]
            problems = [load_problem(observation) for observation in mine]
            problem = problems[0] if problems and all(problems) else None
            if problem is not None:
                self._broken[slug] = problem, bearer(session, slug, problem.task)

    @pytest.fixture
    def observe(self, request: pytest.FixtureRequest) -> Callable[[str], Observation]:
        """`observe(name)`: the scenario of that name and what became of the submission in it.

        With `may_fail`, a file that Airflow refuses, or that makes no DAG, is no problem: a check
        wants to see how.
        """
        slug = slug_of(request.node)

        def observe(name: str, *, may_fail: bool = False) -> Observation:
            observation = self._observations[slug, name]
            self._seen.append(observation)
            seen = observation.transcript
            without = seen.import_error is not None or not (seen.dag_ids or seen.breach)
            problem = load_problem(observation) or scenario_problem(observation)
            if problem is not None and not (may_fail and without):
                raise problem
            return observation

        return observe

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Run one check and keep its verdict."""
        slug, name = slug_of(pyfuncitem), pyfuncitem.name.removeprefix("test_")
        self._seen = []
        try:
            self._may_be_checked(slug, pyfuncitem)
            result = yield
        except NotChecked as reason:
            self._keep(slug, name, Verdict("not_checked", "submission", str(reason)))
            pytest.skip(str(reason))
        except NotPassed as failure:
            text = self._text(failure)
            self._keep(slug, name, Verdict("failed", "submission", text, failure.line))
            pytest.fail(text, pytrace=False)
        except Exception as error:
            last = traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
            text = f"The grader itself failed here, not you: {last}"
            self._keep(slug, name, Verdict("error", "grader", text))
            raise
        self._keep(slug, name, Verdict("passed"))
        return result

    def _may_be_checked(self, slug: str, item: pytest.Function) -> None:
        if slug in self._broken:
            problem, name = self._broken[slug]
            raise problem if item.name == name else NotChecked(NOT_LOADED)
        for needed in mark_of(item).requires:
            verdict = self.verdicts.get((slug, needed.removeprefix("test_")))
            if verdict is None or verdict.status != "passed":
                raise NotChecked(f"not checked because {self._first_of(slug, item, needed)}")

    def _first_of(self, slug: str, item: pytest.Function, needed: str) -> str:
        """Where the chain of checks that wait for each other begins."""
        while True:
            mark = check_mark(getattr(item.module, needed))
            assert mark is not None
            waiting = [
                name
                for name in mark.requires
                if self.verdicts[slug, name.removeprefix("test_")].status != "passed"
            ]
            if not waiting:
                break
            needed = waiting[0]
        if mark.task == mark_of(item).task:
            return "another check of this section comes first"
        return f"section {mark.task} comes first"

    def _text(self, failure: NotPassed) -> str:
        lines = []
        if self._seen and self._seen[-1].scenario.runs:
            lines.append(f"Ran: {described(self._seen[-1])}")
        lines.append(f"Happened: {cut(failure.happened)}")
        if failure.expected:
            lines.append(f"Expected: {cut(failure.expected)}")
        return "\n".join(lines)

    def _keep(self, slug: str, name: str, verdict: Verdict) -> None:
        if verdict.message is not None:  # half a character is none
            whole = verdict.message.encode("utf-8", "replace").decode()
            verdict = replace(verdict, message=whole)
        self.verdicts[slug, name] = verdict


def bearer(session: pytest.Session, slug: str, task: int | None) -> str:
    """The check that tells of a problem of the whole file: one of its section, else the first."""
    mine = [item for item in session.items if slug_of(item) == slug]
    return next((i for i in mine if mark_of(i).task == task), mine[0]).name


def slug_of(item: pytest.Item) -> str:
    """The part that a check belongs to, by its file's name."""
    return item.path.stem.removeprefix("test_")


def mark_of(item: pytest.Item) -> CheckMark:
    """What `@check` noted. Raises `ValueError` on a test without it."""
    found = check_mark(item.function) if isinstance(item, pytest.Function) else None
    if found is None:
        raise ValueError(f"{item.nodeid} is not declared with @check")
    return found


def cut(text: str) -> str:
    """A sentence with what a submission wrote in it, if need be without its end."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def described(observation: Observation) -> str:
    """One line on what a scenario did."""
    runs = observation.scenario.runs
    text = f'scenario "{observation.scenario.name}", run of {runs[0].logical_date:%Y-%m-%d %H:%M}'
    if len(runs) > 1:
        text += f" and {len(runs) - 1} more"
    if runs[0].conf:
        text += f", conf {runs[0].conf}"
    return text
