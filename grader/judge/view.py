"""What a check sees of a transcript: short questions with answers, or a sentence for the learner.

It must not hold any expectation of its own beyond "this task exists" and "this run came to an end".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from grader.judge.check import NotPassed
from grader.scenario import Scenario
from grader.transcript import DagFacts, Error, Run, TaskFacts, Transcript, Try


def moment(text: str) -> datetime:
    """A time of the transcript as an aware datetime."""
    return datetime.fromisoformat(text)


def length(lasting: Try | Run) -> timedelta:
    """Virtual time that a try or a run took; none if it has no end."""
    return moment(lasting.end) - moment(lasting.start) if lasting.end else timedelta()


def gaps(tries: list[Try]) -> list[timedelta]:
    """Virtual time between the end of one try and the start of the next."""
    return [moment(b.start) - moment(a.end) for a, b in pairwise(tries) if a.end]


def own_line(error: Error | None) -> Error | None:
    """The error, if it stands in a line that the learner has written; the rest is finished."""
    return error if error and error.todo else None


def in_words(length: timedelta) -> str:
    """`2 h 45 min`, `40 s`, for a sentence."""
    seconds = round(length.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    full, rest = divmod(round(seconds / 60), 60)
    return " ".join([f"{full} h"] * (full > 0) + [f"{rest} min"] * (rest > 0))


def names(items: list[str]) -> str:
    """`a`, `b` and `c`, for a sentence."""
    quoted = [f"`{item}`" for item in items]
    if len(quoted) < 2:
        return "".join(quoted) or "none"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def times(count: int) -> str:
    """`once`, `twice`, `3 times`, for a sentence."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


@dataclass(frozen=True)
class TaskView:
    """One task instance of one run: its facts, its tries and the state it was left in."""

    facts: TaskFacts
    state: str
    tries: list[Try]

    @property
    def task_id(self) -> str:
        return self.facts.task_id

    @property
    def line(self) -> int | None:
        """Where it went wrong in the learner's file, else where the task is defined."""
        return (self.error.line if self.error else None) or self.facts.line

    @property
    def ran(self) -> bool:
        """Whether any attempt was made at all."""
        return bool(self.tries)

    @property
    def error(self) -> Error | None:
        """The error of the last try."""
        return self.tries[-1].error if self.tries else None

    @property
    def ending(self) -> str:
        """What it raised in the last try, or the state it was left in, after "the task ..."."""
        error = self.error
        return f"raised {error.type}: {error.message}" if error else f"ended as {self.state}."

    @property
    def output(self) -> str:
        """What the last try printed and logged."""
        return self.tries[-1].output if self.tries else ""

    @property
    def gaps(self) -> list[timedelta]:
        """Virtual time between the end of one try and the start of the next."""
        return gaps(self.tries)

    @property
    def xcoms(self) -> dict[str, Any]:
        """All values of the last try that are JSON, by key."""
        if not self.tries:
            return {}
        return {k: v.json_value for k, v in self.tries[-1].xcoms.items() if v.is_json}

    def xcom(self, key: str = "return_value") -> Any:
        """One value, or `NotPassed` with what is there instead."""
        self.must_have_succeeded()
        values = self.tries[-1].xcoms
        what = "returned nothing" if key == "return_value" else f"pushed no XCom named `{key}`"
        if key not in values:
            raise NotPassed(f"`{self.task_id}` {what}.", "It returns its result.", line=self.line)
        value = values[key]
        if not value.is_json:
            raise NotPassed(
                f"`{self.task_id}` handed over a {value.type}: {value.repr}",
                "Tasks exchange plain numbers, texts, lists and dicts.",
                line=self.line,
            )
        return value.json_value

    def field(self, key: str) -> Any:
        """One entry of the dict that the task returned, or `NotPassed`."""
        value = self.xcom()
        if not isinstance(value, dict) or key not in value:
            raise NotPassed(
                f"`{self.task_id}` returned {value!r}.",
                f"A dict with the key `{key}`.",
                line=self.line,
            )
        return value[key]

    def must_have_succeeded(self) -> None:
        """Raise `NotPassed` with the task's own error unless it ended in success."""
        if self.state == "success":
            return
        why = self.ending if self.ran else f"was never started; it was left as {self.state}."
        raise NotPassed(f"`{self.task_id}` {why}", f"`{self.task_id}` succeeds.", line=self.line)

    def must_be_done(self, todo: int, wanted: str = "") -> None:
        """Raise `NotPassed` if the stub's `raise` line is still there: work to do, no mistake."""
        if self.error and self.error.type == "NotImplementedError":
            raise NotPassed(
                f"`{self.task_id}` still raises `NotImplementedError`: TODO {todo} is open.",
                f"{wanted} Replace the `raise` line, save, and grade again.".lstrip(),
                line=self.line,
            )


