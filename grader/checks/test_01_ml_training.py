"""Hidden checks of part 01: a model is trained each night and deployed only if it is good enough.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from grader.judge import NotChecked, NotPassed, Observe, check, expect
from grader.judge.view import TaskView, names, times

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_01_ml_training import (  # noqa: F401  # isort: skip
    good_data, on_the_threshold, below_the_threshold, hopeless_data, bad_download,
    before_the_first_day,
)  # fmt: skip
from grader.checks.inputs_01_ml_training import DATA, DAY, accuracies, clean_rows_of, rows_of
from grader.checks.words_01_ml_training import (
    comes_first,
    entry,
    has_number,
    judged,
    must_have_started,
    near,
    number,
    raised,
    step,
    takes_the_verdict,
)

ORDER = (
    "download_dataset", "preprocess_data", "train_model",
    "evaluate_model", "deploy_model", "send_notification",
)  # fmt: skip
WEAK = ("hopeless data", "just below the threshold")
URL = "https://api.example.com/model/v1"
TAGS = ["ml", "production", "training"]
GB, MB = (1e9, 2.0**30), (1e6, 2.0**20)


# --- 1. Schedule the pipeline ---


@check(task=1)
def test_it_runs_every_night_at_two(observe: Observe) -> None:
    """The DAG runs every night at 02:00 UTC."""
    dag = observe("good data").dag
    runs = [when.astimezone(UTC) for when in dag.next_runs]
    soon = ", ".join(f"{when:%a %Y-%m-%d %H:%M}" for when in runs)
    expect(
        bool(runs),
        happened="The DAG has no schedule: it would never start by itself.",
        expected="It runs every night at 02:00 UTC.",
        at=dag,
    )
    times = {(when.hour, when.minute) for when in runs}
    why = ""
    if times == {(0, 2)}:
        why = " That is two past midnight: a cron text starts with the minute."
    elif any(b - a == timedelta(minutes=1) for a, b in pairwise(runs)):
        why = " A star in the first field means each minute."
    expect(
        times == {(2, 0)} and all(b - a == DAY for a, b in pairwise(runs)),
        happened=f"The next runs (UTC) are {soon}.{why}",
        expected="One run every night at 02:00 UTC.",
        at=dag,
    )


@check(task=1, requires=test_it_runs_every_night_at_two)
def test_the_first_night_is_the_first_of_2024(observe: Observe) -> None:
    """The first night is that of 1 January 2024."""
    dag = observe("before the first day").dag
    start = dag.data.start_date
    first = dag.next_runs[0].astimezone(UTC) if dag.next_runs else None
    wanted = datetime(2024, 1, 1, 2, tzinfo=UTC)
    # A timetable of data intervals starts its first run when its first day is over.
    late = first == wanted + DAY and (start or "").startswith("2024-01-01")
    expect(
        first == wanted or late,
        happened=f"Loaded in December 2023, the first run would be at {first} (start date: "
        f"{start}).",
        expected=f"The first run is at {wanted}: the DAG starts on 1 January 2024, a fixed day.",
        at=dag,
    )


@check(task=1, requires=test_it_runs_every_night_at_two)
def test_missed_nights_are_not_made_up_for(observe: Observe) -> None:
    """Switched on later, the DAG does not run for all the nights since 2024."""
    seen = observe("good data")
    today, first = seen.scenario.start, seen.dag.next_runs[0]
    expect(
        first >= today - DAY,
        happened=f"Switched on on {today:%Y-%m-%d}, the next run would be the one of "
        f"{first:%Y-%m-%d %H:%M}, and then each night since: {(today - first).days} runs at once.",
        expected="Nights that are over are left alone; the next run is that of the coming night.",
        at=seen.dag,
    )


@check(task=1)
def test_it_can_be_found_by_its_tags(observe: Observe) -> None:
    """The DAG has the tags ml, training and production."""
    dag = observe("good data").dag
    tags, why = dag.data.tags, ""
    if tags and all(len(tag) == 1 for tag in tags):
        why = " You gave one text, which falls into letters. Tags are a list."
    elif len(tags) == 1 and all(tag in tags[0] for tag in TAGS):
        why = " That is one tag; each of the three is a text of its own in the list."
    expect(
        set(tags) == set(TAGS),
        happened=f"The tags of the DAG: {names(tags)}.{why}",
        expected=f"The tags {names(TAGS)}.",
        at=dag,
    )


# --- 2. Let failed tasks try again ---


def first_failed(observe: Observe) -> TaskView:
    """The task at which the bad download came to light."""
    try:
        run = observe("bad download").run
    except NotPassed as error:
        raise NotChecked(f"not checked because there is no run: {error.happened}") from None
    must_have_started(run)
    failed = [name for name in run.ran if run.states.get(name) == "failed"]
    expect(
        bool(failed),
        happened="The export was an empty file, and yet no task failed.",
        expected="A task that cannot do its work lets the error out; Airflow has to see it.",
        at=run.dag,
    )
    return run.task(failed[0])


@check(task=2)
def test_a_failed_task_is_tried_three_times(observe: Observe) -> None:
    """A task that fails is tried three times in all."""
    task, dag = first_failed(observe), observe("bad download").dag
    others = [t.task_id for t in dag.data.tasks if t.retries and t.task_id != task.task_id]
    why = f" Retries are set for {names(others)} only." if others and len(task.tries) == 1 else ""
    broke = f"The export was an empty file, and `{task.task_id}` raised {raised(task)}. It was"
    if task.error is not None and task.error.type == "NotImplementedError":
        broke = f"`{task.task_id}` (its body is still open) was"
    expect(
        len(task.tries) == 3,
        happened=f"{broke} tried {times(len(task.tries))}, then the run failed.{why}",
        expected="Three tries: the first, and two retries. `retries` counts only the ones after "
        "the first. That holds for every task of the DAG.",
        at=dag,
    )


@check(task=2, requires=test_a_failed_task_is_tried_three_times)
def test_a_minute_lies_between_two_tries(observe: Observe) -> None:
    """Between two tries there is one minute."""
    task = first_failed(observe)
    seconds = [gap / timedelta(seconds=1) for gap in task.gaps]
    shown = " and ".join(f"{gap:.0f} s" for gap in seconds)
    unset = " 300 s is what holds when nothing is set; is the key `retry_delay`?"
    why = unset if all(abs(gap - 300) <= 5 for gap in seconds) else ""
    expect(
        all(abs(gap - 60) <= 5 for gap in seconds),
        happened=f"Between the tries of `{task.task_id}` lay {shown}.{why}",
        expected="One minute (60 s) each time.",
        at=observe("bad download").dag,
    )


@check(task=2)
def test_every_task_belongs_to_the_data_team(observe: Observe) -> None:
    """Every task belongs to data-team."""
    dag = observe("good data").dag
    others = [task for task in dag.data.tasks if task.owner != "data-team"]
    owners = ", ".join(sorted({repr(task.owner) for task in others}))
    expect(
        not others,
        happened=f"The owner of {names([task.task_id for task in others])} is {owners}.",
        expected="The owner of every task is 'data-team', so that people know whom to call.",
        at=dag,
    )


# --- 3. Put the tasks in order ---


@check(task=3)
def test_every_task_waits_for_the_one_before(observe: Observe) -> None:
    """Each of the six tasks waits for the one before it."""
    seen = observe("good data")
    dag = seen.dag
    missing = [task_id for task_id in ORDER if task_id not in dag.task_ids]
    told = "The DAG has no task" if len(missing) == 1 else "These tasks are missing:"
    expect(
        not missing,
        happened=f"{told} {names(missing)}. The tasks of the DAG: {names(dag.task_ids)}.",
        expected="All six functions are called, with parentheses: a call puts a task in the DAG.",
        at=dag,
    )
    paths = dag.paths
    for first, then in pairwise(ORDER):
        turned = f"`{first}` waits for `{then}`: the order is turned around."
        apart = f"`{then}` does not wait for `{first}`."
        expect(
            (first, then) in paths,
            happened=turned if (then, first) in paths else apart,
            expected=f"`{then}` runs after `{first}`, and only if it succeeded. Handing over a "
            "value says so; where no value is handed over, the order has to be said.",
            at=dag.task(then),
        )
    for run in seen.runs:
        verdict = run.task("evaluate_model").xcoms.get("return_value")
        expect(
            not takes_the_verdict(run),
            happened=f"`deploy_model` is given what `evaluate_model` returned ({verdict!r}), but "
            "it needs the dict of `train_model`.",
            expected="Hand it what `train_model` returned, the `model`, and say the order with "
            "`>>`.",
            at=dag.task("deploy_model"),
        )


@check(task=3)
def test_loading_the_file_does_no_work(observe: Observe) -> None:
    """Loading the file does no work: the data is read only when a task runs."""
    dag = observe("good data").dag
    if not set(ORDER) <= set(dag.task_ids):
        raise NotChecked("not checked because the six tasks come first")
    rule = "Only the body of a task works. Airflow loads the file again and again."
    try:
        observe("bad download").dag.task_ids  # noqa: B018
    except NotPassed as error:
        raise NotPassed(
            "With an empty export Airflow cannot even load the file, because it reads the data "
            f"while loading. {error.happened}",
            rule,
            line=error.line,
        ) from None
    written = [f.path for f in observe("before the first day").transcript.files if f.size]
    happened = f"No task had run yet, and loading the file had already written {names(written)}."
    expect(not written, happened=happened, expected=rule, at=dag)


# --- 4. Hand the data on ---


@check(task=4)
def test_the_download_is_counted(observe: Observe) -> None:
    """`download_dataset` returns the size and the number of rows of the file it got."""
    seen = observe("good data")
    task = step(seen.run, "download_dataset")
    rows, clean = len(rows_of(seen.scenario)), len(clean_rows_of(seen.scenario))
    count = number(task, 4, "num_samples")
    why = {
        rows + 1: " The header is no customer.",
        clean: " Cleaning comes later: here all rows count, dirty ones too.",
    }.get(count, "")
    expect(
        count == rows,
        happened=f"The export had {rows} rows; `num_samples` is {count}.{why}",
        expected=f"`num_samples` is {rows}, counted in this run's file.",
        at=task,
    )
    size = len((seen.scenario.files[DATA] or "").encode())
    value = number(task, 4, "dataset_size_gb")
    expect(
        near(value, size, GB),
        happened=f"The export had {size} bytes; `dataset_size_gb` is {value}.",
        expected=f"`dataset_size_gb` is {size / 1e9:.4g}: the bytes of the file in gigabytes.",
        at=task,
    )


@check(task=4, requires=test_the_download_is_counted)
def test_the_clean_rows_are_counted(observe: Observe) -> None:
    """`preprocess_data` returns the number of clean rows and the share for validation."""
    seen = observe("good data")
    task = step(seen.run, "preprocess_data")
    rows, clean = len(rows_of(seen.scenario)), len(clean_rows_of(seen.scenario))
    count = number(task, 4, "processed_samples")
    why = " That is all of them, the dirty ones too." if count == rows else ""
    expect(
        count == clean,
        happened=f"Of {rows} rows {clean} are clean; `processed_samples` is {count}.{why}",
        expected=f"`processed_samples` is {clean}, the rows that cleaning left.",
        at=task,
    )
    share = number(task, 4, "validation_split")
    expect(
        abs(share - 0.2) < 1e-9,
        happened=f"`validation_split` is {share}.",
        expected="`validation_split` is 0.2: each fifth row is for validation.",
        at=task,
    )


# --- 5. Train the model ---


@check(task=5)
def test_the_accuracy_is_that_of_the_validation_rows(observe: Observe) -> None:
    """`train_model` returns the accuracy on the validation rows."""
    seen = observe("good data")
    task = step(seen.run, "train_model")
    comes_first(observe, test_the_clean_rows_are_counted)
    wanted, training, overall = accuracies(seen.scenario)
    value = number(task, 5, "accuracy")
    why = ""
    if abs(value - training) < 0.001:
        why = " That is what it reaches on the rows it was trained on."
    elif abs(value - overall) < 0.001:
        why = " That is what it reaches on all rows, most of which it was trained on."
    expect(
        abs(value - wanted) < 0.0051,
        happened=f"The model is right for {wanted:.4f} of the validation rows; `accuracy` is "
        f"{value}.{why}",
        expected=f"Fitted on the training rows and measured on the others: {wanted:.4f}.",
        at=task,
    )


@check(task=5, requires=test_the_accuracy_is_that_of_the_validation_rows)
def test_the_model_size_is_that_of_its_file(observe: Observe) -> None:
    """`train_model` returns the size of the file that holds the model."""
    seen = observe("good data")
    task = seen.run.task("train_model")
    value = number(task, 5, "model_size_mb")
    sizes = [f.size for f in seen.transcript.files if f.path.endswith("model.json")]
    expect(
        bool(sizes),
        happened="No file `model.json` was written.",
        expected="`train_model` saves the model in the folder of the run.",
        at=task,
    )
    expect(
        any(near(value, size, MB) for size in sizes),
        happened=f"The saved model has {sizes[0]} bytes; `model_size_mb` is {value}.",
        expected=f"`model_size_mb` is {sizes[0] / 1e6:.4g}: the bytes of the file in megabytes.",
        at=task,
    )


# --- 6. Stop a weak model ---


@check(task=6)
def test_a_good_model_passes(observe: Observe) -> None:
    """A model with an accuracy of 0.88 or more passes; 0.88 itself is enough."""
    step(observe("good data").run, "evaluate_model")
    comes_first(observe, test_the_accuracy_is_that_of_the_validation_rows)
    for task, words, _ in judged(observe, "good data", "exactly on the threshold"):
        task.must_be_done(6)
        why = f" with {raised(task)}" if task.error else ""
        expect(
            task.state == "success",
            happened=f"{words}{why or '.'}",
            expected="From 0.88 on, 0.88 included, a model passes.",
            at=task,
        )


@check(task=6, requires=(test_a_good_model_passes, test_a_failed_task_is_tried_three_times))
def test_a_weak_model_fails_three_times(observe: Observe) -> None:
    """A model below 0.88 raises ValueError and is tried three times."""
    for task, words, accuracy in judged(observe, *WEAK):
        well = " To Airflow all is well, whatever the log says." if task.state == "success" else ""
        expect(
            task.state == "failed",
            happened=f"{words}.{well}",
            expected="Below 0.88 `evaluate_model` fails: it raises `ValueError`.",
            at=task,
        )
        kind = task.error.type if task.error else "nothing"
        final = " That exception tells Airflow not to try again." if "FailExc" in kind else ""
        expect(
            len(task.tries) == 3,
            happened=f"`evaluate_model` raised {raised(task)} (number of tries: "
            f"{len(task.tries)}).{final}",
            expected="It is tried three times, like every task of this DAG.",
            at=task,
        )
        expect(
            kind == "ValueError",
            happened=f"The accuracy was {accuracy:.4g}, and `evaluate_model` raised {raised(task)}",
            expected="It raises `ValueError`, with the accuracy in the text.",
            at=task,
        )
        expect(
            task.error is not None and has_number(task.error.message, accuracy),
            happened=f"The accuracy was {accuracy:.4g}, and `evaluate_model` raised {raised(task)}",
            expected="The accuracy is in the text of the `ValueError`: it is what people look for.",
            at=task,
        )


@check(
    task=6,
    requires=(test_a_weak_model_fails_three_times, test_every_task_waits_for_the_one_before),
)
def test_a_weak_model_is_never_deployed(observe: Observe) -> None:
    """After a weak model nothing runs: it is not deployed, and nobody is told it was."""
    for name in WEAK:
        run = observe(name).run
        for task in (run.task("deploy_model"), run.task("send_notification")):
            rule = task.facts.trigger_rule
            why = f" Its trigger rule is `{rule}`." if rule != "all_success" else ""
            expect(
                not task.ran,
                happened=f"`evaluate_model` had failed, and yet `{task.task_id}` ran and ended as "
                f"{task.state}.{why}",
                expected="Nothing after `evaluate_model` runs when it failed.",
                at=task,
            )


# --- 7. Deploy and tell the team ---


@check(task=7)
def test_the_model_is_in_production(observe: Observe) -> None:
    """`deploy_model` copies the model into the production folder and returns its URL."""
    seen = observe("good data")
    task = step(seen.run, "deploy_model")
    comes_first(observe, test_a_good_model_passes)
    if takes_the_verdict(seen.run):
        comes_first(observe, test_every_task_waits_for_the_one_before)
    url = entry(task, 7, "deployment_url")
    expect(
        url == URL,
        happened=f"`deploy_model` returned {url!r} as `deployment_url`.",
        expected=f"It returns {URL!r}.",
        at=task,
    )
    files = seen.transcript.files
    there = [f for f in files if "production" in f.path.split("/")[:-1]]
    saved = {f.text for f in files if f not in there and f.path.endswith("model.json")}
    what = f"only {names([f.path for f in there])}, which is not it" if there else "no file"
    expect(
        any(file.text in saved for file in there),
        happened="The model was saved by `train_model`, but after the run the production folder "
        f"held {what}.",
        expected="It holds a copy of the model file that `train_model` saved.",
        at=task,
    )


@check(task=7, requires=test_the_model_is_in_production)
def test_the_team_is_told(observe: Observe) -> None:
    """`send_notification` is a shell command that says the pipeline completed successfully."""
    task = step(observe("good data").run, "send_notification")
    task.must_be_done(7)
    expect(
        "bash" in task.facts.operator.lower(),
        happened="`send_notification` is a Python task: the text that it returned was run by "
        "no shell.",
        expected="It is a bash task: the function returns a command, and Airflow runs that.",
        at=task,
    )
    expect(
        task.state == "success" or task.error is None or "127" not in task.error.message,
        happened="The shell did not find the command (exit code 127): the first word that "
        "`send_notification` returned is no program.",
        expected="It returns a command that prints the text.",
        at=task,
    )
    last = task.xcom()
    # Of what a command printed only the last line is kept; the lines before are in the command.
    rendered = task.tries[-1].rendered.get("bash_command")
    command = str(rendered.json_value) if rendered is not None and rendered.is_json else ""
    text = f"{last} {command if re.search(r'echo|printf', command) else ''}"
    expect(
        "completed successfully" in text.lower() and URL in text,
        happened=f"`send_notification` printed {last!r}.",
        expected=f"It says that the pipeline `completed successfully`, and where: {URL}.",
        at=task,
    )
