"""Hidden checks of part 07: a nightly training that is promised for six, and who hears of it when.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from grader.judge import NotChecked, Observation, Observe, check, expect
from grader.judge.view import length, moment, names

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_07_deadlines import (  # noqa: F401  # isort: skip
    the_training_takes_all_night, a_good_night, done_at_half_past_five,
    a_night_that_is_made_up_for, a_night_in_the_queue, the_training_fails, the_training_hangs,
)  # fmt: skip
from grader.checks.inputs_07_deadlines import DAG_ID, PAGE, WARN, promised, run_id, waited_for
from grader.checks.words_07_deadlines import (
    ON_CALL,
    TEAM,
    callback_must_not_raise,
    clock,
    deadline_at,
    deadline_of_six,
    due_times,
    level_must_be_handed_over,
    mails,
    must_be_due,
    night,
    pages,
    seconds,
    told,
    what_is_counted_from,
)

HOUR = 3600
DAY = 24 * HOUR


def done_at(seen: Observation) -> str:
    """When the run came to its end."""
    end = seen.run.data.end
    return clock(moment(end)) if end else "no time at all"


# --- 1. Promise the model for six ---


@check(task=1)
def test_a_run_that_is_not_done_at_six_has_missed_a_deadline(observe: Observe) -> None:
    """A run that is not done at six has missed a deadline; one that is done has not."""
    seen = night(observe, "the training takes all night", first=True)
    found = deadline_at(seen, PAGE)
    expect(
        found is not None,
        happened=f"The run of 02:00 was done at {done_at(seen)}. {due_times(seen)}",
        expected="One at 06:00, four hours after the logical date of the run: a `DeadlineAlert` in "
        "the list `deadline` of `@dag`. (`sla=`, and a `deadline` in `default_args`, are accepted "
        f"and do nothing.){what_is_counted_from(seen)}",
        at=seen.dag,
    )
    if found:
        level_must_be_handed_over(seen, found)
    good = observe("a good night")
    early = deadline_at(good, PAGE)
    expect(
        early is not None and not early.missed,
        happened=f"The run of 02:00 was done at {done_at(good)}. {due_times(good)}",
        expected="It has a deadline at 06:00, and it keeps it.",
        at=good.dag,
    )


@check(task=1, requires=test_a_run_that_is_not_done_at_six_has_missed_a_deadline)
def test_six_is_six_however_late_the_run_begins(observe: Observe) -> None:
    """When Airflow starts the run late, the deadline is still at six."""
    must_be_due(
        observe("a night that is made up for"),
        PAGE,
        "A deadline at 06:00. The shops open when they open, so the promise is counted from the "
        "time at which the run should have begun: its logical date.",
    )


# --- 2. Say which run is late ---


@check(task=2, requires=test_a_run_that_is_not_done_at_six_has_missed_a_deadline)
def test_a_run_that_is_not_done_at_six_is_paged(observe: Observe) -> None:
    """A run that is not done at six is mailed to `alerts@example.com`."""
    seen = observe("the training takes all night")
    callback_must_not_raise(seen, deadline_of_six(seen))
    found = told(seen, ON_CALL)
    others = sorted({a for mail in seen.transcript.mails for a in mail.recipients} - {ON_CALL})
    elsewhere = f" There was mail to {', '.join(others)}." if others else ""
    expect(
        bool(found),
        happened=f"The run missed its deadline of 06:00, and Airflow called the callback. No mail "
        f"came to `{ON_CALL}`.{elsewhere}",
        expected="`report_late` hands its facts to `send`, which knows to whom they go. The level "
        'of this deadline is "page".',
        at=seen.dag,
    )


@check(task=2, requires=test_a_run_that_is_not_done_at_six_is_paged)
def test_the_mail_names_dag_and_run(observe: Observe) -> None:
    """The mail has the ids of the DAG and of the run."""
    for seen, mail in pages(observe):
        wanted = {"dag_id": DAG_ID, "run_id": run_id(promised(seen.scenario, timedelta()))}
        for key, value in wanted.items():
            written = mail.fact(key)
            expect(
                written == value,
                happened=f"The mail has {written!r} as `{key}`.",
                expected=f"{value!r}. The run in the context knows it: it is a dict as the REST "
                'API shows it, with "dag_id" and "dag_run_id".',
            )


@check(task=2, requires=test_a_run_that_is_not_done_at_six_is_paged)
def test_the_mail_says_how_late_it_is(observe: Observe) -> None:
    """The mail says when the model was due, and how many seconds ago that was."""
    for seen, mail in pages(observe):
        dues = [moment(deadline.due) for deadline in seen.run.data.deadlines]
        written, due = mail.fact("due"), mail.time("due")
        expect(
            due is not None and any(abs(due - one) < timedelta(seconds=1) for one in dues),
            happened=f"The run missed its deadline of 06:00. The mail has {written!r} as `due`.",
            expected=f"{promised(seen.scenario, PAGE).isoformat()!r}: the deadline in the context "
            "has it as 'deadline_time', and `isoformat()` makes a text of a time.",
        )
        sent, late = mail.time("sent_at"), mail.fact("late_seconds")
        if due is None or sent is None:
            raise NotChecked("The mail was not sent with `send`.")
        right, count = (sent - due).total_seconds(), seconds(late)
        within_a_day = count is not None and right > DAY and abs(count - right % DAY) < 30
        expect(
            count is not None and abs(count - right) < 30,
            happened=f"The model was due at {due:%Y-%m-%d %H:%M}, and the mail was sent at "
            f"{sent:%Y-%m-%d %H:%M:%S}. It has {late!r} as `late_seconds`.",
            expected=f"{right:.0f} or so: from when it was due until now. "
            + (
                "`.seconds` leaves out whole days; `.total_seconds()` does not."
                if within_a_day
                else "Not from when the run began, and not below zero."
            ),
        )


@check(task=2, requires=test_a_run_that_is_not_done_at_six_is_paged)
def test_the_mail_links_to_the_run(observe: Observe) -> None:
    """The mail links to the page of the run."""
    for seen, mail in pages(observe):
        run, link = run_id(promised(seen.scenario, timedelta())), mail.fact("link")
        wanted = [f"/dags/{DAG_ID}/runs/{name}" for name in (run, quote(run))]
        expect(
            link.startswith("http") and any(place in link for place in wanted),
            happened=f"The mail has {link!r} as `link`.",
            expected=f"An address with {wanted[1]!r} in it. The page of the DAG shows its newest "
            "run, which in the morning is another one.",
        )


# --- 3. Ask what it is waiting for ---


@check(task=3, requires=test_a_run_that_is_not_done_at_six_is_paged)
def test_the_mail_says_what_the_run_is_waiting_for(observe: Observe) -> None:
    """The mail names the tasks that have not ended, with their states, and no others."""
    for seen, mail in pages(observe):
        waited = waited_for(seen.scenario)
        open_task, state = next((t, s) for t, s in waited.items() if s)
        line = mail.fact("unfinished", ", with what `unfinished` returns")
        said = f"Airflow's API said: `{open_task}` is {state}. The mail has the line "
        said += f"`unfinished: {line}`"
        expect(
            open_task in line,
            happened=said,
            expected=f"`{open_task}` is in it. A task has not ended if its state is none of "
            "success, failed, skipped, upstream_failed and removed; it need not be running.",
        )
        expect(
            str(state) in line,
            happened=said,
            expected="Its state is there too. What is `queued` has no room to run in, and what is "
            "`running` is slow: one looks for the cause in different places.",
        )
        ended = [t for t in ("collect_usage", "train_model") if t not in waited and t in line]
        expect(
            not ended,
            happened=f"{said}, though {names(ended)} had ended.",
            expected="Only the tasks that have not ended.",
        )


@check(task=3, requires=test_the_mail_says_what_the_run_is_waiting_for)
def test_without_an_answer_the_mail_goes_out_all_the_same(observe: Observe) -> None:
    """When Airflow's API does not answer, the mail goes out, and does not say that all is done."""
    seen = observe("the training hangs")
    error, found = deadline_of_six(seen).error, told(seen, ON_CALL)
    raised = f"the callback raised {error.type}: {error.message}, and " if error else ""
    expect(
        bool(found),
        happened=f"Airflow's API answered with 503; {raised}no mail came to `{ON_CALL}`.",
        expected="A mail, with what is known without the API. Perhaps the API is down for the same "
        "reason as that for which the run is late. An `OSError` from `task_instances` is no "
        "reason to tell nobody.",
        at=error or seen.dag,
    )
    for mail in found:
        line = mail.facts.get("unfinished", "not known")
        expect(
            line.strip("[]{}()").lower() not in ("", "none", "nothing", "0"),
            happened=f"Airflow's API answered with 503, and the mail has the line "
            f"`unfinished: {line}`",
            expected="It says that nobody knows. Whoever reads an empty line takes it that all "
            "tasks have ended.",
        )


