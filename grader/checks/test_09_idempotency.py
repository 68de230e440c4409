"""Hidden checks of part 09: a day is booked once, however often, late, badly or together it is run.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

from itertools import pairwise

from grader.judge import Observe, check, expect
from grader.judge.view import names

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_09_idempotency import (  # noqa: F401  # isort: skip
    an_ordinary_night, a_week_weeks_later, by_hand_in_the_night, two_days_at_once,
    two_bookings_at_once, the_same_day_again, killed,
)  # fmt: skip
from grader.checks.inputs_09_idempotency import STAND, day_named, delivered, revenue
from grader.checks.words_09_idempotency import (
    BOOK,
    FETCH,
    LEAVE_THE_ERROR,
    booked,
    but_the_stand,
    days_in,
    differing,
    fetched,
    file_at,
    listed,
    must_be_in_the_ledger,
    must_have_booked,
    must_have_fetched,
    must_name_its_day,
    name_of,
    not_waiting,
    sales_in,
    shown,
)

NIGHT, WEEK = "an ordinary night", "a week, weeks later and in any order"
BY_HAND, TOGETHER = "by hand, in the middle of the night", "two days at once"
BOTH_BOOK, AGAIN, KILLED = "two bookings at once", "the same day again", "killed"


# --- 1. Give each business day a run ---


@check(task=1)
def test_it_runs_at_four_each_morning(observe: Observe) -> None:
    """It runs each morning at 04:00 UTC, when a business day is over."""
    dag = observe(NIGHT).dag
    runs = dag.next_runs
    expect(
        len(runs) == 3
        and all((at.hour, at.minute) == (4, 0) for at in runs)
        and all((b - a).total_seconds() == 86_400 for a, b in pairwise(runs)),
        happened=f"The first three runs that the scheduler would start: {listed(runs)}.",
        expected="One each morning at 04:00, in UTC. The five fields of a cron text are minute, "
        "hour, day of the month, month and day of the week.",
        at=dag,
    )


@check(task=1, requires=test_it_runs_at_four_each_morning)
def test_the_first_run_waits_until_its_day_is_over(observe: Observe) -> None:
    """The first run comes on 2 March at four, when the day of 1 March is over."""
    dag = observe(NIGHT).dag
    first = dag.next_runs[0]
    expect(
        f"{first:%Y-%m-%d %H:%M}" == "2024-03-02 04:00",
        happened=f"The DAG begins on 2024-03-01, and its first run would be on {listed([first])}.",
        expected="2024-03-02 04:00. A timetable with data intervals waits until the first "
        "interval is over. A cron text as such, or a `CronTriggerTimetable`, starts a run at the "
        "moment itself.",
        at=dag,
    )


@check(task=1, requires=test_it_runs_at_four_each_morning)
def test_no_day_is_left_out(observe: Observe) -> None:
    """Days that went by while Airflow or the DAG was switched off get their run later."""
    seen = observe(WEEK)
    runs = seen.dag.next_runs
    expect(
        bool(runs) and f"{runs[0]:%Y-%m}" == "2024-03" and runs[0].day <= 2,
        happened=f"If the DAG is switched on as late as {seen.scenario.start:%Y-%m-%d}, the "
        f"scheduler would first start these runs: {listed(runs)}.",
        expected="It begins with 1 March: the ledger needs each day. `catchup` decides whether "
        "days that are over get a run.",
        at=seen.dag,
    )


# --- 2. Ask the run for its day ---


@check(task=2, requires=test_the_first_run_waits_until_its_day_is_over)
def test_a_run_fetches_the_day_that_is_over(observe: Observe) -> None:
    """A run fetches the business day that has just ended, from four o'clock to four o'clock."""
    must_have_fetched(observe(NIGHT), 0)


@check(task=2, requires=test_a_run_fetches_the_day_that_is_over)
def test_a_late_run_fetches_its_own_day(observe: Observe) -> None:
    """A run that takes place weeks later fetches the same day as it would have in time."""
    seen = observe(WEEK)
    paths = [fetched(run)[1] for run in seen.runs]
    for index, path in enumerate(paths):
        must_name_its_day(seen, index)
        if path not in paths[index + 1 :]:  # else another one has written there since
            must_have_fetched(seen, index)


@check(task=2, requires=test_a_late_run_fetches_its_own_day)
def test_a_run_by_hand_fetches_the_last_whole_day(observe: Observe) -> None:
    """A run that somebody starts at night fetches the last day that is over, not half a day."""
    must_have_fetched(observe(BY_HAND), 0)


# --- 3. Keep the runs apart ---


@check(task=3, requires=test_a_late_run_fetches_its_own_day)
def test_two_runs_at_once_do_not_mix(observe: Observe) -> None:
    """Two runs at the same time do not write over each other's sales."""
    seen = observe(TOGETHER)
    held, beside = seen.runs
    for index, run in enumerate((held, beside)):
        planned = seen.scenario.runs[index]
        day, path = day_named(planned), fetched(run)[1]
        right = {sale.sale_id for sale in delivered(seen.scenario, planned)}
        text = file_at(seen, path)
        if text is None:  # cleared away, so what was booked has to tell
            must_have_booked(seen, index)
            must_be_in_the_ledger(seen, index, "Two runs took place at once.", "")
            continue
        found = sales_in(text)
        other = fetched(beside if run is held else held)[1]
        shared = f" Both runs wrote to `{name_of(path)}`." if path == other else ""
        expect(
            found == right,
            happened=f"The run of {day_named(seen.scenario.runs[0])} had saved its sales and was "
            f"held there; meanwhile the run of {day_named(seen.scenario.runs[1])} took place. "
            f"Then the first went on. In the file of {day}, {differing(found, right)}.{shared}",
            expected="Each run finds in its file what it has put there. If `file_for` makes the "
            "name from the run's day, the file belongs to that day alone.",
            at=run.task(FETCH),
        )


