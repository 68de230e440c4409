"""When tasks would start on a real scheduler: pools, slots, weights, and the limits of a DAG."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.judge.capacity import Load, Work, most, timetable

POOLS = {"default_pool": 128, "two": 2}


def work(task_id: str, hours: float = 1.0, *upstream: str, **more) -> Work:
    return Work(task_id, hours, frozenset(upstream), **more)


def in_two(task_id: str, hours: float = 1.0, **more) -> Work:
    return work(task_id, hours, pool="two", **more)


def load(*tasks: Work, due: float = 0.0, dag_id: str = "d", **limits) -> Load:
    return Load(dag_id, due, tasks, **limits)


def starts(*loads: Load, pools=POOLS) -> list[tuple[str, float]]:
    return [(span.work.task_id, span.start) for span in timetable(list(loads), pools)]


def instances(task_id: str, count: int, **more) -> list[Work]:
    return [in_two(task_id, map_index=number, **more) for number in range(count)]


def test_what_waits_for_nothing_starts_when_the_run_is_due():
    assert starts(load(work("a"), work("b"), due=3.0)) == [("a", 3.0), ("b", 3.0)]


def test_a_task_starts_when_all_that_it_waits_for_has_ended():
    run = load(work("a", 2.0), work("b", 3.0), work("c", 1.0, "a", "b"), work("d", 1.0, "c"))
    assert starts(run)[2:] == [("c", 3.0), ("d", 4.0)]


def test_who_waits_for_a_mapped_task_waits_for_all_its_instances():
    run = load(*instances("a", 3), work("b", 1.0, "a"))
    assert starts(run) == [("a", 0.0), ("a", 0.0), ("a", 1.0), ("b", 2.0)]


def test_what_takes_no_time_lets_the_next_one_start_at_once():
    assert starts(load(work("a", 0.0), work("b", 0.0, "a"), work("c", 1.0, "b"))) == [
        ("a", 0.0), ("b", 0.0), ("c", 0.0),
    ]  # fmt: skip


def test_a_pool_is_shared_by_all_dags():
    mine, other = load(in_two("a"), in_two("b")), load(in_two("c", 4.0), due=-1.0, dag_id="e")
    assert starts(mine, other) == [("c", -1.0), ("a", 0.0), ("b", 1.0)]


def test_a_slot_that_becomes_free_is_taken_at_that_moment():
    assert starts(load(in_two("a", 1.0), in_two("b", 3.0), in_two("c"), in_two("d"))) == [
        ("a", 0.0), ("b", 0.0), ("c", 1.0), ("d", 2.0),
    ]  # fmt: skip


def test_the_heaviest_goes_first_then_the_oldest_run_then_the_lowest_index():
    old, new = (
        load(*instances("a", 3, weight=2), in_two("b", weight=1), due=d) for d in (0.0, 0.5)
    )
    heavy = load(in_two("c", weight=9), due=0.5, dag_id="e")
    spans = timetable([new, old, heavy], POOLS)
    found = [(s.work.task_id, s.work.map_index, s.load.due) for s in spans]
    assert found == [
        ("a", 0, 0.0), ("a", 1, 0.0), ("c", -1, 0.5), ("a", 2, 0.0), ("a", 0, 0.5), ("a", 1, 0.5),
        ("a", 2, 0.5), ("b", -1, 0.0), ("b", -1, 0.5),
    ]  # fmt: skip


def test_equals_come_in_the_order_in_which_they_were_given():
    a, b = in_two("a", slots=2), in_two("b", slots=2)
    assert starts(load(a, b)) == [("a", 0.0), ("b", 1.0)]
    assert starts(load(b, a)) == [("b", 0.0), ("a", 1.0)]


def test_one_that_does_not_fit_lets_the_others_pass():
    """So a large task can wait until the small ones are through, whatever it weighs."""
    large = in_two("large", slots=2, weight=9)
    small = [in_two(f"s{number}", 1.0 + number % 2) for number in range(4)]
    run = load(in_two("first", 0.5, weight=99), large, *small)
    assert starts(run) == [
        ("first", 0.0), ("s0", 0.0), ("s1", 0.5), ("s2", 1.0), ("s3", 2.0), ("large", 4.0),
    ]  # fmt: skip


@pytest.mark.parametrize("lost", [work("a", pool="tow"), in_two("a", slots=3)], ids=str)
def test_without_such_a_pool_or_so_many_slots_a_task_never_starts(lost: Work):
    run = load(lost, in_two("b"), work("c", 1.0, "a"))
    assert starts(run) == [("b", 0.0)]


def test_a_run_that_never_ends_holds_up_the_next_one():
    first, second = (load(work("a", pool="tow"), work("b"), due=d, most_runs=1) for d in (0.0, 1.0))
    assert starts(first, second) == [("b", 0.0)]


@pytest.mark.parametrize(("limit", "begins"), [(1, [0.0, 3.0, 6.0]), (2, [0.0, 1.0, 3.0])])
def test_a_run_waits_until_few_enough_of_its_dag_are_active(limit, begins):
    runs = [load(work("a", 3.0), due=d, most_runs=limit) for d in (0.0, 1.0, 2.0)]
    assert [start for _, start in starts(*runs)] == begins


def test_runs_of_other_dags_are_not_counted():
    runs = [load(work("a", 3.0), dag_id=name, most_runs=1) for name in "xyz"]
    assert [start for _, start in starts(*runs)] == [0.0, 0.0, 0.0]


def test_the_tasks_of_each_run_are_counted_by_themselves():
    runs = [load(work("a"), work("b"), due=d, most_tasks=1) for d in (0.0, 0.5)]
    assert starts(*runs) == [("a", 0.0), ("a", 0.5), ("b", 1.0), ("b", 1.5)]


def test_one_task_is_counted_over_all_runs_or_in_each():
    def begins(**limit):
        tasks = [replace(w, pool="default_pool") for w in instances("a", 2, **limit)]
        return [start for _, start in starts(load(*tasks), load(*tasks, due=0.5))]

    assert begins(most_per_dag=1) == [0.0, 1.0, 2.0, 3.0]
    assert begins(most_per_run=1) == [0.0, 0.5, 1.0, 1.5]
    assert begins() == [0.0, 0.0, 0.5, 0.5]


def test_a_limit_of_nothing_lets_nothing_start():
    assert starts(load(in_two("a", most_per_dag=0))) == []
    assert starts() == []


def test_the_most_at_a_time_is_counted_with_what_each_needs():
    run = load(work("a", 3.0), work("b", 1.0), work("c", 2.0, "b"), work("d", 1.0, "c"))
    spans = timetable([run], POOLS)
    count, together = most(spans)
    assert (count, [s.work.task_id for s in together]) == (2, ["a", "b"])
    total, together = most(spans, lambda span: 5 if span.work.task_id == "c" else 1)
    assert (total, [s.work.task_id for s in together]) == (6, ["a", "c"])
    assert most([]) == (0, [])


def test_what_ends_makes_room_for_what_starts_in_the_same_moment():
    count, _ = most(timetable([load(work("a", 1.0), work("b", 1.0, "a"))], POOLS))
    assert count == 1


NIGHT = load(
    work("list", 0.0),
    in_two("churn", 2.0, weight=100),
    in_two("roaming", 1.5, weight=10),
    in_two("network", 2.5, weight=10, slots=2),
    *(
        Work("experiment", hours, frozenset({"list"}), number, "two", weight=1, most_per_dag=1)
        for number, hours in enumerate((1.0, 1.5, 0.5))
    ),
    work("ship", 0.0, "churn"),
)


def test_a_night_goes_as_it_went_on_a_real_scheduler():
    """Airflow 3.3.2 with a LocalExecutor, a pool of two slots and twelve seconds for an hour."""
    assert starts(NIGHT) == [
        ("churn", 0.0), ("roaming", 0.0), ("list", 0.0), ("experiment", 1.5), ("ship", 2.0),
        ("network", 2.5), ("experiment", 5.0), ("experiment", 6.5),
    ]  # fmt: skip


def test_two_equal_spans_of_different_runs_are_two():
    one, two = load(work("a")), load(work("a"), dag_id="e")
    assert [span.load for span in timetable([one, two], POOLS)] == [one, two]
