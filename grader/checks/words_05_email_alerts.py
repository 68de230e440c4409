"""The words that the checks of part 05 share: mails and what they say.

They must not import Airflow or read the submission.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser

from grader.checks.inputs_05_email_alerts import likely_to_leave
from grader.judge import NotChecked, Observation, Observe, expect
from grader.judge.view import TaskView

SENDER, ON_CALL, SHOP_TEAM = "airflow@example.com", "alerts@example.com", "shops@example.com"
# Which task fails in a scenario, and at which of three tries it is given up.
GIVEN_UP = {
    "closed all morning": ("fetch_scores", 3),
    "a score in brackets": ("check_scores", 1),
    "a shop is not in the list": ("write_report", 3),
}
ADDRESS = re.compile(r"https?://[^\s<>\"']+")
BRACES = re.compile(r"\{[^{}]*\}")
RAISED = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception|Undefined)): (.+)$")


LONGEST = 10_000  # characters of a mail that are read; a broken page can take the square of that


class Page(HTMLParser):
    """A mail as a person sees it: the text that is shown, and where the links lead."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._shown: list[str] = []
        self.links: list[str] = []
        with contextlib.suppress(AssertionError):  # some broken pages end like this; read so far
            self.feed(source[:LONGEST])
            self.close()
        everything = " ".join("".join(self._shown).split())
        self.links += ADDRESS.findall(everything)
        self.text = ADDRESS.sub("(address)", everything)

    def handle_data(self, data: str) -> None:
        self._shown.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._shown.append(" " if tag in ("p", "br", "div", "tr", "td", "th", "li", "pre") else "")
        self.links += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


page_of = lru_cache(maxsize=100)(Page)


class Alarm:
    """A mail about a failure."""

    def __init__(self, recipients: list[str], subject: str, body: str) -> None:
        self.recipients, self.subject, self.body = recipients, subject, body
        self.page = page_of(body)


def alarms(seen: Observation) -> list[Alarm]:
    """All mails of a scenario but the report, known by the names of the shops in it."""
    shops = likely_to_leave(seen.scenario) if "brackets" not in seen.scenario.name else {}
    return [
        Alarm(mail.recipients, mail.subject, mail.body)
        for mail in seen.transcript.mails
        if mail.recipients != [SHOP_TEAM] and not any(shop in mail.body for shop in shops)
    ]


def last_alarm(observe: Observe, story: str) -> Alarm:
    """The mail about the final failure, which is the last one where there are several."""
    found = alarms(observe(story))
    if not found:
        raise NotChecked(f'No mail about a failure came in scenario "{story}".')
    return found[-1]


def each_alarm(observe: Observe) -> Iterator[tuple[str, int, Alarm]]:
    """The task that failed, the number of its last try and the mail, where a mail came at all.

    One after the other: a message names the scenario that was looked at last.
    """
    for story, (task_id, number) in GIVEN_UP.items():
        if found := alarms(observe(story)):
            yield task_id, number, found[-1]


def how_many_mails(count: int) -> str:
    """`one mail`, `3 mails`."""
    return {0: "no mail", 1: "one mail"}.get(count, f"{count} mails")


def failed(seen: Observation) -> list[str]:
    """The tasks that failed for good."""
    return [task_id for task_id, state in seen.run.states.items() if state == "failed"]


def complaint(task: TaskView) -> str:
    """What the log says of a callback that broke. Airflow lets no state depend on it."""
    _, broke, after = task.output.partition("Failed to run task callback")
    _, mailing, by_mail = task.output.partition("Failed to send email notification")
    raised = [RAISED.match(line.strip()) for line in (after or by_mail).splitlines()]
    said = [f"{found[1]}: {found[2]}" for found in raised if found]
    return said[-1] if (broke or mailing) and said else ""


def why_no_mail(seen: Observation, task: TaskView) -> str:
    """What is known about a mail that did not come, as a sentence."""
    if said := complaint(task):
        return f" The log says that the callback broke with {said}"
    if "on_failure_callback" in task.facts.callbacks:
        return " The task has a callback for failures, and it sent nothing."
    if "on_failure_callback" in seen.dag.data.callbacks:
        return " The callback stands on the DAG; the tasks have none."
    return " The task has no callback for failures."


def how_to_mail(seen: Observation, task: TaskView) -> str:
    """What to do about a mail that did not come."""
    said = complaint(task)
    if said.startswith(("UndefinedError", "SecurityError")):
        return (
            "A template can use what Airflow hands to it, such as `ti.task_id`, `dag.dag_id` and "
            "`exception`. One wrong name in it, and nothing is sent."
        )
    if "from_email" in said:
        return "Give the notifier who writes: `from_email=SENDER`."
    if said:
        return (
            "A callback that raises is noted in the log and forgotten; it has to come to its end."
        )
    if "on_failure_callback" in task.facts.callbacks:
        return (
            "Airflow calls what it finds there. `SmtpNotifier(...)` with its arguments is a "
            "notifier; `SmtpNotifier` alone is a class, and calling that sends nothing."
        )
    return (
        "In `default_args`, the key 'on_failure_callback' holds for each task; its value is a "
        "`SmtpNotifier` with its arguments."
    )


def shortened(text: str) -> str:
    """The text as it is quoted in a message, if need be without its end."""
    return repr(text if len(text) <= 80 else f"{text[:80]}...")


def must_be_filled(text: str, todo: int, where: str) -> None:
    """A template that is still the stub's is no mistake, but work to do."""
    expect(
        text.strip() != f"TODO {todo}",
        happened=f"The {where} of the mail is still {text.strip()!r}: TODO {todo} is open.",
        expected="Replace the text by a template, save, and grade again.",
    )


def unfilled(text: str) -> str:
    """A hint where braces were left in a text, so that nothing was put in their place."""
    found = BRACES.search(text)
    if not found:
        return ""
    return (
        f" {found[0]!r} stands there as it was written. Airflow fills in what is between two "
        "pairs of braces, as in `{{ ti.task_id }}`, and an f-string eats one of the pairs."
    )
