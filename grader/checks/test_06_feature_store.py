"""Hidden checks of part 06: a feature store that is written day by day, and what learns from it.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from grader.judge import NotChecked, Observe, check, expect
from grader.judge.view import names, times

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_06_feature_store import (  # noqa: F401  # isort: skip
    weeks_later, a_bad_day_is_delivered_again, a_row_has_lost_its_customer,
    a_day_unlike_the_one_before,
)  # fmt: skip
from grader.checks.inputs_06_feature_store import (
    DATABASE,
    DAY,
    FIRST_DAY,
    TRAINING,
    day_of,
    delivered,
    delivery_of,
    labels_of,
    right_features,
)
from grader.checks.words_06_feature_store import (
    AGAIN,
    ASSET,
    BUILD,
    COMPUTE,
    EXTRACT,
    PIPELINE,
    STORE,
    TORN,
    UNLIKE,
    VALIDATE,
    DayRun,
    all_shown,
    as_time,
    average,
    day_runs,
    every_run,
    failed_over_its_update,
    features_after,
    good_days,
    how_to_train,
    how_to_update,
    in_words,
    published_times,
    sentence,
    shown,
    some,
    started,
    told_by,
    training_by_hand,
    training_rows,
    trainings,
    why_wrong,
)

# --- 1. Give each run its day ---


@check(task=1)
def test_it_runs_each_midnight_and_leaves_no_day_out(observe: Observe) -> None:
    """It runs at midnight UTC, once for each day from 2026-03-01 on."""
    seen = observe("weeks later")
    dag = seen.dag_named(PIPELINE)
    found = f"The file was loaded on {shown(seen.scenario.start)}. `{PIPELINE}` "
    expect(
        len(dag.next_runs) == 3,
        happened=f"{found}never runs on its own.",
        expected="It runs each night at 00:00. `schedule` says so.",
        at=dag,
    )
    found += f"runs next at {all_shown(dag.next_runs)}."
    expect(
        all(time.hour == time.minute == 0 for time in dag.next_runs)
        and all(after - before == DAY for before, after in pairwise(dag.next_runs)),
        happened=found,
        expected="It runs at 00:00 UTC, once a day.",
        at=dag,
    )
    expect(
        FIRST_DAY <= dag.next_runs[0] <= FIRST_DAY + DAY,
        happened=found,
        expected="It begins with the first day, 2026-03-01, however long ago that was: each day "
        "is missing from the store until a run has computed it. `start_date` is the first day, "
        "and `catchup` says whether the days since then are made up for.",
        at=dag,
    )


@check(task=1, requires=test_it_runs_each_midnight_and_leaves_no_day_out)
def test_a_run_comes_when_its_day_is_over(observe: Observe) -> None:
    """The run for a day comes when that day is over."""
    dag = observe("weeks later").dag_named(PIPELINE)
    expect(
        dag.next_runs[0] == FIRST_DAY + DAY,
        happened=f"The first run is at {shown(dag.next_runs[0])}, when that day has only just "
        "begun.",
        expected=f"The first run is at {shown(FIRST_DAY + DAY)}, and is about the day that ended "
        "then. The interval of a cron text has no length: it begins and ends when the run comes. "
        "With `CronDataIntervalTimetable` the interval is the day before.",
        at=dag,
    )


# --- 2. Fetch the file of the day ---


@check(task=2, requires=test_a_run_comes_when_its_day_is_over)
def test_the_file_of_the_day_is_fetched(observe: Observe) -> None:
    """`extract_usage` copies the file of the run's own day, and returns the path of the copy."""
    for run in every_run(observe):
        wanted = (
            f"It copies `{day_of(run.planned):%Y-%m-%d}.csv`, named after the day on which the "
            f"run's data interval begins, from `delivery_folder()`, here "
            f"`data/{delivery_of(run.planned)}`."
        )
        task = run.succeeded(EXTRACT, 2, wanted)
        if not run.last_of_its_day:
            continue  # a later run for the same day has overwritten its files
        rows, given = run.kept(task), delivered(run.given, run.planned)
        start, end = day_of(run.planned).isoformat(), run.event_time.isoformat()
        within = [row for row in given if start <= row[1] < end]
        days = sorted({row[1][:10] for row in rows if len(row) > 1})
        expect(
            Counter(within) <= Counter(rows) <= Counter(given),
            happened=f"{run.about} the copy has {len(rows)} rows, from {some(days)}.",
            expected=f"{wanted} That one has {len(given)} rows.",
            at=task,
        )