# --- 4. Replace the day ---


@check(task=4, requires=test_a_run_fetches_the_day_that_is_over)
def test_a_day_is_booked(observe: Observe) -> None:
    """After a run, the ledger has what each shop took on that day."""
    seen = observe(NIGHT)
    must_have_booked(seen, 0)
    day, there = day_named(seen.scenario.runs[0]), days_in(seen.runs[0])
    expect(
        there in ([], [day]),
        happened=f"One day was booked, {day}, and the ledger has rows for {names(there)}.",
        expected=f"Rows for `{day}` alone.",
        at=seen.runs[0].task(BOOK),
    )
    advice = "One row for each shop."
    if not there:
        advice += (
            " Was it begun (`BEGIN`) and not committed (`COMMIT`)? Then nothing is kept: section 5 "
            "has both statements."
        )
    must_be_in_the_ledger(seen, 0, f"The day {day} was booked.", advice)


@check(task=4, requires=(test_a_late_run_fetches_its_own_day, test_a_day_is_booked))
def test_a_day_that_is_run_twice_is_booked_once(observe: Observe) -> None:
    """A day that is run a second time stands in the ledger as it did after the first time."""
    seen = observe(AGAIN)
    must_have_booked(seen, 1)
    must_be_in_the_ledger(
        seen,
        1,
        "The same day was run twice; the tills had nothing new.",
        "The second time replaces what the first has booked, and adds nothing to it.",
    )


@check(task=4, requires=(test_a_late_run_fetches_its_own_day, test_a_day_is_booked))
def test_other_days_stay_as_they_are(observe: Observe) -> None:
    """Seven days that are booked in any order are all there in the end."""
    seen = observe(WEEK)
    last = seen.runs[-1]
    for index, planned in enumerate(seen.scenario.runs):
        must_have_booked(seen, index)
        day, right = day_named(planned), revenue(seen.scenario, planned)
        found = booked(last, day)
        order = names([day_named(run) for run in seen.scenario.runs])
        expect(
            found == right,
            happened=f"Booked in this order: {order}. In the end the ledger has for {day}: "
            f"{shown(found)}.",
            expected=f"{shown(right)}. Booking a day touches the rows of that day and no others.",
            at=last.task(BOOK),
        )


@check(
    task=4, requires=(test_a_day_that_is_run_twice_is_booked_once, test_other_days_stay_as_they_are)
)
def test_a_run_that_was_killed_can_be_repeated(observe: Observe) -> None:
    """A run whose process was killed is repeated, and the day is booked once, as a whole."""
    seen = observe(KILLED)
    must_have_booked(seen, 2)
    must_be_in_the_ledger(
        seen,
        2,
        "The process was killed in the middle of a run, and the run was repeated.",
        'A mark that says "booked" is made before or after the rows, and a crash fits in '
        "between. Then the rows are there without the mark, or the mark without the rows. "
        "Replace the rows of the day; that is right whatever is there.",
    )