# --- 4. Warn first, then page ---


@check(task=4, requires=test_a_run_that_is_not_done_at_six_is_paged)
def test_at_five_the_team_is_warned_and_nobody_paged(observe: Observe) -> None:
    """A run that is done between five and six sends a mail to `churn-team@example.com` alone."""
    seen = observe("done at half past five")
    deadline = deadline_at(seen, WARN)
    expect(
        deadline is not None,
        happened=f"The run of 02:00 was done at {done_at(seen)}. {due_times(seen)}",
        expected="One more, at 05:00: three hours after the logical date. Each is a "
        "`DeadlineAlert` of its own. An interval counts from the reference, not from six.",
        at=seen.dag,
    )
    if deadline is not None:
        callback_must_not_raise(seen, deadline)
    team, on_call = told(seen, TEAM), told(seen, ON_CALL)
    expect(
        (len(team), len(on_call)) == (1, 0),
        happened=f"The run was done at {done_at(seen)}. {mails(seen)}",
        expected='One mail to the team: the level of this deadline is "warn". Nobody has to get up '
        "for a model that is there at six.",
        at=seen.dag,
    )
    must_be_due(
        observe("a night that is made up for"),
        WARN,
        "A deadline at 05:00, counted from the logical date as in section 1.",
    )


@check(task=4, requires=test_at_five_the_team_is_warned_and_nobody_paged)
def test_each_level_is_told_once(observe: Observe) -> None:
    """A run that is not done at six has sent one mail to each; a good night has sent none."""
    for story, wanted in (("the training takes all night", 1), ("a good night", 0)):
        seen = observe(story)
        team, on_call = len(told(seen, TEAM)), len(told(seen, ON_CALL))
        expect(
            team == on_call == wanted,
            happened=f"The run was done at {done_at(seen)}. {mails(seen)}",
            expected="One mail to each: a deadline is missed once, and tells one level."
            if wanted
            else "No mail. It was done in time.",
            at=seen.dag,
        )


