"""Hidden checks of part 10: six trainings a night, two GPUs, and limits for both.

Pure functions over transcripts. They must not import Airflow or read the submission.
"""

from __future__ import annotations

from datetime import timedelta

from grader.judge import NotChecked, Observe, check, expect
from grader.judge.capacity import most, timetable
from grader.judge.view import in_words, length, moment, names, own_line, times

# The grader finds the scenarios here and observes them in this order.
from grader.checks.inputs_10_limits import (  # noqa: F401  # isort: skip
    an_ordinary_night, another_dag_trains_too, another_dag_trains_until_tomorrow,
    one_hangs_one_breaks, a_training_hangs_at_each_try, a_training_is_killed,
)  # fmt: skip
from grader.checks.words_10_limits import (
    A_DAY,
    A_MINUTE,
    A_MOMENT,
    CHURN,
    EXPERIMENT,
    GPUS,
    LIMIT,
    NETWORK,
    POOL,
    POOLS,
    ROAMING,
    TRAININGS,
    UNBOUND,
    cut_off,
    elsewhere,
    ended_in_a_hang,
    given_back_early,
    gpus_of,
    held,
    hung,
    logbook,
    must_have_given_back,
    must_have_taken,
    must_have_trained,
    night,
    only,
    pooled,
    taken_and_killed,
    taken_by,
    these,
    trainings,
    when,
)

SET_UP = (
    "In Airflow a pool is there when somebody has set it up, under Admin, Pools, or with `airflow "
    "pools set`. A name that nobody has set up is no error; its tasks wait for ever."
)


# --- 1. Share the two GPUs ---


@check(task=1)
def test_all_dags_share_the_two_gpus(observe: Observe) -> None:
    """The trainings of all DAGs together never want more GPUs than there are."""
    story = "another DAG trains too"
    seen = observe(story)
    facts = [seen.dag.task(task_id) for task_id in TRAININGS]
    lost = [f for f in facts if f.pool not in POOLS]
    expect(
        not lost,
        happened=f"{names([f.task_id for f in lost])} would never start: in the machine room "
        f"nobody has set up a pool `{lost[0].pool if lost else ''}`.",
        expected=f"All trainings wait in `{POOL}`. {SET_UP}",
        at=lost[0] if lost else None,
    )
    others = elsewhere(seen)
    load = only(night(observe, story), CHURN, ROAMING, EXPERIMENT)
    wanted, together = most(timetable([*others, load], POOLS), gpus_of)
    outside = [f for f in facts if f.pool != POOL]
    where = f" {names([f.task_id for f in outside])} wait in `default_pool`, which has 128 slots."
    other = others[0].work[0].task_id
    expect(
        wanted <= GPUS,
        happened=f"`{other}` of another DAG has had one GPU since 21:00. At "
        f"{when(together[-1].start)} there would run, at the same time, {these(together)}. "
        f"They want {wanted} GPUs, and the machine room has {GPUS}.{where if outside else ''}",
        expected=f"Together they want {GPUS} at most. The pool `{POOL}` has a slot for each GPU, "
        "whichever DAG asks. `max_active_tasks` counts the tasks of one run of one DAG.",
        at=outside[0] if 0 < len(outside) < len(facts) else None,
    )


@check(task=1, requires=test_all_dags_share_the_two_gpus)
def test_the_large_model_gets_both_gpus(observe: Observe) -> None:
    """`gpu.train_network` starts when both GPUs are free, and not before."""
    story = "another DAG trains too"
    seen = observe(story)
    facts, others = seen.dag.task(NETWORK), elsewhere(seen)
    spans = timetable([*others, only(night(observe, story), NETWORK)], POOLS)
    expect(
        len(spans) == 2,
        happened=f"`{NETWORK}` would never start. It asks for {facts.pool_slots} slots of a pool "
        f"that has {GPUS}.",
        expected="It asks for as many slots as it needs GPUs.",
        at=facts,
    )
    other, network = spans
    expect(
        network.start >= other.end,
        happened=f"`{other.work.task_id}` of another DAG had one GPU until {when(other.end)}. "
        f"`{NETWORK}`, which needs two, would start at {when(network.start)} all the same.",
        expected="It waits until both are free. A task takes one slot of its pool unless it says "
        "how many: `pool_slots`.",
        at=facts,
    )