# --- 3. Count what lies within the day ---


@check(task=3, requires=test_the_file_of_the_day_is_fetched)
def test_only_what_lies_within_the_day_is_counted(observe: Observe) -> None:
    """The midnight at which the day begins is counted, the one at which it ends is not."""
    for run in good_days(observe):
        right = right_features(run.given, run.planned)
        task = run.succeeded(COMPUTE, 3, "It returns the path of the features.")
        found = {row[0]: row[1:] for row in run.kept(task)}
        for customer, numbers in right.items():
            mine = found.get(customer)
            expect(
                mine == tuple(map(str, numbers)),
                happened=f"{run.about} {customer} has {in_words(mine)}."
                f"{why_wrong(run, customer, mine)}",
                expected=f"{customer} has {in_words(numbers)}. That is the sum of all rows with "
                f"{shown(day_of(run.planned))} <= at < {shown(run.event_time)}.",
                at=task,
            )
        expect(
            found.keys() == right.keys(),
            happened=f"{run.about} there are also features of {some(found.keys() - right.keys())}.",
            expected="A customer without a row within the day has no features of that day.",
            at=task,
        )


# --- 4. Replace the day as a whole ---


@check(task=4)
def test_the_features_are_stored_at_the_end_of_their_day(observe: Observe) -> None:
    """The features of a day are in the store, and their event time is the end of the day."""
    for run in good_days(observe):
        task = run.succeeded(STORE, 4, "It writes the features of the day.")
        given, rows = run.features(), features_after(run.run)
        there = f" The store has the event times {all_shown(row.event_time for row in rows)}."
        empty = " The store is empty. What is begun and not committed is forgotten."
        expect(
            run.mine.keys() == given.keys(),
            happened=f"{run.about} {len(given)} features were computed, and the store has "
            f"{len(run.mine)} with the event time {shown(run.event_time)}."
            f"{there if rows else empty}",
            expected="All of them. Their event time is the end of the day, which is the first "
            "moment at which somebody could know them.",
            at=task,
        )
        returned = task.xcom()
        expect(
            as_time(returned) == run.event_time,
            happened=f"{run.about} `{STORE}` returned {returned!r}.",
            expected=f"The event time as a text, {run.event_time.isoformat()!r}, for the task that "
            "comes after it.",
            at=task,
        )


@check(task=4, requires=test_the_features_are_stored_at_the_end_of_their_day)
def test_a_day_that_runs_again_is_replaced(observe: Observe) -> None:
    """A day that runs again has the features of its last run in the store, and no others."""
    run = day_runs(observe, AGAIN)[3]
    task = run.succeeded(
        STORE,
        4,
        "It takes out what the store has of this day, and puts in the new features. No customer "
        "can be there twice for one event time.",
    )
    wanted = run.features()
    found = {row.customer: tuple(map(str, row.numbers)) for row in run.mine.values()}
    old = [customer for customer, numbers in found.items() if wanted.get(customer) != numbers]
    lost = wanted.keys() - found.keys()
    told = f" From the run before: {some(old)}." if old else ""
    told += f" Not there: {some(lost)}." if lost else ""
    expect(
        found == wanted,
        happened=f"The day had been stored before. {run.about} {len(wanted)} features were "
        f"computed, and after it the store has {len(found)} of this day.{told}",
        expected="What is in the store for a day comes from its last run alone, whatever an "
        "earlier one has left. A day that is there already is not yet a day that is right.",
        at=task,
    )


