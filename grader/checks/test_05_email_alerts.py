"""Hidden checks of part 05: a weekly report, and a mail when a task on its way has failed for good.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

import re
from datetime import timedelta

from grader.judge import NotChecked, Observation, Observe, check, expect
from grader.judge.view import TaskView, in_words, length, names

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_05_email_alerts import (  # noqa: F401  # isort: skip
    all_is_well, closed_all_morning, closed_for_a_few_minutes, a_score_in_brackets,
    a_shop_is_not_in_the_list, no_answer_for_hours, no_mail_server_bad_scores, no_mail_server,
)  # fmt: skip
from grader.checks.inputs_05_email_alerts import closed_until, likely_to_leave, wrong_score
from grader.checks.words_05_email_alerts import (
    GIVEN_UP,
    ON_CALL,
    SENDER,
    SHOP_TEAM,
    Alarm,
    Page,
    alarms,
    each_alarm,
    failed,
    how_many_mails,
    how_to_mail,
    last_alarm,
    must_be_filled,
    shortened,
    unfilled,
    why_no_mail,
)

DAG_ID = "churn_report_pipeline"
TASKS = ("fetch_scores", "check_scores", "write_report", "mail_report")


# --- 1. Mail when a task has failed ---


@check(task=1)
def test_a_failure_is_mailed(observe: Observe) -> None:
    """A task that has failed for good is mailed to `alerts@example.com`."""
    seen = observe("closed all morning")
    task = seen.run.task("fetch_scores")
    found = alarms(seen) or [
        Alarm(mail.recipients, mail.subject, mail.body) for mail in seen.transcript.mails
    ]
    expect(
        bool(found),
        happened=f"`fetch_scores` was tried {len(task.tries)} times and failed each time, and no "
        f"mail came.{why_no_mail(seen, task)}",
        expected=f"One mail. {how_to_mail(seen, task)}",
        at=seen.dag,
    )
    for alarm in found:
        expect(
            alarm.recipients == [ON_CALL],
            happened=f"`fetch_scores` failed, and the mail went to {names(alarm.recipients)}.",
            expected=f"It goes to `{ON_CALL}` and to nobody else. `ON_CALL` is that address.",
            at=seen.dag,
        )


@check(task=1, requires=test_a_failure_is_mailed)
def test_only_a_final_failure_is_mailed(observe: Observe) -> None:
    """A task that will be tried again sends no mail, and neither does a success."""
    for story in ("closed for a few minutes", "all is well"):
        seen = observe(story)
        task, found = seen.run.task("fetch_scores"), alarms(seen)
        tried = len(task.tries)
        what = f"failed {tried - 1} times and then succeeded" if tried > 1 else "succeeded at once"
        given_up = failed(seen)
        others = f", and {names(given_up)} failed for good" if given_up else ""
        expect(
            len(found) <= len(given_up),
            happened=f"`fetch_scores` {what}{others}. Mails to `{ON_CALL}`: {len(found)}.",
            expected=f"Mails to `{ON_CALL}`: {len(given_up)}. A retry mends most of what "
            "fails, and nobody has to get up for it. Only 'on_failure_callback' waits for the "
            "last try; 'on_retry_callback', 'email_on_retry' and 'on_success_callback' do not.",
            at=seen.dag,
        )


@check(task=1, requires=test_only_a_final_failure_is_mailed)
def test_one_failure_is_one_mail(observe: Observe) -> None:
    """One failure is one mail, and it comes from `airflow@example.com`."""
    seen = observe("closed all morning")
    found, given_up = alarms(seen), failed(seen)
    subjects = ", ".join(shortened(alarm.subject) for alarm in found)
    expect(
        len(found) == len(given_up),
        happened=f"{names(given_up)} failed for good, and there came {how_many_mails(len(found))}: "
        f"{subjects}.",
        expected="One mail for each task that failed. `email_on_failure` and a callback send one "
        "each: take the old one out.",
        at=seen.dag,
    )
    senders = sorted({mail.sender for mail in seen.transcript.mails})
    old = " That is how `email_on_failure` signs." if senders == ["airflow@airflow"] else ""
    expect(
        senders == [SENDER],
        happened=f"The mail came from {names(senders)}.{old}",
        expected=f"It comes from `{SENDER}`, which is `SENDER`, by way of a `SmtpNotifier`. You "
        "decide what that one writes.",
        at=seen.dag,
    )


@check(task=1, requires=test_only_a_final_failure_is_mailed)
def test_every_task_is_watched(observe: Observe) -> None:
    """It does not matter which task failed: each of them is mailed."""
    for story in ("a score in brackets", "a shop is not in the list"):
        seen, (task_id, _) = observe(story), GIVEN_UP[story]
        task = seen.run.task(task_id)
        if task.state != "failed":
            raise NotChecked(f"`{task_id}` was left as {task.state}.")
        expect(
            bool(alarms(seen)),
            happened=f"`{task_id}` failed, and no mail came.{why_no_mail(seen, task)}",
            expected="A mail whichever task fails. What stands in `default_args` holds for all.",
            at=seen.dag,
        )


# --- 2. Say in the subject what failed ---


@check(task=2, requires=test_one_failure_is_one_mail)
def test_the_subject_says_what_failed(observe: Observe) -> None:
    """The subject has the word "failed", the id of the task and the id of the DAG."""
    for task_id, _, alarm in each_alarm(observe):
        must_be_filled(alarm.subject, 2, "subject")
        for word in ("failed", task_id, DAG_ID):
            expect(
                word in alarm.subject.lower(),
                happened=f"`{task_id}` failed, and the subject of the mail is {alarm.subject!r}."
                f"{unfilled(alarm.subject)}",
                expected=f"`{word}` is in the subject.",
            )


# --- 3. Say in the body what somebody on call needs ---


@check(task=3, requires=test_one_failure_is_one_mail)
def test_the_body_names_dag_and_task(observe: Observe) -> None:
    """The body has the ids of the task and of the DAG in its text."""
    for task_id, _, alarm in each_alarm(observe):
        must_be_filled(alarm.page.text, 3, "body")
        for word in (task_id, DAG_ID):
            expect(
                word in alarm.page.text,
                happened=f"`{task_id}` failed, and the body of the mail reads {alarm.page.text!r}."
                f"{unfilled(alarm.page.text)}",
                expected=f"`{word}` stands in the text, not only in an address.",
            )


@check(task=3, requires=test_the_body_names_dag_and_task)
def test_the_body_says_which_try(observe: Observe) -> None:
    """The body says which try failed, and of how many: "try 3 of 3"."""
    for task_id, number, alarm in each_alarm(observe):
        text = alarm.page.text
        found = re.search(
            r"\btr(?:y|ies)\W+(\d{1,9})\W+(?:out\W+)?of\W+(\d{1,9})", text, re.IGNORECASE
        )
        once = " It raised `AirflowFailException`, so there was no second try." * (number == 1)
        said = f"says {found[0]!r}" if found else f"reads {text!r}"
        expect(
            found is not None and (int(found[1]), int(found[2])) == (number, 3),
            happened=f"`{task_id}` failed at its try number {number}.{once} The body {said}."
            f"{'' if found else unfilled(text)}",
            expected=f"The words `try {number} of 3`. `ti.try_number` counts from 1. "
            "`ti.max_tries` counts only the tries after the first, so it is 2 here.",
        )


@check(task=3, requires=test_the_body_names_dag_and_task)
def test_the_body_quotes_the_error(observe: Observe) -> None:
    """The body has the text of the error."""
    story = "closed all morning"
    alarm, until = last_alarm(observe, story), closed_until(observe(story).scenario)
    expect(
        f"the scoring service is closed until {until}" in alarm.page.text,
        happened=f"`fetch_scores` raised ConnectionError: the scoring service is closed until "
        f"{until}. The body reads {alarm.page.text!r}.{unfilled(alarm.page.text)}",
        expected="The text of the error stands in the body. Airflow hands it to the template as "
        "`exception`.",
    )


@check(task=3, requires=test_the_body_quotes_the_error)
def test_brackets_in_an_error_can_be_read(observe: Observe) -> None:
    """An error with angle brackets in it can be read in the mail."""
    story = "a score in brackets"
    alarm, score = last_alarm(observe, story), wrong_score(observe(story).scenario)
    expect(
        f"has the score {score}" in alarm.page.text,
        happened=f"`check_scores` raised an error that ends with {f'has the score {score}'!r}. "
        f"Whoever opens the mail reads {alarm.page.text!r}.",
        expected=f"{score} can be read. The body is HTML, where such a word is taken for a tag "
        "and not shown. The filter `e` writes it so that it is: `{{ something | e }}`.",
    )


@check(task=3, requires=test_the_body_names_dag_and_task)
def test_the_body_links_to_the_log(observe: Observe) -> None:
    """The body has a link to the log of the try that failed."""
    for task_id, number, alarm in each_alarm(observe):
        links = alarm.page.links
        wanted = (f"/dags/{DAG_ID}/runs/", f"/tasks/{task_id}", f"try_number={number}")
        shown = ", ".join(links) or "nowhere"
        expect(
            any(all(piece in link for piece in wanted) for link in links),
            happened=f"`{task_id}` failed at its try number {number}. The links of the mail lead "
            f"to: {shown}.{unfilled(shown)}",
            expected="One of them leads to the log of that try. `ti.log_url` is its address, and "
            '`<a href="...">` makes a link of it.',
        )


# --- 4. Give up on a task that hangs ---


@check(task=4)
def test_a_try_that_hangs_is_cut_off(observe: Observe) -> None:
    """A try of `fetch_scores` is given up after ten minutes."""
    seen = observe("no answer for hours")
    task = seen.run.task("fetch_scores")
    lengths = [length(one) for one in task.tries if one.end]
    expect(
        bool(lengths),
        happened=f"`fetch_scores` never ran; it was left as {task.state}.",
        expected="It runs first.",
        at=task.facts,
    )
    longest, limit = max(lengths), task.facts.execution_timeout
    allowed = f"Its `execution_timeout` is {in_words(timedelta(seconds=limit or 0))}."
    if limit is None:
        allowed = "It has no `execution_timeout`."
    ended = (
        "then went on as if nothing had happened" if task.state == "success" else "then was ended"
    )
    expect(
        abs(longest.total_seconds() - 600) < 30,
        happened=f"The scoring service took the question and did not answer. `fetch_scores` waited "
        f"{in_words(longest)} and {ended}. {allowed}",
        expected="A try ends after ten minutes, and counts as failed. Until then nobody is told: "
        "what only waits has not failed. The argument of the task is `execution_timeout`, its "
        "value a `timedelta`. (`timedelta(10)` is ten days; `dagrun_timeout` is another thing.)",
        at=task.facts,
    )
    expect(
        task.state == "failed" and task.error is not None and "Timeout" in task.error.type,
        happened=f"`fetch_scores` was left as {task.state} after {len(task.tries)} tries.",
        expected="Each try is cut off, and after the third one the task has failed.",
        at=task.facts,
    )


# --- 5. Mail the report ---


def report_task(seen: Observation) -> TaskView:
    """The last task, if it was reached."""
    task = seen.run.task("mail_report")
    for before in TASKS[:3]:
        state = seen.run.states.get(before)
        if not task.ran and state != "success":
            raise NotChecked(f"`mail_report` was not reached: `{before}` was left as {state}.")
    return task


@check(task=5)
def test_the_report_is_mailed_to_the_shops(observe: Observe) -> None:
    """The report goes to `shops@example.com`, once, with its table in the body."""
    seen = observe("all is well")
    task = report_task(seen)
    task.must_be_done(5)
    expect(
        task.state == "success",
        happened=f"The mail server was up. `mail_report` {task.ending}",
        expected="It succeeds. `with SmtpHook() as smtp:` opens the connection, and "
        "`smtp.send_email_smtp(...)` sends, with from_email, to, subject and html_content.",
        at=task,
    )
    mails = seen.transcript.mails
    reports = [mail for mail in mails if SHOP_TEAM in mail.recipients]
    others = [address for mail in mails for address in mail.recipients if address != SHOP_TEAM]
    elsewhere = f" Mail went to {names(others)}." if others else ""
    expect(
        len(reports) == 1,
        happened=f"`mail_report` ended as success, and to `{SHOP_TEAM}` there came "
        f"{how_many_mails(len(reports))}.{elsewhere}",
        expected=f"One mail to `{SHOP_TEAM}`. `with SmtpHook() as smtp:` opens the connection, "
        "and `smtp.send_email_smtp(...)` sends.",
        at=task,
    )
    (report,) = reports
    expect(
        report.recipients == [SHOP_TEAM],
        happened=f"The report went to {names(report.recipients)}.",
        expected=f"It goes to `{SHOP_TEAM}` alone. What comes to `{ON_CALL}` each week is soon "
        "no longer read.",
        at=task,
    )
    text = Page(report.body).text
    path = " That is where the file lies; the shops want what is in it." * text.endswith(".html")
    for shop, count in likely_to_leave(seen.scenario).items():
        expect(
            f"{shop} {count} " in f"{text} ",
            happened=f"The mail to the shops reads {text!r}.{path}",
            expected=f"The text of the report file, in which {shop!r} has {count} customers.",
            at=task,
        )


@check(task=5, requires=test_the_report_is_mailed_to_the_shops)
def test_no_report_goes_out_after_a_failure(observe: Observe) -> None:
    """When a task before it has failed, no report is sent."""
    seen = observe("a score in brackets")
    task = seen.run.task("mail_report")
    expect(
        not task.ran,
        happened=f"`check_scores` failed, and `mail_report` ran all the same; it ended as "
        f"{task.state}.",
        expected="It runs only if everything before it succeeded. Its trigger rule decides that; "
        f"here it is `{task.facts.trigger_rule}`.",
        at=task.facts,
    )


@check(task=5, requires=test_the_report_is_mailed_to_the_shops)
def test_a_mail_server_that_is_down_hides_nothing(observe: Observe) -> None:
    """With the mail server down, every task still ends in the state that it has earned."""
    bad = observe("no mail server, bad scores")
    task = bad.run.task("check_scores")
    raised = f"{task.error.type}: {task.error.message}" if task.error else "nothing"
    expect(
        (task.state, len(task.tries)) == ("failed", 1) and wrong_score(bad.scenario) in raised,
        happened="The mail server was down and a score was wrong. `check_scores` was left as "
        f"{task.state} after {len(task.tries)} tries; it raised {raised}",
        expected="It fails at its first try, with its own error. Whether a mail about it can be "
        "sent makes no difference.",
        at=task,
    )
    seen = observe("no mail server")
    last = report_task(seen)
    expect(
        last.state == "failed",
        happened=f"The mail server was down, so no report was sent, and `mail_report` ended as "
        f"{last.state}.",
        expected="It fails. A mail *about* the work may get lost without harm to the work. Here "
        "the mail *is* the work: let the exception leave the task.",
        at=last.facts,
    )
    expect(
        len(last.tries) == 3,
        happened=f"The mail server was down. Number of tries of `mail_report`: {len(last.tries)}.",
        expected="Three tries, as for each task: a mail server is often back a few minutes later.",
        at=last.facts,
    )