# --- 5. Keep quiet about a run that is over ---


@check(task=5, requires=test_a_run_that_is_not_done_at_six_is_paged)
def test_a_failed_run_is_not_told_again(observe: Observe) -> None:
    """A run that failed at night sends the mail about the failure, and none at five or six."""
    seen = observe("the training fails")
    task = seen.run.task("train_model")
    if seen.run.state != "failed":
        raise NotChecked(f"`train_model` was to fail, and the run ended as {seen.run.state}.")
    for deadline in seen.run.data.deadlines:
        callback_must_not_raise(seen, deadline)
    late, end = told(seen, TEAM) + told(seen, ON_CALL), moment(str(seen.run.data.end))
    before = [deadline for deadline in seen.run.data.deadlines if moment(deadline.due) < end]
    expect(
        len(late) <= len(before),
        happened=f"`{task.task_id}` failed for good, and the run was over at {done_at(seen)}. A "
        f"mail said so at once. Later there came {len(late)} more, about a deadline.",
        expected="No further mail. Airflow forgets the deadlines of runs that succeed in time, and "
        "no others, so it calls the callback for a failed run too. The run in the context has its "
        '"state".',
        at=seen.dag,
    )


@check(task=5, requires=test_a_failed_run_is_not_told_again)
def test_a_run_that_still_waits_is_told(observe: Observe) -> None:
    """A run that has not even begun at six is mailed to `alerts@example.com`."""
    seen = observe("a night in the queue")
    callback_must_not_raise(seen, deadline_of_six(seen))
    expect(
        bool(told(seen, ON_CALL)),
        happened="The run was made at 02:00 and waited in the queue until "
        f"{clock(moment(seen.run.data.start))}, because there was no room for it. {mails(seen)}",
        expected='A mail to the person on call. At six the state of the run was "queued": it is '
        'the latest run of all. Only "success" and "failed" are over.',
        at=seen.dag,
    )