@check(task=1, requires=test_all_dags_share_the_two_gpus)
def test_no_gpu_is_held_for_nothing(observe: Observe) -> None:
    """A training of one GPU takes one slot, and what needs no GPU does not wait for one."""
    story = "another DAG trains until tomorrow"
    seen = observe(story)
    for pair in ((CHURN, ROAMING), (EXPERIMENT, ROAMING)):
        begun = [s for s in timetable([only(night(observe, story), *pair)], POOLS) if s.start == 0]
        slots = [seen.dag.task(task_id).pool_slots for task_id in pair]
        few = (seen.dag.data.max_active_tasks or len(pair)) < len(pair)
        expect(
            len(begun) == len(pair),
            happened=f"Both GPUs were free, and {names(list(pair))} waited, which need one each. "
            f"Only {these(begun) if begun else 'none of them'} would start. They ask for "
            f"{slots[0]} and {slots[1]} slots; `max_active_tasks` is "
            f"{seen.dag.data.max_active_tasks}.",
            expected="Both start. A GPU that is paid for and idle is a loss as well."
            + " The limit on runs has another name: section 3." * few,
            at=seen.dag.task(pair[0]),
        )
    held_up = [f for f in seen.dag.data.tasks if f.task_id not in TRAININGS and f.pool == POOL]
    expect(
        not held_up,
        happened=f"{names([f.task_id for f in held_up])} wait in `{POOL}` too, though they need no "
        "GPU. While other DAGs train, nothing of this one would happen.",
        expected="Only trainings wait in the pool. What stands in the `default_args` of `@dag` "
        "holds for all tasks, and in those of the group for the tasks of the group.",
        at=held_up[0] if held_up else None,
    )


# --- 2. Say who goes first ---


def weighed(observe: Observe) -> str:
    """What Airflow made of the priorities, as a sentence."""
    weights = {w.task_id: w.weight for w in night(observe, "an ordinary night").work}
    said = [f"`{task_id}` {weights[task_id]}" for task_id in reversed(TRAININGS)]
    return f"Airflow weighed {', '.join(said[:-1])} and {said[-1]}."


HOW_IT_WEIGHS = (
    "Who weighs more goes first; between equals it is left to chance. By default a task weighs its "
    "own `priority_weight` and those of all tasks that come after it. With "
    '`weight_rule="absolute"` its own counts alone.'
)


@check(task=2)
def test_the_churn_model_goes_first(observe: Observe) -> None:
    """When GPUs come free and all trainings wait, the churn model is the first."""
    load = only(pooled(night(observe, "an ordinary night")), *TRAININGS)
    first = timetable([load], POOLS)[0].work.task_id
    expect(
        first == CHURN,
        happened=f"Both GPUs came free, and all trainings waited. `{first}` would go first. "
        f"{weighed(observe)}",
        expected=f"`{CHURN}` goes first, and surely: the shops need it at seven. {HOW_IT_WEIGHS}",
        at=observe("an ordinary night").dag.task(CHURN),
    )


@check(task=2, requires=test_the_churn_model_goes_first)
def test_the_experiments_go_last(observe: Observe) -> None:
    """No experiment is started while a product that would fit waits."""
    load = pooled(night(observe, "an ordinary night"))
    for product in (ROAMING, NETWORK):
        first = timetable([only(load, product, EXPERIMENT)], POOLS)[0].work.task_id
        expect(
            first == product,
            happened=f"Both GPUs were free, and `{product}` and the experiments waited. "
            f"`{first}` would go first. {weighed(observe)}",
            expected=f"`{product}` goes before any experiment, and surely. {HOW_IT_WEIGHS}",
            at=observe("an ordinary night").dag.task(EXPERIMENT),
        )


# --- 3. Leave room for others ---


