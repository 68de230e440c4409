"""Hidden checks of part 04: a DAG that fails in every way there is, and what is left behind.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re
from collections import Counter

from grader.judge import NotChecked, Observe, check, expect
from grader.judge.view import moment, names, times

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_04_failures import (  # noqa: F401  # isort: skip
    the_gateway_is_busy_all_night, the_gateway_is_busy_at_first, the_gateway_refuses_our_key,
    the_gateway_is_busy_then_refuses_our_key, the_board_is_off, the_list_of_calls_is_missing,
)  # fmt: skip
from grader.checks.inputs_04_failures import open_bills, refunds
from grader.checks.words_04_failures import (
    CLOSE,
    FLAKY,
    callbacks_must_not_raise,
    ended,
    failing,
    must_have_tried,
    notes,
)

READ, PRICE, REPORT = "refunds.read_dropped_calls", "refunds.price_refunds", "refunds.report"
NIGHTS = (
    "the gateway is busy at first",
    "the gateway is busy all night",
    "the gateway refuses our key",
    "the board is off",
)
KEYS = ("event", "dag_id", "task_id", "run_id", "try_number", "error", "log_url")


# --- 1. Try again, and wait longer each time ---


@check(task=1)
def test_a_busy_gateway_is_asked_four_times(observe: Observe) -> None:
    """A gateway that stays busy is asked four times: once, and three times again."""
    task = observe("the gateway is busy all night").run.task(FLAKY)
    said = f"The gateway was busy, and `{FLAKY}` "
    if not task.ran:
        raise NotChecked(f"`{FLAKY}` was never started; it was left as {task.state}.")
    expect(
        task.state == "failed",
        happened=f"{said}ended as {task.state}.",
        expected="It fails. A `ConnectionError` that leaves the task makes Airflow try again; one "
        "that you catch and keep for yourself does not.",
        at=task,
    )
    error = task.error
    why = f" The last error was {error.type}: {error.message}" if error else ""
    if error and error.type == "AirflowFailException":
        why = " It raised `AirflowFailException`, which forbids another try."
    expect(
        len(task.tries) == 4,
        happened=f"{said}was tried {times(len(task.tries))}.{why}",
        expected="It is tried four times in all: after the first try come three *re*tries. A busy "
        "gateway may answer a minute later.",
        at=task,
    )


@check(task=1, requires=test_a_busy_gateway_is_asked_four_times)
def test_the_waits_grow_up_to_three_minutes(observe: Observe) -> None:
    """The first wait is a minute or a little more, then they grow, up to three minutes."""
    task = observe("the gateway is busy all night").run.task(FLAKY)
    waits = [round(gap.total_seconds()) for gap in task.gaps]
    shown = f"{', '.join(map(str, waits[:-1]))} and {waits[-1]}"
    first, second, third = waits
    happened = f"Between the tries lay {shown} seconds."
    expect(
        58 <= first <= 130,
        happened=happened,
        expected="The first wait is a minute, to which Airflow adds up to another one by lot: 60 "
        "to 120 seconds. Without a `retry_delay` it would be five minutes; a plain number means "
        "seconds, so write `timedelta(minutes=1)`.",
        at=task.facts,
    )
    expect(
        second >= 118 and third >= 178,
        happened=happened,
        expected="The waits double: the second is of 120 seconds or more, the third of 180. "
        "`retry_exponential_backoff` is the factor, so 2.0 doubles and 1 changes nothing. "
        "`max_retry_delay` is where it ends: three minutes.",
        at=task.facts,
    )
    expect(
        max(waits) <= 190,
        happened=happened,
        expected="No wait is longer than three minutes (180 seconds): `max_retry_delay`.",
        at=task.facts,
    )


# --- 2. Give up at once when waiting cannot help ---


@check(task=2)
def test_a_refusal_is_final(observe: Observe) -> None:
    """A gateway that refuses our key is not asked again, and the task has failed."""
    stories = ("the gateway refuses our key", "the gateway is busy, then refuses our key")
    for wanted, story in enumerate(stories, start=1):
        task = observe(story).run.task(FLAKY)
        must_have_tried(task, wanted)
        said = f"{story.capitalize()}, and `{FLAKY}`"
        expect(
            task.state == "failed",
            happened=f"{said} ended as {task.state}.",
            expected="It fails: nobody has a number, and somebody has to renew the key.",
            at=task,
        )
        expect(
            len(task.tries) == wanted,
            happened=f"{said} was tried {times(len(task.tries))} in all. The last error was "
            f"{task.error.type if task.error else 'not seen'}.",
            expected=f"It is tried {times(wanted)}. After a `PermissionError` there is no further "
            "try: the key is as invalid in three minutes as it is now.",
            at=task,
        )


@check(task=2)
def test_the_number_is_handed_on(observe: Observe) -> None:
    """When the gateway answers, its number reaches `publish_count`."""
    seen = observe("the gateway is busy at first")
    task, wanted = seen.run.task(FLAKY), open_bills(seen.scenario)
    count = len(seen.scenario.runs[0].conf["gateway"])
    must_have_tried(task, count)
    expect(
        task.state == "success",
        happened=f"The gateway answered call {count}, but `{FLAKY}` {ended(task)}",
        expected=f"It succeeds in try {count}.",
        at=task,
    )
    returned = task.xcom()
    expect(
        returned == wanted,
        happened=f"The gateway said {wanted}, and `{FLAKY}` returned {returned!r}.",
        expected="It returns the number that `ask_gateway` returns.",
        at=task,
    )
    seen.run.task("publish_count").must_have_succeeded()


# --- 3. Leave a note for the person on call ---


@check(task=3)
def test_each_retry_leaves_a_note(observe: Observe) -> None:
    """Each try that will be repeated leaves a note with the event "retry"."""
    seen = observe("the gateway is busy all night")
    callbacks_must_not_raise(seen)
    tries = [t for t in failing(seen) if t.state == "up_for_retry"]
    if not tries:
        raise NotChecked("not checked because section 1 comes first")
    written = Counter(str(note.get("event")) for note in notes(seen))
    found = ", ".join(f'"{event}" {times(count)}' for event, count in written.items())
    expect(
        written["retry"] == len(tries),
        happened=f"{len(tries)} tries failed and were repeated, and the last one failed for good. "
        f"The events in the notes: {found or 'there are no notes'}.",
        expected=f'{len(tries)} notes with the "event" "retry": one for each. Airflow calls '
        "`on_retry_callback` when there will be another try. Hand it over the function, without "
        "parentheses.",
    )


@check(task=3, requires=test_each_retry_leaves_a_note)
def test_each_failure_leaves_one_note(observe: Observe) -> None:
    """A task that failed for good leaves one note with the event "failure", whichever task."""
    stories = {
        "the gateway is busy all night": FLAKY,
        "the board is off": "publish_count",
        "the list of calls is missing": READ,
    }
    for story, task_id in stories.items():
        seen = observe(story)
        callbacks_must_not_raise(seen)
        tries = [t for t in failing(seen) if t.state == "failed"]
        if task_id not in [t.task_id for t in tries]:
            continue  # that it has to fail is the business of another check
        written = [note for note in notes(seen) if note.get("event") == "failure"]
        failed = names([t.task_id for t in tries])
        about = names([str(note.get("task_id")) for note in written])
        expect(
            len(written) == len(tries),
            happened=f'Failed for good: {failed}. Notes with the event "failure" about: {about}.',
            expected='One note with the "event" "failure" for each task that failed for good, '
            "whichever task it is: `on_failure_callback` belongs to every task, so it stands in "
            "`default_args`. As an argument of `@dag` itself it is called for a run, not for a "
            "task.",
        )


@check(task=3, requires=test_each_failure_leaves_one_note)
def test_a_note_says_what_one_needs(observe: Observe) -> None:
    """A note names DAG, task, run and try, says what went wrong and leads to the log."""
    for story in ("the gateway is busy all night", "the board is off"):
        seen = observe(story)
        written = [n for n in notes(seen) if n.get("event") in ("retry", "failure")]
        for note, one in zip(written, failing(seen), strict=False):
            about = f"The note about try {one.number} of `{one.task_id}`"
            missing = [key for key in KEYS if key not in note]
            expect(
                not missing,
                happened=f"{about} has no {names(missing)}. Its keys: {names(list(note))}.",
                expected=f"The keys {names(list(KEYS))}.",
            )
            plain = {
                "dag_id": seen.dag_id,
                "task_id": one.task_id,
                "run_id": f"manual__{seen.run.data.logical_date}",
                "try_number": one.number,
            }
            for key, value in plain.items():
                expect(
                    note[key] == value,
                    happened=f'{about} has {note[key]!r} as "{key}".',
                    expected=f"{value!r}. The task instance knows it: `context['ti']`.",
                )
            message = one.error.message if one.error else ""
            expect(
                message in str(note["error"]),
                happened=f'{about} has {note["error"]!r} as "error".',
                expected=f"What the task raised: {message!r}. It is in the context, under "
                "'exception'.",
            )
            link = str(note["log_url"])
            expect(
                link.startswith("http")
                and f"/tasks/{one.task_id}" in link
                and f"try_number={one.number}" in link,
                happened=f'{about} has {note["log_url"]!r} as "log_url".',
                expected="The address of the log of this very try. The task instance knows it: "
                "`log_url`.",
            )


# --- 4. Clean up whatever happened ---


@check(task=4)
def test_the_session_is_closed_whatever_happened(observe: Observe) -> None:
    """`close_session` runs after good and after bad nights, and closes the session."""
    for story in NIGHTS:
        seen = observe(story)
        run = seen.run
        last, before = run.task(CLOSE), run.task(FLAKY)
        last.must_be_done(4)
        failed = [t for t in (FLAKY, "publish_count") if run.task(t).state == "failed"]
        happened = f"{names(failed)} failed" if failed else "All went well"
        expect(
            last.ran,
            happened=f"{happened}, and `{CLOSE}` never ran; it was left as {last.state}.",
            expected="It runs after a good night and after a bad one. The default is to run only "
            "if all went well. A teardown, or the trigger rule `all_done`, does not care.",
            at=last,
        )
        expect(
            last.state == "success",
            happened=f"{happened}, and `{CLOSE}` {ended(last)}",
            expected="It closes the session and succeeds.",
            at=last,
        )
        expect(
            not before.ran or moment(last.tries[0].start) >= moment(before.tries[-1].start),
            happened=f"`{CLOSE}` ran before `{FLAKY}` had made its last try.",
            expected=f"`{CLOSE}` comes after `{FLAKY}`: the session is needed until then.",
            at=last,
        )
        left = [f.path for f in seen.transcript.files if f.path.endswith("session.json")]
        expect(
            not left,
            happened=f"{happened}. `{CLOSE}` ran, and the session was still open afterwards.",
            expected="It calls `end_session()`.",
            at=last,
        )


@check(task=4, requires=test_the_session_is_closed_whatever_happened)
def test_a_bad_night_stays_a_failed_run(observe: Observe) -> None:
    """A run in which a task failed ends as failed, also when the cleanup succeeded."""
    for story in NIGHTS:
        if observe(story).run.task(REPORT).state != "success":
            raise NotChecked("not checked because section 5 comes first: the refunds fail too")
    for story in NIGHTS:
        run = observe(story).run
        failed = [t for t in (FLAKY, "publish_count") if run.task(t).state == "failed"]
        state = "failed" if failed else "success"
        expect(
            run.state == state,
            happened=f"Failed tasks: {names(failed)}. The run ended as {run.state}.",
            expected=f"It ends as {state}. Airflow looks at the last tasks of a run only, those "
            "after which nothing comes. If one of them succeeds after a failure, the failure is "
            f"hidden. A teardown is not counted, so `{CLOSE}` as a teardown hides nothing.",
            at=run.task(CLOSE),
        )


# --- 5. Find three bugs ---


@check(task=5)
def test_the_calls_reach_the_pricing(observe: Observe) -> None:
    """The calls that were read get priced."""
    seen = observe("the gateway is busy at first")
    given, task = seen.run.task(READ), seen.run.task(PRICE)
    count, returned = len(refunds(seen.scenario)), given.xcom()
    expect(
        isinstance(returned, list) and len(returned) == count,
        happened=f"`{READ}` returned {str(returned)[:120]}; the file has {count} calls.",
        expected="It returns all of them. There is nothing to mend in it.",
        at=given,
    )
    expect(
        task.state == "success",
        happened=f"`{READ}` returned {count} calls. `{PRICE}` {ended(task)}",
        expected="It succeeds. What is pulled is None when there is no XCom under that task id. "
        "Compare the id that is asked for with those in the list of XComs.",
        at=task,
    )


@check(task=5, requires=test_the_calls_reach_the_pricing)
def test_the_refunds_are_handed_on(observe: Observe) -> None:
    """The report has the refunds in it."""
    seen = observe("the gateway is busy at first")
    task, report, right = seen.run.task(PRICE), seen.run.task(REPORT), refunds(seen.scenario)
    said = f'`{REPORT}` said "{report.xcoms.get("return_value")}".'
    expect(
        "return_value" in task.tries[-1].xcoms,
        happened=f"`{PRICE}` succeeded and left no XCom. {said}",
        expected="It hands the refunds on. What a task prints is in its log, and no other task "
        "reads that.",
        at=task,
    )
    value = task.xcom()
    expect(
        value == right,
        happened=f"`{PRICE}` returned {str(value)[:120]}. {said}",
        expected=f"The refund of each of the {len(right)} calls, {sum(right)} cents in all.",
        at=task,
    )
    report.must_have_succeeded()
    text = str(report.xcom())
    expect(
        str(sum(right)) in re.findall(r"\d+", text),
        happened=f"The refunds are {sum(right)} cents in all. {said}",
        expected="The sentence has the sum in it.",
        at=report,
    )


@check(task=5)
def test_no_report_without_refunds(observe: Observe) -> None:
    """When the calls could not be read, no report says that all is well."""
    run = observe("the list of calls is missing").run
    first, report = run.task(READ), run.task(REPORT)
    expect(
        first.state == "failed",
        happened=f"The list of calls was missing, and `{READ}` {ended(first)}.",
        expected="It fails. Whoever hides an error here has a wrong number tomorrow.",
        at=first,
    )
    expect(
        report.state != "success",
        happened=f"`{READ}` failed. `{REPORT}` ran all the same, succeeded, and said "
        f'"{report.xcoms.get("return_value")}".',
        expected="Without refunds there is no report. What decides whether a task runs after a "
        f"failure? Here it is `{report.facts.trigger_rule}`.",
        at=report,
    )