# --- 6. End what hangs ---


@check(task=6)
def test_a_try_that_hangs_is_ended(observe: Observe) -> None:
    """A try of `train_model` ends after six hours, and there is another one."""
    seen = night(observe, "the training hangs")
    task = seen.run.task("train_model")
    if not task.ran:
        raise NotChecked(f"`train_model` never ran; it was left as {task.state}.")
    first = task.tries[0]
    lasted = length(first).total_seconds()
    limit = task.facts.execution_timeout
    allowed = f"Its `execution_timeout` is {limit / HOUR:g} hours." if limit else (
        "It has no `execution_timeout`."
    )  # fmt: skip
    expect(
        lasted < 6.5 * HOUR,
        happened=f"The first try hung, and lasted {lasted / HOUR:.1f} hours. {allowed}",
        expected="It ends after six hours, with an `AirflowTaskTimeout`, and the second try does "
        "the work. A deadline tells people, and ends nothing.",
        at=task.facts,
    )
    expect(
        task.state == "success" and len(task.tries) == 2,
        happened=f"The first try ended after {lasted / HOUR:.1f} hours. `train_model` was left as "
        f"{task.state} after {len(task.tries)} tries. {allowed}",
        expected="The second try, which takes one to two hours, succeeds.",
        at=task.facts,
    )


@check(task=6, requires=test_a_try_that_hangs_is_ended)
def test_a_late_model_is_still_published(observe: Observe) -> None:
    """A training that takes until eight is not stopped, and its model is published."""
    seen = observe("the training takes all night")
    run, task = seen.run, seen.run.task("train_model")
    limit = (task.facts.execution_timeout or 0) / HOUR
    how = task.ending
    if task.error and task.error.type == "AirflowTaskTimeout":
        how = f"was ended by its `execution_timeout`, which is {limit:g} hours."
    expect(
        run.task("publish_model").state == "success",
        happened=f"The training takes all night and goes well. `train_model` {how}",
        expected="It goes on. A model at half past seven is late, and better than none; an "
        "`execution_timeout` is no warning, it ends the try.",
        at=task,
    )
    lasted = length(run.data).total_seconds()
    allowed = seen.dag.data.run_timeout
    expect(
        allowed is None or allowed > lasted,
        happened=f"The training took all night, and the run lasted {lasted / HOUR:.1f} hours. Your "
        f"`dagrun_timeout` is {(allowed or 0) / HOUR:g} hours.",
        expected="Airflow would have marked this run as failed and skipped what was still "
        "running. No model. `dagrun_timeout` is for runs that nobody waits for any more.",
        at=seen.dag,
    )


@check(task=6, requires=test_a_late_model_is_still_published)
def test_a_run_ends_before_the_next_one_begins(observe: Observe) -> None:
    """A run that is still there after twenty hours is ended."""
    seen = observe("the training hangs")
    allowed = seen.dag.data.run_timeout
    said = f"The `dagrun_timeout` of the DAG is {(allowed or 0) / HOUR:g} hours."
    expect(
        allowed is not None and allowed <= 24 * HOUR,
        happened=said if allowed else "The DAG has no `dagrun_timeout`.",
        expected="Twenty hours. The next run begins 24 hours after this one; what hangs in any "
        "other task than `train_model` would run into it.",
        at=seen.dag,
    )
    expect(
        (allowed or 0) >= 12 * HOUR,
        happened=said,
        expected="Twenty hours. A first try that hangs for six hours, and a second one that does "
        "the work, need ten: a run has to be given that.",
        at=seen.dag,
    )