@check(task=3)
def test_one_experiment_runs_at_a_time(observe: Observe) -> None:
    """However many experiments wait, one runs at a time, and the other GPU is left."""
    story = "another DAG trains too"
    facts = observe(story).dag.task(EXPERIMENT)
    load = pooled(only(night(observe, story), EXPERIMENT))
    count, _ = most(timetable([load], POOLS))
    expect(
        count == 1,
        happened=f"Both GPUs were free, and {len(load.work)} experiments waited. {count} of them "
        "would run at the same time.",
        expected="One runs at a time, and there is a GPU left for what is in a hurry. They are "
        "instances of one task, and `max_active_tis_per_dag` says how many of one task may run.",
        at=facts,
    )


@check(task=3)
def test_a_run_waits_for_the_one_before(observe: Observe) -> None:
    """The run of an evening begins when that of the evening before is over."""
    story = "another DAG trains until tomorrow"
    seen = observe(story)
    first, second = (pooled(night(observe, story, due=hour)) for hour in (0.0, 24.0))
    spans = timetable([*elsewhere(seen), first, second], POOLS)
    over = max(span.end for span in spans if span.load is first)
    begins = min((span.start for span in spans if span.load is second), default=over)
    late = [s for s in spans if s.load is first and s.end > begins and s.work.task_id in TRAININGS]
    expect(
        begins >= over,
        happened=f"Other DAGs had both GPUs for more than a day. The run of the next evening would "
        f"begin at {when(begins)}, while that of the first evening still had to train "
        f"{these(late) if late else 'something'}. `max_active_runs` is "
        f"{seen.dag.data.max_active_runs}.",
        expected="It waits until the first one is over. Two runs train the same models, and the "
        "older one may ship last. `max_active_runs` says how many runs of a DAG may be active; "
        "`depends_on_past` and `max_active_tasks` are about tasks.",
        at=seen.dag,
    )


# --- 4. Give the GPUs back ---


@check(task=4)
def test_a_training_takes_its_gpus_and_gives_them_back(observe: Observe) -> None:
    """Each training takes the GPUs that it needs, trains, and gives them back."""
    seen = observe("an ordinary night")
    book = logbook(seen)
    for one in trainings(seen):
        if cut_off(one):
            continue  # that it was cut off is the business of another check
        happened = f"`{one.task_id}` ended as {one.state}"
        place = own_line(one.error) or (None if one.error else seen.dag.task(one.task_id))
        must_have_taken(one, len(taken_by(one, book)), happened, place)
        must_have_trained(one, happened, place)
        must_have_given_back(one, book, place)


def must_be_free_after(ended: str, observe: Observe, story: str, advice: str) -> None:
    """What a try had taken is free as soon as it is over, for all tries that ended in a way."""
    seen = observe(story)
    book = logbook(seen)
    hang = ended == "was cut off"
    mine = [t for t in trainings(seen) if t.error and ended_in_a_hang(t, seen) == hang]
    if not any(taken_by(one, book) for one in mine):
        raise NotChecked(f"not checked because no training that had a GPU {ended}")
    for one in mine:
        end = moment(one.end or one.start)
        kept = [e.gpu for e, back in held(one, book) if back is None or back > end + A_MOMENT]
        expect(
            not kept,
            happened=f"`{one.task_id}` had taken {names(kept)}. Its try {one.number} {ended} "
            f"after {in_words(length(one))}, and then {names(kept)} stayed taken.",
            expected=f"Then {names(kept)} can be taken again, for the next try or by others. "
            f"{advice}",
            at=own_line(one.error),
        )


