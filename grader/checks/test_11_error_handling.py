"""Hidden checks of part 11: what is decided for each kind of error, and what others see of it.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

from grader.judge import NotChecked, Observe, check, expect
from grader.judge.view import length, moment, names, own_line

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_11_error_handling import (  # noqa: F401  # isort: skip
    a_good_night, a_shop_has_no_orders, each_shop_stumbles, a_page_instead_of_orders,
    nothing_works, the_machine_dies_while_it_publishes,
)  # fmt: skip
from grader.checks.inputs_11_error_handling import SHOPS, key, night, replies, troubles, waits
from grader.checks.words_11_error_handling import (
    ERRORS,
    FETCH,
    MAKE,
    PUBLISH,
    REMOVE,
    UNKNOWN,
    alerts,
    by_shop,
    delay_must_be_a_timedelta,
    failing,
    fetched,
    how_to_tell,
    in_trouble,
    left_in_staging,
    policy_must_not_break,
    published,
    removed_before,
    sent,
    swallowed,
    tried,
    why_not_told,
    written,
)

BAD_NIGHTS = ("a page instead of orders", "nothing works")
HOW_TO_NAME = "`setups=` takes the name `made`; another call would be another task."
NIGHTS = ("a good night", "a shop has no orders", "each shop stumbles", *BAD_NIGHTS)


# --- 1. Skip what is no error ---


@check(task=1)
def test_the_orders_of_a_shop_are_staged(observe: Observe) -> None:
    """`fetch_orders` stages the orders of a shop and returns the path of the file."""
    seen = observe("a good night")
    for shop in SHOPS:
        task = written(seen.run, shop)
        value = task.xcom()
        expect(
            isinstance(value, str) and shop in value,
            happened=f"`{FETCH}` returned {str(value)[:120]!r} for {shop}.",
            expected="The path of the staged file, which `stage` returns.",
            at=task,
        )


@check(task=1, requires=test_the_orders_of_a_shop_are_staged)
def test_a_shop_without_orders_is_skipped(observe: Observe) -> None:
    """A shop that has no orders tonight is skipped: neither failed nor a success."""
    seen = observe("a shop has no orders")
    for shop, _, task in in_trouble(seen):
        expect(
            "AirflowSkipException" not in (task.error.message if task.error else ""),
            happened=f"{shop} answered 404. Its `{FETCH}` returned an `AirflowSkipException`, and "
            "Airflow could not hand that on.",
            expected="`raise` it. An exception that is returned is a value like any other.",
        )
        expect(
            task.state == "skipped",
            happened=f"{shop} answered 404, and its `{FETCH}` {task.ending}",
            expected="It is skipped: `NoOrders` means that there is nothing to do, and a task says "
            "so with an `AirflowSkipException`.",
            at=task,
        )
        expect(
            len(task.tries) == 1,
            happened=f"{shop} answered 404, and its `{FETCH}` {tried(task)}.",
            expected="It asks once. That there are no orders is an answer.",
            at=task,
        )


@check(task=1, requires=test_the_orders_of_a_shop_are_staged)
def test_an_error_leaves_the_task(observe: Observe) -> None:
    """A shop that sends no list, refuses, or does not answer makes its task fail."""
    for story in BAD_NIGHTS:
        seen = observe(story)
        for shop, _, task in in_trouble(seen):
            expect(
                task.state not in ("success", "skipped"),
                happened=f"{shop} {sent(seen, shop)}, and its `{FETCH}` ended as {task.state}.",
                expected="It fails. Nobody knows now how many orders this shop has. Only "
                "`NoOrders` is no error; any other exception leaves the task as it is.",
                at=task,
            )


# --- 2. Decide by the kind of error ---


@check(task=2, requires=test_the_orders_of_a_shop_are_staged)
def test_a_shop_that_is_down_is_asked_again(observe: Observe) -> None:
    """A shop that is down is asked again, four times in all."""
    seen = observe("each shop stumbles")
    for shop in SHOPS:
        row = replies(seen.scenario, shop)
        if shop == waits(seen.scenario)[0]:
            continue
        task = written(seen.run, shop)
        if swallowed(seen, shop):
            raise NotChecked("not checked because section 1 comes first: the error is swallowed")
        policy_must_not_break(task)
        expect(
            (task.state, len(task.tries)) == ("success", len(row)),
            happened=f"{shop} {sent(seen, shop)}, and call {len(row)} would have brought orders. "
            f"`{FETCH}` {tried(task)}; it ended as {task.state}.",
            expected="A `ShopDown` is tried again: a few minutes later the shop may be back.",
            at=own_line(task.error),
        )
    seen = observe("nothing works")
    for shop, _, task in failing(seen, "down"):
        expect(
            len(task.tries) == 4,
            happened=f"{shop} {sent(seen, shop)} at every call. `{FETCH}` {tried(task)}.",
            expected="Four tries: one, and the three `retries` that the DAG gives to each task.",
            at=own_line(task.error),
        )


@check(task=2, requires=test_the_orders_of_a_shop_are_staged)
def test_a_busy_shop_is_asked_when_it_wants_to_be(observe: Observe) -> None:
    """A shop that says when to come back is asked then, and nobody has to wait for it."""
    seen = observe("each shop stumbles")
    shop, wanted = waits(seen.scenario)
    task = written(seen.run, shop)
    if swallowed(seen, shop):
        raise NotChecked("not checked because section 1 comes first: the error is swallowed")
    policy_must_not_break(task)
    delay_must_be_a_timedelta(task)
    asked = " and then ".join(map(str, wanted))
    said = f"{shop} answered 429 twice and asked for {asked} seconds. "
    expect(
        task.state == "success",
        happened=f"{said}`{FETCH}` {tried(task)}; it ended as {task.state}.",
        expected="It succeeds with the third call. A `ShopBusy` passes by waiting.",
        at=own_line(task.error),
    )
    longest = max(task.tries, key=length)
    took = round(length(longest).total_seconds())
    if took > 60:
        others = [t for s in SHOPS if s != shop for t in fetched(seen.run, s).tries]
        expect(
            any(longest.start < other.start < (longest.end or "") for other in others),
            happened=f"{said}A try of `{FETCH}` took {took} seconds: it slept.",
            expected="The wait lies between two tries. A task that sleeps holds a worker that "
            "others could use. Let the error leave the task; the policy says when it is tried "
            "again.",
            at=task.facts,
        )
        expect(
            sum(wanted) <= took <= sum(wanted) + 240,
            happened=f"{said}`{FETCH}` took {took} seconds in all.",
            expected=f"It asks again after {asked} seconds.",
        )
        return
    found = [round(gap.total_seconds()) for gap in task.gaps]
    expect(
        len(found) == 2 and all(w <= f <= w + 120 for w, f in zip(wanted, found, strict=True)),
        happened=f"{said}Between the tries lay {' and '.join(map(str, found))} seconds.",
        expected="As long as the shop said: the exception knows it, as `seconds`. A "
        "`RetryDecision` takes it as its `delay`, a `timedelta(seconds=...)`.",
    )


@check(task=2, requires=test_the_orders_of_a_shop_are_staged)
def test_what_waiting_cannot_cure_is_asked_once(observe: Observe) -> None:
    """A refused key and an answer that is no list of orders are not tried again."""
    for story in BAD_NIGHTS:
        seen = observe(story)
        for shop, kind, task in failing(seen, "refused", "no list"):
            policy_must_not_break(task)
            why = (
                "the key is as invalid in five minutes as it is now"
                if kind == "refused"
                else "who sends the wrong page sends it again in five minutes"
            )
            expect(
                len(task.tries) == 1,
                happened=f"{shop} {sent(seen, shop)}. `{FETCH}` {tried(task)}.",
                expected=f"It fails at once: {why}. Somebody has to do something, and should know "
                "now.",
                at=own_line(task.error),
            )


@check(task=2, requires=test_the_orders_of_a_shop_are_staged)
def test_an_unknown_error_is_not_tried_again(observe: Observe) -> None:
    """An error that nobody has thought of fails at once."""
    seen = observe("nothing works")
    for shop, _, task in failing(seen, "unknown"):
        policy_must_not_break(task)
        expect(
            len(task.tries) == 1,
            happened=f"{shop} {sent(seen, shop)}, for which there is no name. `{FETCH}` "
            f"{tried(task)}.",
            expected="It fails at once. Try again what you know to pass, and nothing else: a retry "
            "that happens to work would hide what nobody has understood.",
            at=own_line(task.error),
        )


# --- 3. Tell the person on call ---


@check(task=3, requires=test_the_orders_of_a_shop_are_staged)
def test_each_shop_that_failed_is_told_about(observe: Observe) -> None:
    """There is an alert for each shop whose task has failed, and it says which shop it is."""
    for story in BAD_NIGHTS:
        seen = observe(story)
        for shop, _, task in failing(seen):
            expect(
                bool(alerts(seen, shop)),
                happened=f"{shop} {sent(seen, shop)}, its `{FETCH}` failed, and no alert about "
                f"{shop} came.{why_not_told(seen, task)}",
                expected=f"An alert whose `who` names the shop. {how_to_tell(seen, task)}",
            )


@check(task=3, requires=test_each_shop_that_failed_is_told_about)
def test_nobody_is_told_about_what_passes(observe: Observe) -> None:
    """One alert for each failure, and none about a retry, a success or a skip."""
    for story in NIGHTS:
        seen = observe(story)
        failed = [s for run in seen.runs for s in SHOPS if fetched(run, s).state == "failed"]
        for shop in SHOPS:
            told = alerts(seen, shop)
            task = fetched(seen.runs[-1], shop)
            if swallowed(seen, shop):
                continue
            how_many = f"one alert about {shop}" if len(told) == 1 else f"{len(told)} alerts"
            expect(
                len(told) <= failed.count(shop),
                happened=f"{shop} {sent(seen, shop)}. `{FETCH}` {tried(task)}; it ended as "
                f"{task.state}. There came {how_many}.",
                expected="One alert when a task has failed for good, none about a try that is "
                "repeated, and none about a skip. Who is called for nothing stops listening.",
            )


@check(task=3, requires=test_each_shop_that_failed_is_told_about)
def test_an_alert_says_what_went_wrong_and_what_to_do(observe: Observe) -> None:
    """An alert has the error in it, and the advice for its kind."""
    for story in BAD_NIGHTS:
        seen = observe(story)
        for shop, kind, _ in failing(seen):
            told = alerts(seen, shop)
            status = replies(seen.scenario, shop)[-1].status
            error, advice = ERRORS[kind]
            wanted = [error] if status == 200 else [error, str(status)]
            expect(
                all(word in told[-1].error for word in wanted),
                happened=f"{shop} {sent(seen, shop)}. The alert has {told[-1].error!r} as its "
                "error.",
                expected=f"The type of the error and its text, so {names(wanted)} in it. The "
                "context has the exception, under 'exception'; its text alone does not say what "
                "kind it is.",
            )
            expect(
                told[-1].advice.startswith(advice),
                happened=f"{shop} {sent(seen, shop)}. The alert has {told[-1].advice!r} as its "
                "advice.",
                expected=f'The one that begins with "{advice}". '
                + (
                    "An error that is no `ShopError` has no advice of its own; for that there is "
                    "`UNKNOWN`."
                    if advice == UNKNOWN
                    else f"`{error}` is a `ShopError`, and each of these has its `advice`."
                ),
            )


@check(task=3, requires=test_each_shop_that_failed_is_told_about)
def test_no_alert_holds_the_key(observe: Observe) -> None:
    """Our key to the shops is in no alert."""
    for story in BAD_NIGHTS:
        seen = observe(story)
        secret = key(seen.scenario)
        for alert in (alert for shop in SHOPS for alert in alerts(seen, shop)):
            expect(
                secret not in alert.body,
                happened=f"The alert about {alert.shop} has the key in it: {alert.error!r}.",
                expected="The same with stars in its place: `without_key`. What is sent to a chat "
                "is read by more people than may have the key.",
            )


# --- 4. Clean up, whatever happened ---


@check(task=4)
def test_the_staging_folder_is_removed_whatever_happened(observe: Observe) -> None:
    """`remove_staging` runs after each night, good or bad, and leaves no folder behind."""
    for story in NIGHTS:
        seen = observe(story)
        for run in seen.runs:
            last = run.task(REMOVE)
            expect(
                last.ran,
                happened=f"`{REMOVE}` never ran; it was left as {last.state}. `{PUBLISH}` ended as "
                f"{run.task(PUBLISH).state}.",
                expected="It runs whatever happened before. By default a task runs only if all "
                "before it succeeded; a teardown does not care.",
                at=last,
            )
            expect(
                last.state == "success",
                happened=f"`{REMOVE}` {last.ending}",
                expected="It removes the folder and succeeds.",
                at=last,
            )
        left = left_in_staging(seen)
        expect(
            not left,
            happened=f"At the end there is still {names(left[:3])}.",
            expected="No staging folder is left. Each run removes its own.",
            at=seen.dag.task(REMOVE),
        )


@check(task=4, requires=test_the_staging_folder_is_removed_whatever_happened)
def test_a_failed_night_stays_a_failed_run(observe: Observe) -> None:
    """A night on which a shop failed is a failed run, although the folder was removed."""
    for story in BAD_NIGHTS:
        run = observe(story).runs[-1]
        failed = [shop for shop in SHOPS if fetched(run, shop).state == "failed"]
        if not failed or run.task(PUBLISH).state == "success":
            section = 5 if failed else 1
            raise NotChecked(f"not checked because section {section} comes first")
        expect(
            run.state == "failed",
            happened=f"`{FETCH}` failed for {names(failed)}, and the run ended as {run.state}.",
            expected="It ends as failed. Airflow looks at the last tasks of a run only. If one of "
            f"them succeeds after a failure, the failure is hidden; a teardown is not counted, so "
            f"`{REMOVE}` should be one.",
            at=run.dag.task(REMOVE),
        )


@check(task=4, requires=test_a_failed_night_stays_a_failed_run)
def test_the_staging_folder_is_there_as_long_as_somebody_needs_it(observe: Observe) -> None:
    """`remove_staging` waits for `publish`, and for each shop that is still being tried."""
    seen = observe("a good night")
    dag, run = seen.dag, seen.run
    makers = [task_id for task_id in dag.task_ids if task_id.startswith(MAKE)]
    early = [shop for shop in SHOPS if removed_before(run, fetched(run, shop))]
    expect(
        not early,
        happened=f"`{REMOVE}` ran before `{FETCH}`, which then found no folder.",
        expected=f"It comes last. Is `{PUBLISH}(fetched) >>` still in front of it?",
        at=dag.task(REMOVE),
    )
    expect(
        (PUBLISH, REMOVE) in dag.paths,
        happened=f"`{REMOVE}` does not wait for `{PUBLISH}`; nothing says which one is first.",
        expected=f"`{PUBLISH}` needs the folder, so `{REMOVE}` comes after it, with `>>`.",
        at=dag.task(REMOVE),
    )
    for story in NIGHTS:
        run = observe(story).runs[-1]
        begin = moment(run.task(REMOVE).tries[0].start)
        for shop in SHOPS:
            last = fetched(run, shop).tries[-1]
            expect(
                begin >= moment(last.end or last.start),
                happened=f"`{REMOVE}` ran, and later came try {last.number} of `{FETCH}` for "
                f"{shop}, which had to be tried again.",
                expected=f"It waits for all that use the folder. `{PUBLISH}` is given up as soon "
                "as one shop has failed, so to wait for that is not enough. A teardown that knows "
                "its setup waits for everything in between: `setups=`."
                + (f" {names(makers)} both make the folder. {HOW_TO_NAME}" * (len(makers) > 1)),
                at=run.dag.task(REMOVE),
            )


# --- 5. Publish all or nothing ---


@check(task=5, requires=test_the_orders_of_a_shop_are_staged)
def test_a_good_night_is_published(observe: Observe) -> None:
    """After a good night `orders.jsonl` holds the orders of all shops."""
    seen = observe("a good night")
    task, right = seen.run.task(PUBLISH), night(seen.scenario)
    task.must_be_done(5)
    if (PUBLISH, REMOVE) not in seen.dag.paths:
        raise NotChecked("not checked because section 4 comes first")
    task.must_have_succeeded()
    found = published(seen)
    expect(
        found == right,
        happened=f"All shops sent orders, and `{PUBLISH}` succeeded. In `orders.jsonl`: "
        f"{by_shop(found)}.",
        expected=f"Orders in the file `PUBLISHED`: {by_shop(right)}.",
        at=task,
    )
    returned = task.xcoms.get("return_value")
    expect(
        returned == len(right),
        happened=f"`{PUBLISH}` returned {'nothing' if returned is None else repr(returned)}.",
        expected=f"The number of orders, {len(right)}, which `join_orders` returns.",
        at=task,
    )


@check(
    task=5,
    requires=(test_a_good_night_is_published, test_a_shop_without_orders_is_skipped),
)
def test_a_shop_without_orders_holds_nobody_up(observe: Observe) -> None:
    """When one shop has no orders, those of the others are published."""
    seen = observe("a shop has no orders")
    task, right = seen.run.task(PUBLISH), night(seen.scenario)
    (shop,) = troubles(seen.scenario)
    expect(
        task.ran,
        happened=f"{shop} was skipped, the others sent orders, and `{PUBLISH}` was left as "
        f"{task.state}.",
        expected="It runs if nobody before it has failed. By default a skip is handed on to all "
        "that comes after; the trigger rule decides, and here it is "
        f"`{task.facts.trigger_rule}`.",
        at=task.facts,
    )
    expect(
        task.state == "success",
        happened=f"{shop} was skipped, the others sent orders, and `{PUBLISH}` {task.ending}",
        expected="It succeeds: a shop that has no orders is not missing.",
        at=task,
    )
    found = published(seen)
    expect(
        found == right,
        happened=f"{shop} was skipped. In `orders.jsonl`: {by_shop(found)}.",
        expected=f"The orders of the others: {by_shop(right)}.",
        at=task,
    )


@check(task=5, requires=test_a_good_night_is_published)
def test_a_failed_shop_leaves_the_orders_of_the_night_before(observe: Observe) -> None:
    """When one shop has failed nothing is published, and the orders of the last good night stay."""
    seen = observe("a page instead of orders")
    run, right, found = seen.runs[-1], night(seen.scenario), published(seen)
    ((shop, _, _),) = failing(seen)
    new = (found or set()) & night(seen.scenario, 1)
    expect(
        not new,
        happened=f"On the second night {shop} failed. In `orders.jsonl` are orders of that night "
        f"all the same: {by_shop(new)}. `{PUBLISH}` ended as {run.task(PUBLISH).state}; its "
        f"trigger rule is `{run.dag.task(PUBLISH).trigger_rule}`.",
        expected="Nothing of that night. Who reads the file cannot see that a shop is missing.",
        at=run.dag.task(PUBLISH),
    )
    expect(
        found == right,
        happened=f"On the second night {shop} failed. In `orders.jsonl`: {by_shop(found)}.",
        expected=f"What the first night published: {by_shop(right)}.",
        at=run.dag.task(PUBLISH),
    )


@check(task=5, requires=test_a_failed_shop_leaves_the_orders_of_the_night_before)
def test_no_reader_ever_sees_half_a_night(observe: Observe) -> None:
    """If the machine dies in the middle of publishing, the file holds one whole night."""
    seen = observe("the machine dies while it publishes")
    found, before, after = published(seen), night(seen.scenario), night(seen.scenario, 1)
    expect(
        found in (before, after),
        happened="On the second night the machine died as soon as `orders.jsonl` was no longer "
        f"what it had been. In it: {by_shop(found)}.",
        expected=f"One whole night: the old one ({by_shop(before)}) or the new one "
        f"({by_shop(after)}). Put everything together in the staging folder, and then give it its "
        "name in one step: `replace`. To write a file anew, or to copy into it, empties it first.",
        at=seen.dag.task(PUBLISH),
    )