@dataclass(frozen=True)
class RunView:
    """One DAG run."""

    dag: DagView
    data: Run

    @property
    def state(self) -> str:
        return self.data.state or "unfinished"

    @property
    def ran(self) -> list[str]:
        """Ids of the tasks of which at least one try was made, in the order of their first try."""
        return list(dict.fromkeys(t.task_id for t in self.data.tries))

    @property
    def states(self) -> dict[str, str]:
        return {i.task_id: i.state for i in self.data.instances if i.map_index < 0}

    @property
    def updated(self) -> list[str]:
        """The names of the assets that it updated, once for each update."""
        return [event.asset for event in self.data.asset_events]

    def rows(self, file: str, table: str) -> list[dict[str, Any]]:
        """A table as it was after the run; `NotPassed` if the file or the table is not there."""
        tables = self.data.databases[file]
        if table not in tables:
            there = f"it has {names(sorted(tables))}" if tables else "there is no such database"
            raise NotPassed(
                f"After the run there is no table `{table}` in `{file}`: {there}.",
                f"A table `{table}`.",
                line=self.dag.line,
            )
        found = tables[table]
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    def task(self, task_id: str) -> TaskView:
        """The unmapped instance of a task, or `NotPassed` if the DAG has no such task."""
        facts = self.dag.task(task_id)
        tries = [t for t in self.data.tries if t.task_id == task_id and t.map_index < 0]
        return TaskView(facts=facts, state=self.states.get(task_id, "none"), tries=tries)


@dataclass(frozen=True)
class DagView:
    """The DAG as Airflow sees it."""

    data: DagFacts

    @property
    def line(self) -> int | None:
        return self.data.line

    @property
    def task_ids(self) -> list[str]:
        return [t.task_id for t in self.data.tasks]

    @property
    def edges(self) -> set[tuple[str, str]]:
        """Pairs (upstream, downstream)."""
        return {(up, t.task_id) for t in self.data.tasks for up in t.upstream}

    @property
    def paths(self) -> set[tuple[str, str]]:
        """Pairs (earlier, later), also those with other tasks in between."""
        earlier = {t.task_id: set(t.upstream) for t in self.data.tasks}
        for middle, before in earlier.items():
            for ups in earlier.values():
                if middle in ups:
                    ups |= before
        return {(up, task_id) for task_id, ups in earlier.items() for up in ups}

    @property
    def next_runs(self) -> list[datetime]:
        return [moment(text) for text in self.data.next_runs]

    def task(self, task_id: str) -> TaskFacts:
        """A task's facts, or `NotPassed` if the DAG has no such task."""
        for facts in self.data.tasks:
            if facts.task_id == task_id:
                return facts
        raise NotPassed(
            f"The DAG has no task `{task_id}`. Its tasks: {names(self.task_ids)}.",
            f"A task whose id is `{task_id}`.",
            line=self.line,
        )


@dataclass(frozen=True)
class Observation:
    """A scenario and what became of the submission in it."""

    scenario: Scenario
    transcript: Transcript
    dag_id: str = ""
    several_dags: bool = False

    @property
    def dag(self) -> DagView:
        """The part's own DAG."""
        if self.transcript.dag is None:
            raise NotPassed("Airflow found no DAG in the file.", "One DAG.")
        return DagView(self.transcript.dag)

    @property
    def dags(self) -> dict[str, DagView]:
        """All DAGs of the file by id, the part's own first."""
        found = [self.transcript.dag] if self.transcript.dag else []
        return {dag.dag_id: DagView(dag) for dag in [*found, *self.transcript.others]}

    def dag_named(self, dag_id: str) -> DagView:
        """One of the file's DAGs, or `NotPassed`."""
        dags = self.dags
        if dag_id not in dags:
            there = f"Airflow found {names(list(dags))}." if dags else "Airflow found no DAG."
            raise NotPassed(there, f"A DAG named `{dag_id}`.")
        return dags[dag_id]

    @property
    def runs(self) -> list[RunView]:
        """All runs: each planned one, and after it those that an asset started because of it."""
        dags = self.dags
        return [RunView(dags[run.dag_id], run) for run in self.transcript.runs]

    def runs_of(self, dag_id: str) -> list[RunView]:
        """The runs of one of the file's DAGs, or `NotPassed` if there is no such DAG."""
        self.dag_named(dag_id)
        return [run for run in self.runs if run.data.dag_id == dag_id]

    @property
    def run(self) -> RunView:
        """The only run of a scenario with one run."""
        runs = self.runs
        if len(runs) != 1:
            raise ValueError(f"scenario {self.scenario.name!r} has {len(runs)} runs; use .runs")
        if runs[0].data.error is not None:
            error = runs[0].data.error
            raise NotPassed(
                f"The run stopped with {error.type}: {error.message}",
                "The run comes to an end.",
                line=error.line,
            )
        return runs[0]
