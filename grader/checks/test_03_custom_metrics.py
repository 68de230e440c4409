"""Hidden checks of part 03: metrics of the learner's own, and a watch that asks Prometheus.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from grader.judge import Observation, Observe, check, expect
from grader.judge.view import names

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_03_custom_metrics import (  # noqa: F401  # isort: skip
    no_try_failed, exactly_10_percent_failed, many_tries_failed, no_such_series, nothing_finished,
    answers_with_an_error, is_slow, is_down,
)  # fmt: skip
from grader.checks.inputs_03_custom_metrics import (
    NO_ANSWER,
    NO_NUMBER,
    PLANS,
    QUIET,
    calling,
    leaving,
    ratio,
    scoring,
    watched,
)
from grader.checks.words_03_custom_metrics import (
    DONE,
    READ,
    RISK,
    TIME,
    answer_of,
    by_plan,
    done,
    is_number,
    sent,
    tagged,
    written,
)

WAYS = ("page_on_call", "all_quiet", "no_data")
SLACK = 2500.0


# --- 1. Count the callers ---


@check(task=1)
def test_callers_are_counted_by_plan(observe: Observe) -> None:
    """The counter `heron.callers_read` goes up by the callers of each plan."""
    seen = observe("no try failed")
    task = done(seen.run, "count_callers", 1)
    found = by_plan(sent(seen, READ, "c", task), READ, task)
    sums = {plan: sum(values) for plan, values in found.items()}
    expect(
        sums == calling(seen.scenario),
        happened=f"In all, `{READ}` went up by: {written(sums)}.",
        expected=f"{written(calling(seen.scenario))}: so many callers are in `data/callers.csv`. "
        "The second argument of `stats.incr` says by how much; without it, it is 1.",
        at=task,
    )


@check(task=1, requires=test_callers_are_counted_by_plan)
def test_there_is_one_series_per_plan(observe: Observe) -> None:
    """Its tags make one series per plan, not one per caller."""
    seen = observe("no try failed")
    task = seen.run.task("count_callers")
    series = {tuple(sorted(m.tags.items())) for m in sent(seen, READ, "c", task)}
    example = ", ".join(f"{key}={value}" for key, value in max(series, key=len))
    expect(
        len(series) == len(PLANS),
        happened=f"The tags of `{READ}` make {len(series)} series, such as {example}.",
        expected=f"{len(PLANS)} series, one per plan. Prometheus keeps each series for long, so a "
        "tag has few values. Which caller it was belongs into a table or a log.",
        at=task,
    )


# --- 2. Time the scoring ---


@check(task=2)
def test_each_plan_is_scored_and_timed(observe: Observe) -> None:
    """`score_callers` returns its numbers and sends one timing per plan."""
    seen = observe("no try failed")
    task = done(seen.run, "score_callers", 2)
    right, returned = leaving(seen.scenario), task.xcom()
    expect(
        returned == right,
        happened=f"`score_callers` returned {returned!r}.",
        expected=f"It returns for each plan what `score` says: {right!r}.",
        at=task,
    )
    found = by_plan(sent(seen, TIME, "ms", task), TIME, task)
    counts = {plan: len(values) for plan, values in found.items()}
    expect(
        counts == dict.fromkeys(PLANS, 1),
        happened=f"Timings that arrived by plan: {written(counts)}.",
        expected=f"One per plan: {written(dict.fromkeys(PLANS, 1))}.",
        at=task,
    )


@check(task=2, requires=test_each_plan_is_scored_and_timed)
def test_a_timing_is_the_time_of_its_plan(observe: Observe) -> None:
    """Each timing is the time that the model took for that plan."""
    seen = observe("no try failed")
    task, right = seen.run.task("score_callers"), scoring(seen.scenario)
    found = by_plan(sent(seen, TIME, "ms", task), TIME, task)
    for plan, milliseconds in right.items():
        (value,) = found[plan]
        why = "`score` stands inside of what is timed, and the clock starts anew for each plan."
        if 0 <= value - milliseconds / 1000 < SLACK / 1000:
            why = "A bare number counts as milliseconds; `stats.timer` and a timedelta know better."
        elif value < milliseconds / 2:
            why = "The call of `score` is not inside of what is timed."
        expect(
            -1 <= value - milliseconds < SLACK,
            happened=f"The model took {milliseconds / 1000:g} seconds for the plan {plan}. What "
            f"arrived says {value:,.{0 if value >= 100 else 3}f} milliseconds.",
            expected=f"About {milliseconds:,.0f} milliseconds. {why}",
            at=task,
        )


# --- 3. Show how many are at risk now ---


@check(task=3, requires=test_each_plan_is_scored_and_timed)
def test_the_risk_is_a_gauge(observe: Observe) -> None:
    """The gauge `heron.callers_at_risk` shows the callers at risk of each plan."""
    seen = observe("no try failed")
    task = done(seen.run, "publish_risk", 3)
    found = by_plan(sent(seen, RISK, "g", task), RISK, task)
    right = {plan: number for plan, number in leaving(seen.scenario).items() if number}
    last = {plan: found[plan][-1] for plan in right if plan in found}
    expect(
        last == right,
        happened=f"`{RISK}` was set to: {written({p: v[-1] for p, v in found.items()})}.",
        expected=f"{written(right)}: the numbers that `score_callers` returned.",
        at=task,
    )


@check(task=3, requires=test_the_risk_is_a_gauge)
def test_zero_is_sent_too(observe: Observe) -> None:
    """A plan with nobody at risk is set to 0."""
    seen = observe("no try failed")
    task = seen.run.task("publish_risk")
    found = by_plan(sent(seen, RISK, "g", task), RISK, task)
    (calm,) = (plan for plan, number in leaving(seen.scenario).items() if not number)
    last = found.get(calm, [])[-1:]
    expect(
        last == [0],
        happened=f"Of the plan {calm} nobody was at risk, and "
        + (f"`{RISK}` was set to {last[0]:g}." if last else f"no `{RISK}` arrived for it."),
        expected="It is set to 0. A gauge keeps its last value until somebody sets another, so "
        f"who leaves zeros out shows yesterday's number for the plan {calm}.",
        at=task,
    )


# --- 4. Ask Prometheus ---


@check(task=4)
def test_the_answer_is_handed_on(observe: Observe) -> None:
    """It asks Prometheus about the DAG that is watched, and returns the ratio."""
    for story in ("many tries failed", "no try failed"):
        seen = observe(story)
        task, dag_id = seen.run.task("failure_ratio"), watched(seen.scenario)
        task.must_be_done(4)
        requests = seen.transcript.requests
        expect(
            bool(requests),
            happened="No request reached Prometheus at the address in the Variable "
            f"`prometheus_url`. `failure_ratio` {task.ending}",
            expected='The address comes from `Variable.get("prometheus_url", ...)`, in the task: '
            "the DAG does not know where Prometheus is.",
            at=task.facts,
        )
        queries = [
            (parse_qs(r.path.partition("?")[2]) | parse_qs(r.body)).get("query", [""])[0]
            for r in requests
        ]
        about = re.search(r"""dag_id=["']([^"']*)["']""", queries[0])
        was = f"was about `{about[1]}`." if about else f"was: {queries[0][:120]}"
        expect(
            all(f'"{dag_id}"' in q or f"'{dag_id}'" in q for q in queries),
            happened=f"The run was told to watch `{dag_id}`. The query {was}",
            expected=f'The query is about that DAG: `params["watched"]` is {dag_id!r} here.',
            at=task.facts,
        )
        number = ratio(seen.scenario)
        task.must_have_succeeded()
        expect(
            is_number(answer_of(task), number),
            happened=f"Prometheus answered {number:g}, and `failure_ratio` returned "
            f"{answer_of(task)!r}.",
            expected=f"It returns the first number of the list: {number:g}.",
            at=task,
        )


@check(task=4, requires=test_the_answer_is_handed_on)
def test_no_number_is_none(observe: Observe) -> None:
    """It returns None if Prometheus answers without a number."""
    for story in NO_NUMBER:
        seen = observe(story)
        task = seen.run.task("failure_ratio")
        what = "an empty list" if story == NO_NUMBER[0] else "NaN (0 divided by 0)"
        error = task.error
        expect(
            task.state == "success",
            happened=f"Prometheus answered with {what}, and `failure_ratio` {task.ending}",
            expected="It succeeds and returns None: Prometheus is there, and has no number. "
            "`not numbers` finds an empty list, `math.isnan` finds NaN.",
            at=error if error and error.todo == 4 else task.facts,
        )
        value = task.tries[-1].xcoms.get("return_value")
        expect(
            value is None or (value.is_json and value.json_value is None),
            happened=f"Prometheus answered with {what}, and `failure_ratio` returned "
            f"{value.repr if value else None}.",
            expected="It returns None. No number is not 0, and NaN is neither above nor below any "
            "limit: `math.isnan` finds it.",
            at=task.facts,
        )


@check(task=4, requires=test_the_answer_is_handed_on)
def test_no_answer_is_a_failure(observe: Observe) -> None:
    """It fails if Prometheus is down, is slow, or answers with an error."""
    for story in NO_ANSWER:
        task = observe(story).run.task("failure_ratio")
        returned = answer_of(task)
        expect(
            task.state == "failed",
            happened=f"{story}, and `failure_ratio` ended as {task.state}. It returned "
            f"{returned!r}.",
            expected="The task fails. Let the exception of `ask_prometheus` through: who was not "
            "answered does not know whether all is quiet, nor that there is no data.",
            at=task,
        )


@check(task=4, requires=test_no_answer_is_a_failure)
def test_it_asks_again_a_minute_later(observe: Observe) -> None:
    """If Prometheus does not answer, it asks once more, a minute later."""
    task = observe("Prometheus is down").run.task("failure_ratio")
    times = len(task.tries)
    expect(
        times == 2,
        happened="`failure_ratio` failed and was "
        + ("not tried again." if times == 1 else f"tried {times} times in all."),
        expected="After a failure there is one more try. `@task(...)` takes `retries` and "
        "`retry_delay`.",
        at=task.facts,
    )
    gap = task.gaps[0].total_seconds()
    expect(
        abs(gap - 60) < 10,
        happened=f"`failure_ratio` was tried again after {gap:.0f} seconds.",
        expected="The second try comes a minute (60 seconds) after the first: "
        "`timedelta(minutes=1)`. Where nothing is said, Airflow waits five minutes.",
        at=task.facts,
    )


# --- 5. Part the way ---


def must_take(seen: Observation, way: str, what: str, hint: str = "") -> None:
    """The branch chose that way, the task on it ran, and the two others were skipped."""
    run = seen.run
    branch = run.task("choose_way")
    branch.must_be_done(5)
    error = branch.error
    expect(
        branch.state == "success",
        happened=f"{what}, and `choose_way` {branch.ending}",
        expected=f"It returns the id of the task to go on with, as a text in quotes: {way!r}.",
        at=error if error and error.todo == 5 else branch.facts,
    )
    ran = [task_id for task_id in WAYS if run.task(task_id).ran]
    expect(
        ran == [way],
        happened=f"{what}. Of the three ways, {names(ran)} ran.",
        expected=f"Only `{way}` runs. "
        + (
            "After an ordinary task all that comes next runs, whatever it returns; only a branch "
            "task chooses."
            if len(ran) > 1
            else f"`choose_way` returns {way!r} for that. {hint}"
        ),
        at=branch.facts,
    )
    run.task(way).must_have_succeeded()


@check(task=5, requires=test_the_answer_is_handed_on)
def test_few_failures_are_quiet(observe: Observe) -> None:
    """With 0 % of the tries failing, and also with exactly 10 %, all is quiet."""
    for story in QUIET:
        seen = observe(story)
        seen.run.task("choose_way").must_be_done(5)
        for way in WAYS:
            expect(
                ("choose_way", way) in seen.dag.edges,
                happened=f"Nothing tells `{way}` to wait for `choose_way`.",
                expected=f"`{way}` comes directly behind `choose_way`. A list parts the way, "
                "`a >> [b, c]`: write it at TODO 5 in `pipeline_metrics`.",
                at=seen.dag.task(way),
            )
        number = ratio(seen.scenario)
        hint = "The limit itself is not above the limit." if number else "0 is a number, not None."
        must_take(seen, "all_quiet", f"The failure ratio was {number:g}", hint)


@check(task=5, requires=test_few_failures_are_quiet)
def test_many_failures_page_someone(observe: Observe) -> None:
    """With more than 10 % of the tries failing, the person on call is paged."""
    seen = observe("many tries failed")
    number = ratio(seen.scenario)
    hint = "Ratio and limit are both fractions: 0.1 means 10 %."
    must_take(seen, "page_on_call", f"The failure ratio was {number:g}, so {number:.1%}", hint)


@check(task=5, requires=(test_few_failures_are_quiet, test_no_number_is_none))
def test_no_data_is_not_quiet(observe: Observe) -> None:
    """Without a number, `no_data` is taken; nobody says that all is quiet."""
    for story in NO_NUMBER:
        must_take(observe(story), "no_data", "There was no number, so `failure_ratio` gave None")


# --- 6. Let the ways meet again ---


def watches(seen: Observation) -> float:
    """By how much the counter of finished watches went up."""
    return sum(m.value for m in seen.transcript.metrics if m.name == f"airflow.{DONE}")


@check(
    task=6,
    requires=(
        test_few_failures_are_quiet, test_many_failures_page_someone, test_no_data_is_not_quiet,
    ),
)  # fmt: skip
def test_each_answered_watch_is_counted(observe: Observe) -> None:
    """Whatever the answer was, `heron.watch_finished` goes up by 1."""
    for story in ("no try failed", "many tries failed", NO_NUMBER[0]):
        seen = observe(story)
        run, dag_id = seen.run, watched(seen.scenario)
        (way,) = (task_id for task_id in WAYS if run.task(task_id).ran)
        task = run.task("watch_finished")
        task.must_be_done(6)
        for before in WAYS:
            expect(
                (before, "watch_finished") in seen.dag.paths,
                happened=f"Nothing tells `watch_finished` to wait for `{before}`.",
                expected="It comes after all three ways. `[b, c] >> d` joins them: write it at "
                "TODO 6 in `pipeline_metrics`.",
                at=task,
            )
        expect(
            task.state != "skipped",
            happened=f"`{way}` ran, the two other ways were skipped, and so was `watch_finished`.",
            expected="It runs after any of the ways. A task is skipped as soon as one task before "
            f"it is, unless its trigger rule says otherwise; here that is "
            f"`{task.facts.trigger_rule}`.",
            at=task.facts,
        )
        task.must_have_succeeded()
        (metric, *more) = sent(seen, DONE, "c", task)
        expect(
            watches(seen) == 1 and not more,
            happened=f"In this run `{DONE}` went up by {watches(seen):g}.",
            expected="It goes up by 1 in each run.",
            at=task,
        )
        expect(
            metric.tags.get("watched") == dag_id,
            happened=f"The run watched `{dag_id}`. `{DONE}` arrived with {tagged(metric)}.",
            expected=f"The tag `watched` is the DAG that was watched: watched={dag_id}.",
            at=task,
        )


@check(task=6, requires=(test_each_answered_watch_is_counted, test_no_answer_is_a_failure))
def test_an_unanswered_watch_is_not_counted(observe: Observe) -> None:
    """If Prometheus did not answer, the watch does not count as finished."""
    for story in NO_ANSWER:
        seen = observe(story)
        task = seen.run.task("watch_finished")
        expect(
            not task.ran and not watches(seen),
            happened=f"{story}, so none of the three ways was taken. `watch_finished` ran all the "
            f"same, and `{DONE}` went up by {watches(seen):g}.",
            expected="It runs only if one of the ways was taken: the counter has to stand still "
            f"when the watch is blind. Its trigger rule is `{task.facts.trigger_rule}`.",
            at=task.facts,
        )