@check(task=4, requires=test_a_run_that_was_killed_can_be_repeated)
def test_late_sales_are_booked(observe: Observe) -> None:
    """When a till has delivered late, running the day again books what it has delivered."""
    seen = observe(AGAIN)
    must_have_booked(seen, 2)
    day = day_named(seen.scenario.runs[2])
    before, right = (revenue(seen.scenario, seen.scenario.runs[n]) for n in (1, 2))
    found = booked(seen.runs[2], day)
    old, wanted, now = (but_the_stand(rows) for rows in (before, right, found))
    still = " That is how it was before." if now == old else ""
    expect(
        now == wanted,
        happened=f"A till that was offline delivered two sales of {day}, and the day was run "
        f"again. The ledger has: {shown(found)}.{still}",
        expected=f"{shown(right)}. A day that is booked is not done with: what the tills say now "
        "replaces what they said then.",
        at=seen.runs[2].task(BOOK),
    )


@check(task=4, requires=test_late_sales_are_booked)
def test_a_shop_without_a_sale_is_taken_out(observe: Observe) -> None:
    """When a correction takes the last sale from a shop, its row goes away."""
    seen = observe(AGAIN)
    day = day_named(seen.scenario.runs[2])
    found = booked(seen.runs[2], day)
    expect(
        STAND not in found,
        happened=f"The only sale of the stand {STAND!r} on {day} was another shop's, and the tills "
        f"have corrected that. The day was run again. The ledger still has: {shown(found)}.",
        expected=f"No row for {STAND}. Row by row, one finds the shops that are there; the one "
        "that is no longer there has to go as well. So all rows of the day are taken out first.",
        at=seen.runs[2].task(BOOK),
    )


# --- 5. All or nothing ---


@check(task=5, requires=test_a_run_that_was_killed_can_be_repeated)
def test_nobody_sees_half_a_day(observe: Observe) -> None:
    """A run that is killed while it replaces a day leaves the old day or the new one, whole."""
    seen = observe(KILLED)
    must_have_booked(seen, 5)
    for first, again in ((0, 3), (2, 4)):
        plans = seen.scenario.runs[first], seen.scenario.runs[again]
        old, new = (revenue(seen.scenario, plan) for plan in plans)
        day = day_named(plans[0])
        found = booked(seen.runs[5], day)
        expect(
            but_the_stand(found) in (but_the_stand(old), but_the_stand(new)),
            happened=f"{day} stood in the ledger. The run that was to book it again was killed in "
            f"the middle. Until somebody repeats it, the ledger has for that day: {shown(found)}.",
            expected=f"The day as it was, {sum(old.values())} cents in all, or as it should "
            f"become, {sum(new.values())} cents. What stands between `BEGIN` and `COMMIT` is kept "
            "as a whole or not at all; a statement outside of them is kept at once.",
            at=seen.runs[5].task(BOOK),
        )


@check(
    task=5,
    requires=(
        test_two_runs_at_once_do_not_mix,
        test_a_day_that_is_run_twice_is_booked_once,
        test_other_days_stay_as_they_are,
    ),
)
def test_two_runs_at_once_are_both_booked(observe: Observe) -> None:
    """Of two runs that want to book at the same time, one waits, and both days get booked."""
    for story in (TOGETHER, BOTH_BOOK):
        seen = not_waiting(observe, story)
        held, beside = seen.runs[-2:]
        first, second = (day_named(planned) for planned in seen.scenario.runs[-2:])
        waited = booked(beside, first) and not booked(held, second)
        last = beside if waited else held
        for run, planned in zip(seen.runs, seen.scenario.runs, strict=True):
            task, day = run.task(BOOK), day_named(planned)
            locked = any("locked" in t.error.message for t in run.data.tries if t.error)
            right, found = revenue(seen.scenario, planned), booked(last, day)
            expect(
                task.state == "success" and found == right,
                happened=f"Two runs took place at the same time. `{BOOK}` of {day} "
                f"{'found the ledger locked and ' * locked}ended as {task.state}; the ledger "
                f"has for that day: {shown(found)}.",
                expected=f"{shown(right)}. While one is booking, the ledger is locked. "
                f"{LEAVE_THE_ERROR}",
                at=task,
            )