@check(task=4, requires=test_the_features_are_stored_at_the_end_of_their_day)
def test_a_late_day_leaves_the_others_alone(observe: Observe) -> None:
    """A day that is stored late leaves newer and older days as they are."""
    for before, run in pairwise(day_runs(observe, AGAIN)):
        task = run.task(STORE, 4)
        left = {(row.customer, row.event_time): row.numbers for row in features_after(run.run)}
        gone = [
            row.event_time
            for row in features_after(before.run)
            if row.event_time != run.event_time
            and left.get((row.customer, row.event_time)) != row.numbers
        ]
        expect(
            not gone,
            happened=f"{run.about} {len(gone)} rows of other days were lost or changed, with the "
            f"event times {all_shown(gone)}.",
            expected=f"Only the rows with the event time {shown(run.event_time)} change. A row is "
            "known by its customer *and* its event time.",
            at=task,
        )


@check(task=4, requires=test_the_features_are_stored_at_the_end_of_their_day)
def test_a_write_that_breaks_off_changes_nothing(observe: Observe) -> None:
    """A write that breaks off half-way leaves the store as it was."""
    before, run = day_runs(observe, TORN)
    before.task(STORE, 4)
    task = run.task(STORE, 4)
    old, new = before.mine, run.mine
    same = sum(new.get(customer) == row for customer, row in old.items())
    expect(
        old == new,
        happened=sentence(f"{run.about} a row has no customer, and `{STORE}` {task.ending}")
        + f" Of this day the store had {len(old)} rows before and has {len(new)} after it; {same} "
        "are the same.",
        expected="All of them are there, untouched. What is taken out and what is put in belong "
        "into one transaction: `begin()` before the first, `commit()` after the last.",
        at=task.facts,
    )


# --- 5. Publish only what is good ---


@check(task=5, requires=test_the_features_are_stored_at_the_end_of_their_day)
def test_good_features_are_published(observe: Observe) -> None:
    """Good features are published, also those of the very first day."""
    for run in good_days(observe):
        task, advice = run.task(VALIDATE, 5), "Nothing is wrong with the features of this day."
        if task.error and "NoneType" in task.error.message:
            advice += " There is no day before: `rows_before` and `drift` are None."
        if not failed_over_its_update(task):
            run.succeeded(VALIDATE, 5, advice)
        expect(
            all(row.published for row in run.mine.values()),
            happened=sentence(f"{run.about} `{VALIDATE}` {task.ending}")
            + f" After it {run.public}.",
            expected="All rows of the day are published: `publish(store, event_time)`.",
            at=task,
        )


def must_fail(run: DayRun, wrong: str, advice: str) -> None:
    """The validation failed. `wrong` says what it had to find."""
    task = run.task(VALIDATE, 5)
    expect(
        task.state == "failed",
        happened=f"{run.about} {wrong}. `{VALIDATE}` ended as {task.state}, and {run.public}.",
        expected=f"It raises a `ValueError`. {advice}",
        at=task,
    )


@check(task=5, requires=test_good_features_are_published)
def test_rows_with_gaps_or_impossible_numbers_are_refused(observe: Observe) -> None:
    """A day with a gap or an impossible number in it fails, and is not published."""
    run = day_runs(observe, AGAIN)[1]
    bad = [row for row in run.mine.values() if None in row.numbers or min(row.numbers) < 0]
    if not bad:
        raise NotChecked("The row with the bad number did not reach the store.")
    wrong = f"{bad[0].customer} has {in_words(bad[0].numbers)}"
    must_fail(run, wrong, "`measure` counts such rows as `bad_rows`, and one is enough.")
    task = run.run.task(VALIDATE)
    expect(
        not any(row.published for row in run.mine.values()),
        happened=sentence(f"{run.about} {wrong}. `{VALIDATE}` {task.ending}")
        + f" Yet {run.public}.",
        expected="None of them. What is published may have been read before anybody hears of the "
        "error, so it comes last.",
        at=task,
    )