@check(task=4, requires=test_a_training_takes_its_gpus_and_gives_them_back)
def test_the_gpu_is_free_after_an_error(observe: Observe) -> None:
    """When a training has raised an error, its GPUs are free, and nobody else's."""
    advice = "A line after the training is not reached then. `finally` is, always."
    must_be_free_after("raised an error", observe, "one hangs, one breaks", advice)
    seen = observe("a training is killed")
    book = logbook(seen)
    killed, taken, _ = taken_and_killed(seen, book)
    expect(
        not given_back_early(taken, book),
        happened=f"`{killed.task_id}` had taken {taken.gpu}, and its lease was not over. Then a "
        f"training of the next run, which had not taken {taken.gpu}, gave it back.",
        expected="A training gives back what it has taken itself, and nothing else: what "
        "`take_gpus` returned.",
    )
    error = seen.runs[1].task(NETWORK).error
    expect(
        error is None or error.type not in UNBOUND,
        happened=f"One GPU was free, and `{NETWORK}` wanted both. It raised "
        f"{error.type if error else 'nothing'}: {error.message if error else ''}",
        expected="The error of `take_gpus`, which says who has the other one, and until when. Take "
        "the GPUs before the `try`: if there are none, there is nothing to give back.",
        at=own_line(error),
    )


# --- 5. Cut off what hangs ---


@check(task=5, requires=test_a_training_takes_its_gpus_and_gives_them_back)
def test_a_training_that_hangs_is_cut_off(observe: Observe) -> None:
    """A training that hangs is cut off after three hours, whichever it is."""
    for story in ("one hangs, one breaks", "a training hangs at each try"):
        seen = observe(story)
        for one in hung(seen):
            facts, whole = seen.dag.task(one.task_id), seen.dag.data.run_timeout
            limit = facts.execution_timeout
            allowed = f"Its `execution_timeout` is {in_words(timedelta(seconds=limit or 0))}."
            if limit is None:
                allowed = "It has no `execution_timeout`."
            if whole is not None:
                allowed += f" `dagrun_timeout` is {in_words(timedelta(seconds=whole))}."
            expect(
                length(one) <= LIMIT + A_MOMENT,
                happened=f"`{one.task_id}` hung, and went on for {in_words(length(one))}. "
                f"{allowed}",
                expected=f"After {in_words(LIMIT)} the try is cut off. That is the task's "
                "`execution_timeout`, a `timedelta`. (`dagrun_timeout` fails the whole run, "
                "without another try; `sla` does nothing in Airflow 3.)",
                at=facts,
            )


@check(task=5, requires=test_a_training_that_hangs_is_cut_off)
def test_it_is_tried_once_more(observe: Observe) -> None:
    """A training that was cut off gets one more try, a minute later."""
    seen = observe("one hangs, one breaks")
    for one in hung(seen):
        if one.state not in ("up_for_retry", "failed"):
            raise NotChecked(f"not checked because the try that was cut off ended as {one.state}")
        tries = [t for t in trainings(seen, one.task_id) if t.map_index == one.map_index]
        error = one.error.type if one.error else "nothing"
        expect(
            len(tries) >= 2,
            happened=f"`{one.task_id}` hung, and its try was ended with {error}. There was no "
            f"other try; its `retries` are {seen.dag.task(one.task_id).retries}.",
            expected="It is tried once more: what hung once mostly does not hang twice. Airflow "
            "tries again after an `AirflowTaskTimeout` as after any error, if there are `retries`.",
            at=own_line(one.error),
        )
        wait = timedelta(seconds=seen.dag.task(one.task_id).retry_delay)
        expect(
            abs(wait - A_MINUTE) <= A_MOMENT,
            happened=f"`{one.task_id}` was cut off, and would wait {in_words(wait)} for its other "
            "try.",
            expected="A minute: `retry_delay`, a `timedelta`. Without it Airflow waits for five "
            "minutes.",
        )
    churn = observe("a training hangs at each try").run.task(CHURN)
    expect(
        len(churn.tries) <= 2,
        happened=f"`{CHURN}` hung at each try, and was tried {times(len(churn.tries))}.",
        expected=f"Two tries: one, and one more. What has hung twice will hang again, and each try "
        f"takes a GPU for {in_words(LIMIT)}. `retries` counts those after the first.",
    )


@check(task=5, requires=test_a_training_that_hangs_is_cut_off)
def test_a_long_training_is_left_alone(observe: Observe) -> None:
    """A training that is slow but well is not cut off."""
    seen = observe("an ordinary night")
    for one in trainings(seen):
        expect(
            not cut_off(one),
            happened=f"`{one.task_id}` was well and needed more than {in_words(length(one))}. "
            "Then it was cut off.",
            expected="The slowest training needs 2 h 45 min. A limit is good if no healthy try "
            f"ever reaches it, so it is {in_words(LIMIT)} here.",
            at=seen.dag.task(one.task_id),
        )


