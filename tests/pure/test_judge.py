"""The judge over transcripts made by hand: whom a problem of the whole file is charged to."""

from __future__ import annotations

import pytest

from grader import apart, collect
from grader.api import PYTEST_ARGUMENTS, Verdicts, judge, make_record
from grader.course import ROOT, load_course
from grader.judge.plugin import Judge
from grader.judge.problems import DOES_NOT_LOAD, NOT_LOADED
from grader.judge.view import Observation
from grader.scenario import Scenario
from grader.transcript import Breach, DagFacts, Error, Transcript

PART = load_course().part[0]


def verdicts_of(**facts):
    """Verdicts by check id when every scenario of part 00 went the same way."""
    observations = {
        (PART.slug, scenario.name): Observation(
            scenario, Transcript(scenario=scenario.name, **facts), PART.dag_id
        )
        for scenario in collect.scenarios(PART, seed=0)
    }
    return {name: v for (_, name), v in judge([PART], observations).items()}


@pytest.mark.parametrize("todo", [1, 2, 3, None])
def test_a_file_that_does_not_load_is_charged_once_and_in_its_section(todo):
    error = Error(type="SyntaxError", message="invalid syntax", line=41, todo=todo)
    verdicts = verdicts_of(import_error=error)
    declared = {check.id: check.task for check in collect.checks(PART)}
    assert set(verdicts) == set(declared)
    failed = [name for name, verdict in verdicts.items() if verdict.status == "failed"]
    assert [declared[name] for name in failed] == [todo or 1]
    assert DOES_NOT_LOAD in verdicts[failed[0]].message and verdicts[failed[0]].line == 41
    others = {verdict.message for name, verdict in verdicts.items() if name not in failed}
    assert others == {NOT_LOADED}


def test_a_scenario_without_a_verdict_earns_nothing():
    breach = Breach(limit="seconds", detail="30 seconds", phase="run", task_id="greet")
    verdicts = verdicts_of(breach=breach)
    assert not [name for name, verdict in verdicts.items() if verdict.status == "passed"]
    told = [v.message for v in verdicts.values() if v.status == "failed"]
    assert told and all("`greet` did not come back within 30 seconds" in text for text in told)


def test_waiting_checks_name_the_section_in_which_the_chain_begins():
    verdicts = verdicts_of(dag_ids=[PART.dag_id], dag=None, import_error=None)
    assert {v.status for v in verdicts.values()} <= {"failed", "not_checked"}
    breach = Breach(limit="exit", detail="gone", phase="run", task_id=None)
    waiting = [v.message for v in verdicts_of(breach=breach).values() if v.status == "not_checked"]
    assert waiting
    assert all("this section comes first" in m or "section 1 comes first" in m for m in waiting)


REFUSALS = """
from grader.judge import Observe, check, expect

@check(task=1)
def test_it_is_refused(observe: Observe):
    error = observe("refused", may_fail=True).transcript.import_error
    expect(error.line == 7, happened="another line", expected="line 7")

@check(task=1)
def test_it_runs(observe: Observe):
    observe("refused")

@check(task=1)
def test_it_makes_nothing(observe: Observe):
    expect(not observe("empty", may_fail=True).dags, happened="a DAG", expected="none")

@check(task=1)
def test_it_makes_something(observe: Observe):
    observe("empty")

@check(task=1)
def test_it_comes_back(observe: Observe):
    observe("hangs", may_fail=True)
"""


def test_a_check_may_want_to_see_how_a_file_is_refused(tmp_path):
    file = tmp_path / "test_90_refused.py"
    file.write_text(REFUSALS, "utf-8")
    error = Error(type="ValueError", message="no such model", line=7)
    dag = DagFacts(dag_id="x", next_runs=[], catchup=False, tags=[], params={}, tasks=[])
    transcripts = {
        "refused": Transcript(scenario="refused", import_error=error),
        "loads": Transcript(scenario="loads", dag_ids=["x"], dag=dag),
        "empty": Transcript(scenario="empty"),
        "hangs": Transcript(
            scenario="hangs", breach=Breach(limit="seconds", detail="30 s", phase="load")
        ),
    }
    observations = {
        ("90_refused", name): Observation(Scenario(name=name), transcript, "x")
        for name, transcript in transcripts.items()
    }
    plugin = Judge(lambda slugs: observations)

    def run() -> Verdicts:
        pytest.main([*PYTEST_ARGUMENTS, str(file)], plugins=[plugin])
        return Verdicts([(s, c, verdict) for (s, c), verdict in plugin.verdicts.items()])

    verdicts = {name: verdict for _, name, verdict in apart.run(run, Verdicts).root}
    assert verdicts["it_is_refused"].status == "passed"
    assert "ValueError: no such model" in verdicts["it_runs"].message
    assert verdicts["it_makes_nothing"].status == "passed"
    assert "found no DAG" in verdicts["it_makes_something"].message
    assert "did not come back" in verdicts["it_comes_back"].message


def test_a_missing_verdict_is_the_graders_fault():
    record = make_record(ROOT / "solutions", [PART], {}, seed=0)
    assert {c.status for c in record.parts[0].checks} == {"error"}
    assert (record.points, record.exit_code) == (0, 4)
