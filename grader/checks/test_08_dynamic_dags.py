"""Hidden checks of part 08: DAGs that are made from a list, and what a wrong list does to them.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re

from grader.judge import NotChecked, Observe, check, expect
from grader.judge.view import moment, names

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_08_dynamic_dags import (  # noqa: F401  # isort: skip
    another_list, a_training_runs_away, the_only_training_runs_away, some_teams, wrong_lists,
    a_list_that_is_no_yaml, an_empty_list, twelve_models_and_two_teams,
    the_same_list_on_another_day,
)  # fmt: skip
from grader.checks.inputs_08_dynamic_dags import (
    FACTORY,
    LIST,
    best,
    broken_lines,
    id_of,
    lists,
    results,
    wrong,
)
from grader.checks.words_08_dynamic_dags import (
    DEPLOY,
    YAML,
    found_trainings,
    how_many,
    in_service,
    left_behind,
    likely_mistake,
    loaded,
    mistake_in,
    must_train_its_list,
    not_over,
    refusal,
    run_of,
    scoreboard,
    shown,
    trained_while_loading,
    what_it_did,
    wrong_trainings,
)

# --- 1. Read the list ---


@check(task=1)
def test_a_broken_list_says_where(observe: Observe) -> None:
    """A list that is no YAML is an import error, which names the file and the line."""
    story = "a list that is no YAML"
    error = refusal(observe, story, "The list was no YAML.")
    given = observe(story, may_fail=True).scenario
    lines = broken_lines(given)
    text = (given.files[LIST] or "").splitlines()[min(lines) - 1].strip()
    happened = (
        f"Line {min(lines)} of the list was {text!r}, which is no YAML. Loading the file raised "
        f"{shown(error)}"
    )
    expect(
        YAML in error.message,
        happened=happened,
        expected=f"The error names `{YAML}`: people see the error, and not your code. YAML says "
        "which file it is if it gets the open file, and not the text that was in it.",
        at=error,
    )
    expect(
        any(re.search(rf"\bline {line}\b", error.message) for line in lines),
        happened=happened,
        expected=f"The error says `line {min(lines)}`. The text of YAML's own error does.",
        at=error,
    )


@check(task=1)
def test_an_empty_list_is_refused(observe: Observe) -> None:
    """A list in which there is no `models` is an import error, which names the file."""
    what = "The list had been cut off, so there was no `models` in it."
    error = refusal(observe, "an empty list", what)
    expect(
        YAML in error.message,
        happened=f"{what} Loading the file raised {shown(error)}",
        expected=f"An error that names `{YAML}` and says what is missing in it. `shape_problem` "
        "has the sentence. Who reads the error has not seen your code.",
        at=error,
    )


# --- 2. Make a task for each model ---


@check(task=2)
def test_each_model_has_a_task(observe: Observe) -> None:
    """Each model of the list has a task of its own, however long the list is."""
    for story in ("another list", "the only training runs away"):
        given = observe(story, may_fail=True).scenario
        name = lists(given)[FACTORY][0]["name"]
        seen = loaded(
            observe,
            story,
            f"The list begins with a model named {name!r}.",
            "A name is for people and may have spaces and brackets. A task id may not: `id_of` "
            "makes an id of a name.",
        )
        must_train_its_list(seen, FACTORY, "The list decides which there are.")


@check(task=2, requires=test_each_model_has_a_task)
def test_loading_the_file_trains_nothing(observe: Observe) -> None:
    """Loading the file costs nothing: no training, no network, nothing written."""
    seen = observe("another list")
    slept, trained = seen.transcript.loading.slept, trained_while_loading(seen)
    did = [f"slept for {slept:.0f} seconds"] if trained else []
    did += [f"`{what}`" for what in left_behind(seen)[:3]]
    called = " `train_model` sleeps, so it was called." if trained else ""
    expect(
        not did,
        happened=f"Airflow loaded the file, and no run had begun. Loading did this: "
        f"{', '.join(did)}.{called}",
        expected="Loading reads the list, and nothing else. Airflow does it every 30 seconds, and "
        "again for each task that runs. All else belongs into the body of a task.",
    )


@check(task=2, requires=test_each_model_has_a_task)
def test_each_task_trains_its_own_model(observe: Observe) -> None:
    """Each task trains the model that it is named after."""
    seen = observe("another list")
    right = results(seen.scenario)
    tasks = {name: run_of(seen).task(f"train_{id_of(name)}") for name in right}
    for task in tasks.values():
        task.must_be_done(2)
    trained = {name: task.field("model") for name, task in tasks.items()}
    last = list(right)[-1]
    late = (
        f" {last} is the last one of the list. A function looks up a name when it runs, and by "
        "then the loop is over."
    )
    returned = ", ".join(
        f"`{tasks[name].task_id}` trained {what}" for name, what in trained.items()
    )
    expect(
        all(trained[name] == name for name in right),
        happened=f"{returned}.{late if set(map(str, trained.values())) == {last} else ''}",
        expected="Each its own. Hand the model over as an argument of the task: an argument is "
        "kept as it was when the task was made.",
        at=tasks[last].facts,
    )
    for name, task in tasks.items():
        expect(
            task.field("score") == right[name],
            happened=f"`{task.task_id}` returned {task.xcom()!r}.",
            expected=f"The result of `train_model`, with a score of {right[name]}.",
            at=task,
        )


# --- 3. Deploy the best model ---


@check(task=3, requires=test_each_task_trains_its_own_model)
def test_the_best_is_deployed(observe: Observe) -> None:
    """The model with the highest score is put into service."""
    seen = observe("another list")
    task, scores, found = run_of(seen).task(DEPLOY), results(seen.scenario), in_service(seen)
    task.must_be_done(3)
    expect(
        task.state == "success" and found is not None,
        happened=f"{scoreboard(scores)} In service is {found or 'nothing'}. {what_it_did(task)}",
        expected=f"`{DEPLOY}` gets the results as a list, and hands the best one to "
        "`put_into_service`.",
        at=task,
    )
    (wanted,) = best(seen.scenario)
    expect(
        found == wanted,
        happened=f"{scoreboard(scores)} In service is {found}. {likely_mistake(found, scores)}",
        expected=f"{wanted} is in service: it has the highest score.",
        at=task,
    )


@check(task=3, requires=test_the_best_is_deployed)
def test_a_failed_training_stops_no_other_model(observe: Observe) -> None:
    """When a training has failed for good, the best of the other models is deployed."""
    seen = observe("a training runs away")
    run, scores = run_of(seen), results(seen.scenario)
    tasks = {name: run.task(f"train_{id_of(name)}") for name in scores}
    (failing,) = (task for name, task in tasks.items() if scores[name] is None)
    task, found = run.task(DEPLOY), in_service(seen)
    expect(
        failing.state == "failed",
        happened=f"{scoreboard(scores)} `{failing.task_id}` ended as {failing.state}.",
        expected="It fails. A training that ran away has no result, and nobody looks at what is "
        "green.",
        at=failing,
    )
    rule = task.facts.trigger_rule
    if task.ran:
        advice = "What it gets from a failed task is None; leave those out."
    else:
        advice = (
            f"With `{rule}`, one failure before it is enough to keep it from running; the table in "
            "section 3 has another trigger rule."
        )
    expect(
        task.state == "success",
        happened=f"{scoreboard(scores)} {what_it_did(task)}",
        expected=f"`{DEPLOY}` deploys the best of the others. {advice}",
        at=task,
    )
    early = not_over(list(tasks.values()), task)
    expect(
        not early,
        happened=f"`{DEPLOY}` began before the last try of {names(early)}.",
        expected="It waits until each training has succeeded or has failed for good. Its trigger "
        f"rule decides for what it waits. Here it is `{rule}`.",
        at=task,
    )
    expect(
        found in best(seen.scenario),
        happened=f"{scoreboard(scores)} In service is {found}.",
        expected=f"{' or '.join(best(seen.scenario))} is, which has the highest score.",
        at=task,
    )


@check(task=3, requires=test_a_failed_training_stops_no_other_model)
def test_the_first_of_equals_is_deployed(observe: Observe) -> None:
    """Of equally good models, the one that stands first in the list is deployed."""
    seen = observe("a training runs away")
    wanted, found = best(seen.scenario)[0], in_service(seen)
    expect(
        found == wanted,
        happened=f"{scoreboard(results(seen.scenario))} In service is {found}.",
        expected=f"{wanted} is: of equals, the one that stands first in the list.",
        at=run_of(seen).task(DEPLOY),
    )


@check(task=3, requires=test_the_best_is_deployed)
def test_nothing_is_deployed_when_all_have_failed(observe: Observe) -> None:
    """When no training has succeeded, nothing is deployed and the run has failed."""
    seen = observe("the only training runs away")
    run, found = run_of(seen), in_service(seen)
    task, what = run.task(DEPLOY), "The list had one model, and its training ran away."
    expect(
        found is None,
        happened=f"{what} In service is {found}.",
        expected="No other one than before.",
        at=task,
    )
    expect(
        task.state != "success" and run.state == "failed",
        happened=f"{what} `{DEPLOY}` ended as {task.state}, and the run as {run.state}.",
        expected="Both have failed. Airflow judges a run by the tasks after which none comes, so "
        f"when there is nothing to deploy, `{DEPLOY}` raises an error.",
        at=task,
    )


# --- 4. Make a DAG for each team ---


@check(task=4, requires=test_each_model_has_a_task)
def test_each_team_has_a_dag(observe: Observe) -> None:
    """Each team of the list has a DAG of its own, beside the one for everybody."""
    line = None  # where the id of the DAG for everybody is written down
    for story in ("another list", "some teams", "twelve models and two teams"):
        given = observe(story, may_fail=True).scenario
        wanted = lists(given)
        teams = how_many(len(wanted) - 1, "team")
        seen = loaded(
            observe,
            story,
            f"The list has {teams}, and so {how_many(len(wanted), 'DAG')} should be there.",
            f"Each DAG has an id of its own: `{FACTORY}` for everybody, `{FACTORY}_` with the id "
            "of the team for a team. `id_of` makes an id of a name.",
            line,
        )
        expect(
            sorted(seen.dags) == sorted(wanted),
            happened=f"The list has {teams}. The DAGs of the file: {names(list(seen.dags))}.",
            expected=f"{names(list(wanted))}: one for everybody, and one for each team.",
        )
        line = seen.dag.line


@check(task=4, requires=test_each_team_has_a_dag)
def test_the_clock_changes_no_dag(observe: Observe) -> None:
    """Loaded on another day, the file makes the same DAGs, which run at 03:00 each night."""
    seen = [observe(s) for s in ("twelve models and two teams", "the same list on another day")]
    days = [f"{one.scenario.start:%Y-%m-%d %H:%M}" for one in seen]
    for dag_id, dag in seen[0].dags.items():
        facts = [one.dag_named(dag_id).data for one in seen]
        starts = [
            f"{moment(f.start_date):%Y-%m-%d %H:%M:%S}" if f.start_date else "" for f in facts
        ]
        expect(
            all(starts),
            happened=f"`{dag_id}` has no `start_date`.",
            expected="A fixed day, on which it may run for the first time.",
            at=dag,
        )
        expect(
            starts[0] == starts[1],
            happened=f"Loaded at {days[0]}, `{dag_id}` had the `start_date` {starts[0]}. Loaded at "
            f"{days[1]}, it had {starts[1]}.",
            expected="The same one. Airflow loads the file every 30 seconds, and what is made from "
            "the clock is another thing each time.",
            at=dag,
        )
        first, second = (f.model_dump(exclude={"next_runs"}) for f in facts)
        changed = [key for key, value in first.items() if value != second[key]]
        expect(
            not changed,
            happened=f"`{dag_id}` was not the same when loaded at {days[0]} and at {days[1]}. What "
            f"differed: {names(changed)}.",
            expected="The same DAG from the same list.",
            at=dag,
        )
        runs = [f"{run:%Y-%m-%d %H:%M}" for run in dag.next_runs]
        expect(
            len(runs) == 3 and all(run.endswith("03:00") for run in runs),
            happened=f"`{dag_id}` is to run at: {', '.join(runs) or 'no time'}.",
            expected="At 03:00 each night.",
            at=dag,
        )


@check(task=4, requires=(test_each_team_has_a_dag, test_each_task_trains_its_own_model))
def test_each_team_trains_its_own_list(observe: Observe) -> None:
    """The DAG of a team trains the models of its own list, with the settings that stand there."""
    for story in ("some teams", "twelve models and two teams"):
        seen = observe(story)
        for dag_id in lists(seen.scenario):
            must_train_its_list(seen, dag_id, "Each DAG is made from its own list.")
    seen = observe("some teams")
    dag_id = str(seen.scenario.runs[0].dag_id)
    for name, score in results(seen.scenario, dag_id).items():
        task = run_of(seen, dag_id).task(f"train_{id_of(name)}")
        wanted = {"model": name, "score": score}
        expect(
            task.xcom() == wanted,
            happened=f"`{task.task_id}` of `{dag_id}` returned {task.xcom()!r}.",
            expected=f"{wanted!r}: it is trained as the list of this team says.",
            at=task,
        )


# --- 5. Refuse a list that is wrong ---


@check(task=5, requires=test_each_team_has_a_dag)
def test_a_wrong_list_harms_no_other_one(observe: Observe) -> None:
    """When some of the lists are wrong, the DAGs of the others are as they should be."""
    story, before = "wrong lists", observe("some teams")
    if any(wrong_trainings(before, dag_id) for dag_id in lists(before.scenario)):
        raise NotChecked("not checked because section 4 comes first")
    bad = wrong(observe(story, may_fail=True).scenario)
    what = f"The lists of {names(list(bad))} were wrong."
    seen = loaded(
        observe,
        story,
        what,
        "Another team has done nothing wrong, and an import error takes away its DAG too. Ask "
        "`problems_of` about a list before you make its trainings.",
    )
    for dag_id in lists(seen.scenario):
        if dag_id not in bad:
            expect(
                dag_id in seen.dags,
                happened=f"{what} The DAGs of the file: {names(list(seen.dags))}.",
                expected=f"`{dag_id}` is there, whose list is right.",
            )
            must_train_its_list(seen, dag_id, f"That list is right. {what}")


@check(task=5, requires=test_a_wrong_list_harms_no_other_one)
def test_a_wrong_list_is_a_dag_that_fails(observe: Observe) -> None:
    """The DAG of a wrong list is still there; its run fails, and trains and deploys nothing."""
    seen = observe("wrong lists")
    for dag_id, words in wrong(seen.scenario).items():
        what = mistake_in(dag_id, words)
        expect(
            dag_id in seen.dags,
            happened=f"{what} The DAGs of the file: {names(list(seen.dags))}.",
            expected=f"`{dag_id}` is there too. A DAG that is gone does not fail, so nobody hears "
            "of it.",
        )
        run, found = run_of(seen, dag_id), in_service(seen, dag_id)
        trained = [task_id for task_id in found_trainings(run.dag) if task_id in run.ran]
        half = " The best of half a list looks like the best of the list, night after night."
        expect(
            not trained and found is None,
            happened=f"{what} All the same its run started {names(trained)}"
            f"{f', and in service is {found}' * bool(found)}.",
            expected="No training at all: the DAG of a wrong list has one task, which fails. So "
            f"`return` before the trainings are made.{half * bool(found)}",
            at=run.dag,
        )
        expect(
            run.state == "failed",
            happened=f"{what} Its run ended as {run.state}. Its tasks: {names(run.dag.task_ids)}.",
            expected="The run fails, because a task in it raises an error.",
            at=run.dag,
        )


@check(task=5, requires=test_a_wrong_list_is_a_dag_that_fails)
def test_the_error_says_what_is_wrong(observe: Observe) -> None:
    """That run fails at the first try, and its error says what is wrong with which model."""
    seen = observe("wrong lists")
    for dag_id, words in wrong(seen.scenario).items():
        tries = [one for one in run_of(seen, dag_id).data.tries if one.error is not None]
        error = tries[-1].error if tries else None
        said = error.message if error else ""
        missing = [word for word in words if word not in said.lower()]
        expect(
            not missing,
            happened=f"{mistake_in(dag_id, words)} Its run failed, and the error says {said!r}.",
            expected=f"The error names {names(missing)}. `problems_of` has the sentences. Who is "
            "called at night reads the error first.",
            at=error,
        )
        for one in tries:
            expect(
                one.number == 1,
                happened=f"{mistake_in(dag_id, words)} `{one.task_id}` failed, and was tried again "
                "on the same list.",
                expected="One try. After an `AirflowFailException` there is no other.",
                at=one.error,
            )
