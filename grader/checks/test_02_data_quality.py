"""Hidden checks of part 02: a delivery of usage events is let through, refused or sent for again.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from grader.judge import NotChecked, Observe, check, expect
from grader.judge.view import names

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_02_data_quality import (  # noqa: F401  # isort: skip
    a_good_delivery, a_delivery_grows_old, many_records_are_missing, exactly_95_percent_arrived,
    text_among_the_numbers, many_empty_cells, many_records_sent_twice, many_outliers,
)  # fmt: skip
from grader.checks.inputs_02_data_quality import (
    DIRTY,
    METRICS,
    age_in_words,
    arrived,
    dirt,
    malformed,
)
from grader.checks.words_02_data_quality import (
    CHECKS,
    ORDER,
    must_be_called_once,
    must_choose,
    must_let_through,
    must_refuse,
    near,
    rounded,
    started,
)

YEAR_START = datetime(2024, 1, 1, tzinfo=UTC)


# --- 1. Schedule the pipeline ---


@check(task=1)
def test_it_runs_every_hour(observe: Observe) -> None:
    """It runs at every full hour from 2024-01-01 on and does not make up for missed hours."""
    dag = observe("a good delivery").dag
    runs, start = dag.next_runs, dag.data.start_date
    shown = ", ".join(f"{run:%Y-%m-%d %H:%M}" for run in runs)
    gaps = [b - a for a, b in pairwise(runs)]
    expect(
        gaps == [timedelta(hours=1)] * 2 and runs[0].minute == 0,
        happened=f"The next runs would be at {shown}." if runs else "It never runs on its own.",
        expected="It runs once an hour, at minute 0.",
        at=dag,
    )
    expect(
        start is not None and datetime.fromisoformat(start) == YEAR_START,
        happened=f"The schedule starts at {start}." if start else "There is no start date.",
        expected="It starts on 2024-01-01 at 00:00 UTC.",
        at=dag,
    )
    expect(
        not dag.data.catchup,
        happened="Catchup is on: whoever turns this DAG on starts one run for every hour since "
        f"2024-01-01; the first three are {shown}.",
        expected="Hours that were missed are not made up for.",
        at=dag,
    )


@check(task=1)
def test_people_can_find_it(observe: Observe) -> None:
    """It has the tags `data-quality` and `monitoring`, and its tasks belong to `data-team`."""
    dag = observe("a good delivery").dag
    missing = [tag for tag in ("data-quality", "monitoring") if tag not in dag.data.tags]
    expect(
        not missing,
        happened=f"Missing: {names(missing)}. The tags of the DAG: {names(dag.data.tags)}.",
        expected="The tags `data-quality` and `monitoring`.",
        at=dag,
    )
    for task in dag.data.tasks:
        expect(
            task.owner == "data-team",
            happened=f"`{task.task_id}` belongs to `{task.owner}`.",
            expected="Every task belongs to `data-team`. `default_args` sets it for all at once.",
            at=dag,
        )


@check(task=1)
def test_what_fails_is_tried_once_more(observe: Observe) -> None:
    """A task that fails is tried once more, five minutes later."""
    stories = ("many records are missing", "text among the numbers", "many empty cells")
    if not any("failed" in observe(story).run.states.values() for story in stories):
        raise NotChecked("No task failed in any run.")
    # One scenario after the other: a message names the one that was looked at last.
    runs = (observe(story).run for story in stories)
    for task in (run.task(t) for run in runs for t in run.ran if run.states.get(t) == "failed"):
        times = len(task.tries)
        said = "not tried again" if times == 1 else f"tried {times} times in all"
        expect(
            times == 2,
            happened=f"`{task.task_id}` failed and was {said}.",
            expected="After a failure there is one more try, for every task.",
            at=task.facts,
        )
        gap = task.gaps[0].total_seconds()
        expect(
            abs(gap - 300) < 10,
            happened=f"`{task.task_id}` was tried again after {gap:.0f} seconds.",
            expected="The second try comes five minutes (300 seconds) after the first: write "
            "`timedelta(minutes=5)`.",
            at=task.facts,
        )


# --- 2. Wire the tasks ---


@check(task=2)
def test_every_check_waits_for_the_one_before(observe: Observe) -> None:
    """Each task waits for the one before it, and stale data has a way of its own."""
    dag = observe("a good delivery").dag
    for task_id in dict.fromkeys(t for pair in ORDER for t in pair):
        dag.task(task_id)
    must_be_called_once(dag)
    found = dag.paths
    for before, after in ORDER:
        turned = f"`{before}` waits for `{after}`: the order is turned around."
        apart = f"Nothing tells `{after}` to wait for `{before}`."
        expect(
            (before, after) in found,
            happened=turned if (after, before) in found else apart,
            expected=f"`{after}` runs after `{before}`.",
            at=dag.task(after),
        )
    for task_id in (*CHECKS, "quality_check_passed"):
        expect(
            not {(task_id, "handle_stale_data"), ("handle_stale_data", task_id)} & found,
            happened=f"`handle_stale_data` and `{task_id}` stand on the same way: one of them "
            "waits for the other.",
            expected="After `check_data_freshness` the way parts in two: `handle_stale_data` on "
            "one side, all other checks on the other.",
            at=dag.task("handle_stale_data"),
        )


# --- 3. Branch on the age of the data ---


@check(task=3, requires=test_every_check_waits_for_the_one_before)
def test_fresh_data_goes_on_to_the_checks(observe: Observe) -> None:
    """Fresh data goes on to `check_data_completeness`."""
    seen = observe("a good delivery")
    branch, target = seen.run.task("check_data_freshness"), "check_data_completeness"
    branch.must_be_done(3)
    age = f"The newest event was {age_in_words(seen.scenario)} old"
    must_choose(branch, target, age)
    expect(
        seen.run.task(target).ran,
        happened=f"{age}, but `{target}` never ran; it was left as {seen.run.states[target]}.",
        expected=f"`check_data_freshness` returns the text {target!r}.",
        at=branch,
    )


@check(task=3, requires=test_fresh_data_goes_on_to_the_checks)
def test_stale_data_is_sent_for_again(observe: Observe) -> None:
    """Data that has become older than 24 hours goes to `handle_stale_data`."""
    seen = observe("a delivery grows old")
    run = seen.runs[2]
    branch, handler = run.task("check_data_freshness"), run.task("handle_stale_data")
    fresh, stale = age_in_words(seen.scenario, 0), age_in_words(seen.scenario, 2)
    age = f"The newest event was {stale} older than the logical date of the run"
    must_choose(branch, "handle_stale_data", age)
    expect(
        handler.ran,
        happened=f"{age}, but `handle_stale_data` never ran; it was left as {handler.state}. "
        f"The same file had been looked at before, when it was {fresh} old.",
        expected="`check_data_freshness` returns the text 'handle_stale_data'. The age is measured "
        "in the task, from `logical_date`: what stands outside a task is worked out once, when the "
        "file is loaded. Compare the whole difference with `MAX_AGE`: its `.seconds` leave out the "
        "days, and whole hours leave out the minutes.",
        at=branch,
    )
    handler.must_be_done(3)
    handler.must_have_succeeded()
    expect(
        "return_value" in handler.tries[-1].xcoms,
        happened="`handle_stale_data` returned nothing.",
        expected="It returns the text 'refresh_data_needed'. Printing is not returning.",
        at=handler,
    )
    expect(
        handler.xcom() == "refresh_data_needed",
        happened=f"`handle_stale_data` returned {handler.xcom()!r}.",
        expected="It returns 'refresh_data_needed'.",
        at=handler,
    )


@check(task=3, requires=test_stale_data_is_sent_for_again)
def test_the_way_not_taken_is_skipped(observe: Observe) -> None:
    """The way not taken is skipped, and skipping is no failure."""
    sides = [("fresh", "handle_stale_data"), *(("stale", task_id) for task_id in CHECKS)]
    for kind, task_id in sides:
        fresh = kind == "fresh"
        run = observe("a good delivery").run if fresh else observe("a delivery grows old").runs[2]
        task = run.task(task_id)
        left = "ran too" if task.ran else f"was left as {task.state}"
        expect(
            task.state == "skipped",
            happened=f"The data was {kind}, and `{task_id}` {left}.",
            expected=f"`{task_id}` is skipped. `check_data_freshness` has to be a branch task: "
            "after any other task, all that come next run, whatever it returns.",
            at=run.task("check_data_freshness"),
        )
    old = observe("a delivery grows old").runs[2]
    expect(
        old.state == "success",
        happened=f"The data was stale, it was sent for again, and the run ended as {old.state}.",
        expected="The run ends as success: noticing stale data is what it is for.",
        at=old.task("handle_stale_data"),
    )


@check(task=3, requires=test_the_way_not_taken_is_skipped)
def test_exactly_24_hours_is_fresh(observe: Observe) -> None:
    """Data that is exactly 24 hours old is still fresh."""
    run = observe("a delivery grows old").runs[1]
    expect(
        run.task("check_data_completeness").ran,
        happened="The newest event was exactly 24 h older than the logical date of the run, and "
        "that was taken for stale.",
        expected="Stale is what is *more* than 24 hours old. Either `>=` stands where `>` belongs, "
        "or you measure from the clock, which has moved on a little by the time a task runs: "
        "measure from `logical_date`.",
        at=run.task("check_data_freshness"),
    )


# --- 4. Stop incomplete and malformed deliveries ---


@check(task=4, requires=test_fresh_data_goes_on_to_the_checks)
def test_95_percent_has_to_be_there(observe: Observe) -> None:
    """A delivery with less than 95 % of its records is refused; exactly 95 % is enough."""
    good = observe("a good delivery")
    task = started(good, CHECKS[0])
    task.must_be_done(4)
    must_let_through(task, f"{arrived(good.scenario):.2%} of the announced records arrived")
    poor = observe("many records are missing")
    what = f"Only {arrived(poor.scenario):.2%} of the announced records arrived"
    must_refuse(poor.run, started(poor, CHECKS[0]), what)
    edge = started(observe("exactly 95 % arrived"), CHECKS[0])
    must_let_through(edge, "Exactly 95 % of the announced records arrived, which is just enough")


@check(task=4, requires=test_fresh_data_goes_on_to_the_checks)
def test_wrong_types_are_refused(observe: Observe) -> None:
    """A delivery with text in a column of numbers is refused."""
    task = started(observe("a good delivery"), CHECKS[1])
    task.must_be_done(4)
    must_let_through(task, "All columns had the right names and types")
    seen = observe("text among the numbers")
    what = f"A cell of `data_mb` was {malformed(seen.scenario)!r}"
    must_refuse(seen.run, started(seen, CHECKS[1]), what)


# --- 5. Measure the dirt and set a limit ---


@check(task=5, requires=test_fresh_data_goes_on_to_the_checks)
def test_the_dirt_is_measured_and_handed_on(observe: Observe) -> None:
    """The three shares of dirt are measured and returned, as fractions."""
    seen = observe("a good delivery")
    task = started(seen, CHECKS[2])
    task.must_be_done(5)
    planted = dirt(seen.scenario)
    shown = ", ".join(f"{name} {share:.4f}" for name, share in planted.items())
    must_let_through(task, f"No kind of dirt was above 5 % ({shown})")
    returned = task.xcom()
    for name, share in planted.items():
        expect(
            isinstance(returned, dict) and name in returned,
            happened=f"`{task.task_id}` returned {rounded(returned)!r}.",
            expected=f"A dict with the key `{name}`.",
            at=task,
        )
        value = returned[name]
        why = " That is a hundred times too much." if near(value, share * 100) else ""
        expect(
            near(value, share),
            happened=f"`{task.task_id}` returned {rounded(value)!r} as `{name}`; in this "
            f"delivery it is {share:.4f}.{why}",
            expected="The share that was measured in the delivery at hand, as a fraction: 2 % is "
            "0.02.",
            at=task,
        )


@check(task=5, requires=test_fresh_data_goes_on_to_the_checks)
def test_5_percent_dirt_is_the_limit(observe: Observe) -> None:
    """More than 5 % of one kind of dirt is refused, by name; exactly 5 % is accepted."""
    good = started(observe("a good delivery"), CHECKS[2])
    if good.state != "success":
        raise NotChecked(f"`{CHECKS[2]}` refused a good delivery.")
    returned, planted = good.xcoms.get("return_value"), dirt(observe("a good delivery").scenario)
    if isinstance(returned, dict) and not all(near(returned.get(k), planted[k]) for k in METRICS):
        raise NotChecked("What is not measured cannot be compared with a limit.")
    some = any(observe(s).run.task(CHECKS[2]).state == "failed" for s in DIRTY.values())
    hint = " If only the first metric is refused, look whether `return` stands inside the loop."
    for name, story in DIRTY.items():
        seen = observe(story)
        task = started(seen, CHECKS[2])
        what = f"The share behind `{name}` was {dirt(seen.scenario)[name]:.2%}"
        message = must_refuse(seen.run, task, what, hint * some)
        named = [metric for metric in sorted(METRICS, key=message.find) if metric in message]
        expect(
            named[:1] == [name],
            happened=f"{what}, and the error says: {message!r}",
            expected=f"The error names the metric that is too high, `{name}`, before any other.",
            at=task,
        )
    edge = started(observe("a delivery grows old"), CHECKS[2])
    must_let_through(edge, "Exactly 5 % of each kind of dirt was there, which is just allowed")


# --- 6. Say that all checks passed ---


@check(task=6, requires=test_fresh_data_goes_on_to_the_checks)
def test_the_all_clear_is_given(observe: Observe) -> None:
    """After the last check a shell command says that all checks passed."""
    seen = observe("a good delivery")
    if started(seen, CHECKS[2]).state != "success":
        raise NotChecked(f"`{CHECKS[2]}` did not succeed with a good delivery.")
    task = started(seen, "quality_check_passed")
    task.must_be_done(6)
    expect(
        task.error is None or not task.error.message.rstrip(".").endswith("exit code 127"),
        happened="The shell ended `quality_check_passed` with exit code 127.",
        expected="127 means that the shell found no command of that name: the text is run, not "
        "printed. Begin it with `echo`.",
        at=task,
    )
    task.must_have_succeeded()
    expect(
        "bash" in task.facts.operator.lower(),
        happened="No shell ran: `quality_check_passed` is a Python task, and the command that it "
        "returned is only a text.",
        expected="A Bash task. Airflow runs in a shell what its function returns.",
        at=task,
    )
    last = str(task.xcoms.get("return_value") or "")
    # Airflow notes the command itself before it runs; only what the command printed counts.
    said = [line for line in task.output.splitlines() if "Running command" not in line]
    expect(
        any("all data quality checks passed" in line.lower() for line in [last, *said]),
        happened=f"The last line that the command printed is {last[-200:]!r}.",
        expected="A line with the words 'all data quality checks passed'.",
        at=task,
    )


@check(task=6, requires=test_the_all_clear_is_given)
def test_no_all_clear_for_bad_data(observe: Observe) -> None:
    """There is no all-clear when a check failed or the data was stale."""
    old, stale = "a delivery grows old", observe("a delivery grows old").runs[2]
    stories = ("many records are missing", "text among the numbers", *DIRTY.values())
    failing = dict(zip(stories, (*CHECKS, CHECKS[2], CHECKS[2]), strict=True))
    if stale.task(CHECKS[0]).ran:
        raise NotChecked(f"Stale data went on to `{CHECKS[0]}`.")
    for story, task_id in failing.items():
        if started(observe(story), task_id).state != "failed":
            raise NotChecked(f'`{task_id}` has to fail in scenario "{story}", and it did not.')
    for story, task_id in {old: "check_data_freshness", **failing}.items():
        # Looked at once more: a message names the scenario that was looked at last.
        seen = observe(story)
        last = (seen.runs[2] if story == old else seen.run).task("quality_check_passed")
        why = "found stale data in the last run" if story == old else "failed"
        expect(
            not last.ran,
            happened=f"`{task_id}` {why}, and `quality_check_passed` ran all the same and said "
            "that all is well.",
            expected="It runs only if everything before it succeeded. Its trigger rule decides "
            f"that; here it is `{last.facts.trigger_rule}`.",
            at=last,
        )