@check(
    task=5, requires=(test_the_gpu_is_free_after_an_error, test_a_training_that_hangs_is_cut_off)
)
def test_the_gpu_is_free_after_the_cut(observe: Observe) -> None:
    """When a training was cut off, its GPUs are free."""
    for one in hung(observe("one hangs, one breaks")):
        error = one.error
        expect(
            error is None or error.type not in UNBOUND or length(one) <= A_MOMENT,
            happened=f"`{one.task_id}` was cut off after {in_words(length(one))}, but ended with "
            f"{error.type if error else 'nothing'}: {error.message if error else ''}",
            expected="It ends with `AirflowTaskTimeout`. Something in `train_on_gpus` replaced it: "
            "no `return` under `finally`, no other `raise`, and every name is imported.",
            at=own_line(error),
        )
    advice = (
        "`AirflowTaskTimeout` is a `BaseException`, so that `except Exception` lets it pass. "
        "`finally` does not care what it was."
    )
    for story in ("one hangs, one breaks", "a training hangs at each try"):
        must_be_free_after("was cut off", observe, story, advice)


@check(task=5, requires=test_a_training_that_hangs_is_cut_off)
def test_a_hang_stays_a_failure(observe: Observe) -> None:
    """A training that hangs at each try has failed, and what comes after it does not start."""
    seen = observe("a training hangs at each try")
    churn, ship = seen.run.task(CHURN), seen.run.task("ship_churn")
    shipped = " `ship_churn` started, although there is no model." if ship.ran else ""
    expect(
        churn.state == "failed",
        happened=f"`{CHURN}` hung, was cut off after {in_words(length(churn.tries[-1]))} and "
        f"ended as {churn.state}.{shipped}",
        expected="It ends as failed. Whoever catches the timeout has to raise it again: a bare "
        "`raise`, or `finally`, which catches nothing. A `return` in a `finally` swallows it.",
        at=own_line(churn.error),
    )


# --- 6. Lease instead of keep ---


@check(task=6, requires=test_a_training_takes_its_gpus_and_gives_them_back)
def test_a_gpu_comes_back_after_a_kill(observe: Observe) -> None:
    """A GPU whose holder was killed in the evening can be taken at dawn."""
    seen = observe("a training is killed")
    killed, taken, until = taken_and_killed(seen, logbook(seen))
    dawn = moment(seen.runs[-1].data.start)
    expect(
        until <= dawn + A_MOMENT,
        happened=f"In the evening `{killed.task_id}` took {taken.gpu} and was killed. "
        f"{in_words(dawn - taken.at)} later a run began, and {taken.gpu} was still taken, until "
        f"{f'{until:%H:%M}' if until - dawn < A_DAY else f'{until:%d %B %Y}'}.",
        expected=f"At dawn {taken.gpu} counts as free. Nobody gives a GPU back who was killed, so "
        "the time for which it was taken has to be over: `LEASE`, at most 6 hours.",
    )


@check(task=6, requires=(test_a_gpu_comes_back_after_a_kill, test_a_training_that_hangs_is_cut_off))
def test_no_gpu_is_lost_while_training(observe: Observe) -> None:
    """No lease runs out while a try may still train."""
    seen = observe("an ordinary night")
    book = logbook(seen)
    for one in trainings(seen):
        limit = timedelta(seconds=seen.dag.task(one.task_id).execution_timeout or 0)
        for entry in taken_by(one, book):
            lease = (entry.until or entry.at) - entry.at
            expect(
                lease >= limit - A_MOMENT,
                happened=f"`{one.task_id}` took {entry.gpu} for {in_words(lease)}, and a try of it "
                f"may take {in_words(limit)}. After the lease, {entry.gpu} counts as free, and "
                "somebody else takes it in the middle of the training.",
                expected="The lease is no shorter than the `execution_timeout`, which is what "
                "makes sure that no try is longer.",
            )