@check(
    task=5,
    requires=(test_good_features_are_published, test_a_late_day_leaves_the_others_alone),
)
def test_a_day_unlike_the_one_before_is_refused(observe: Observe) -> None:
    """A day with far fewer rows than the one before fails, and so does one that has drifted."""
    first, few, much = day_runs(observe, UNLIKE)
    must_fail(
        few,
        f"there are {len(few.mine)} rows, after {len(first.mine)} on the day before",
        "Fewer than `MIN_ROWS` of the day before are too few: somebody is missing.",
    )
    must_fail(
        much,
        f"a customer has {average(much):.0f} minutes on average, after {average(first):.0f} on "
        "the day before",
        "Each of the numbers is possible, and all together they are not. `drift` says how far "
        "their mean has moved; more than `MAX_DRIFT` is too far.",
    )


@check(
    task=5,
    requires=(test_good_features_are_published, test_a_late_day_leaves_the_others_alone),
)
def test_the_last_good_features_stay_readable(observe: Observe) -> None:
    """What was published stays published, and what was refused stays in the store."""
    first, bad, third, *_ = day_runs(observe, AGAIN)
    bad.task(VALIDATE, 5)
    for run in (bad, third):
        rows = [r for r in features_after(run.run) if r.event_time == first.event_time]
        hidden = sum(not row.published for row in rows)
        expect(
            not hidden,
            happened=f"The features of {day_of(first.planned):%Y-%m-%d} were published. {run.about}"
            f" {hidden} of their {len(rows)} rows were taken back.",
            expected="They stay published. Who trains or predicts today needs the last good ones.",
            at=run.run.task(VALIDATE),
        )
    task = bad.run.task(VALIDATE)
    expect(
        bool(bad.mine),
        happened=sentence(f"{bad.about} `{VALIDATE}` {task.ending}")
        + " After it there is no row of this day in the store.",
        expected="The rows stay there, not published: somebody has to find out what is wrong.",
        at=task,
    )


# --- 6. Tell who waits for it ---


@check(task=6, requires=test_good_features_are_published)
def test_the_asset_is_updated_only_for_good_features(observe: Observe) -> None:
    """A day that has passed the validation updates `churn_features`, any other does not."""
    for run in every_run(observe):
        task = run.run.task(VALIDATE)
        expect(
            not failed_over_its_update(task),
            happened=sentence(f"{run.about} {run.public}, and then `{VALIDATE}` {task.ending}"),
            expected=how_to_update(task.error),
            at=task,
        )
        good = task.state == "success"
        updated = [event.asset for event in run.events]
        by = names(sorted({str(event.task_id) for event in run.events}))
        expect(
            updated == [ASSET] * good,
            happened=sentence(f"{run.about} `{VALIDATE}` {task.ending}")
            + f" Updated assets: {names(updated)}{f', by {by}' if updated else ''}.",
            expected=f"{f'One update of `{ASSET}`' if good else 'No update'}. A task that succeeds "
            "updates the assets in its `outlets`, so they belong to the task that decides.",
            at=task,
        )


@check(task=6, requires=test_the_asset_is_updated_only_for_good_features)
def test_the_update_says_which_day(observe: Observe) -> None:
    """The update carries the event time of the features along."""
    for run in every_run(observe):
        for event in run.events if any(row.published for row in run.mine.values()) else ():
            expect(
                as_time(told_by(event)) == run.event_time,
                happened=f"{run.about} the update of `{ASSET}` carries {event.extra.repr}.",
                expected=f'{{"event_time": "{run.event_time.isoformat()}"}}. What an update '
                "carries is its `extra`, and a task finds its updates in `outlet_events`.",
                at=run.run.task(VALIDATE),
            )


@check(task=6, requires=test_the_asset_is_updated_only_for_good_features)
def test_each_update_starts_a_training(observe: Observe) -> None:
    """`train_on_features` starts each time that features were published, and at no other time."""
    for story in (AGAIN, TORN, UNLIKE):
        seen = observe(story)
        dag = seen.dag_named(TRAINING)
        updates = sum(len(run.events) for run in day_runs(observe, story))
        waits = names(dag.data.assets) if dag.data.assets else "no asset"
        clock = f" It runs next at {shown(dag.next_runs[0])}." if dag.next_runs else ""
        expect(
            len(started(seen)) == updates,
            happened=f"`{ASSET}` was updated {times(updates)}, and that started `{TRAINING}` "
            f"{times(len(started(seen)))}. It waits for {waits}.{clock}",
            expected="Each update starts it once. Its `schedule` is a list with the asset in it; a "
            "clock would start it whether there is something new or not.",
            at=dag,
        )


# --- 7. Let no label meet its future ---


@check(task=7, requires=test_each_update_starts_a_training)
def test_no_feature_comes_from_after_its_label(observe: Observe) -> None:
    """No label meets features that were not known yet at its time."""
    for _, run in trainings(observe):
        for customer, labelled, known in training_rows(run):
            expect(
                known <= labelled,
                happened=f"{customer} has a label of {shown(labelled)}. In the training set it "
                f"stands beside features that were known at {shown(known)}.",
                expected="The event time of the features is not after the time of the label. What "
                "learns from the future is brilliant until it has to do without.",
                at=run.task(BUILD),
            )


@check(task=7, requires=test_no_feature_comes_from_after_its_label)
def test_each_label_gets_the_newest_published_features(observe: Observe) -> None:
    """Each label meets the newest published features of its customer that were known by then."""
    for _, run in trainings(observe):
        known, rows = published_times(run), training_rows(run)
        for customer, labelled in labels_of(observe(AGAIN).scenario):
            mine = known.get(customer, [])
            newest = max((time for time in mine if time <= labelled), default=None)
            found = [row[2] for row in rows if row[:2] == (customer, labelled)]
            secret = [time for time in found if time not in mine]
            expect(
                found == ([newest] if newest else []),
                happened=f"{customer} has a label of {shown(labelled)} and published features of "
                f"{all_shown(mine, 'no day')}. In the training set that label stands "
                f"{times(len(found))}, beside features of {all_shown(found, 'no day')}."
                f"{f' Those of {all_shown(secret)} are not published.' if secret else ''}",
                expected=f"Once, beside those of {shown(newest)}: the newest that were known by "
                "then."
                if newest
                else "Not at all. Nothing was known of this customer by then.",
                at=run.task(BUILD),
            )


@check(task=7, requires=test_no_feature_comes_from_after_its_label)
def test_the_training_says_what_started_it(observe: Observe) -> None:
    """`build_training_set` returns how many rows there are, and which updates started it."""
    for update, run in trainings(observe):
        task = run.task(BUILD)
        expect(
            task.state == "success",
            happened=sentence(f"`{BUILD}` {task.ending}"),
            expected=how_to_train(task.error),
            at=task,
        )
        rows, said = task.field("rows"), task.field("event_times")
        count = len(run.rows(DATABASE, "training_set"))
        expect(
            rows == count,
            happened=f"The training set has {count} rows. `{BUILD}` returned {rows!r} as `rows`.",
            expected="The number that `write_training_set` returns.",
            at=task,
        )
        expect(
            isinstance(said, list) and [as_time(one) for one in said] == [update.event_time],
            happened=f"The update for {day_of(update.planned):%Y-%m-%d} started the training. "
            f"`{BUILD}` returned {said!r} as `event_times`.",
            expected=f"[{update.event_time.isoformat()!r}]. The run has no date of its own. What "
            "it knows of days, it knows from the `extra` of the updates that started it.",
            at=task,
        )
    task = training_by_hand(observe)
    said = task.field("event_times") if task.state == "success" else None
    expect(
        said == [],
        happened=f"A person started `{TRAINING}`. "
        + (
            f"`{BUILD}` returned {said!r} as `event_times`."
            if task.state == "success"
            else sentence(f"`{BUILD}` {task.ending}")
        ),
        expected="An empty list. No update has started this run, and `triggering_asset_events` is "
        "empty.",
        at=task,
    )
