"""Who is like whom: what is told, and what is no news."""

from __future__ import annotations

import hashlib
import re

from classroom.outputs.own_code import Given
from classroom.outputs.similar import Group, Work, similarity

STUB = "def load():\n    raise NotImplementedError('TODO')\n"
SOLUTION = "def load():\n    rows = read()\n    return len(rows)\n"
GIVEN = Given(STUB.encode(), SOLUTION.encode())


def lines(seed: str, count: int = 12) -> str:
    """Statements that nobody else writes: their numbers come from the seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    some = zip(digest, digest[1:], digest[2:], strict=False)
    made = [f"    {'abcdef'[a % 6]} = thing.part{a}(other, {b}, 'x{c}')\n" for a, b, c in some]
    return "".join(made[:count])


def told(sources: dict[str, str], given: Given = GIVEN):
    """What is said of a class with these files of one part."""
    works = [
        Work(name, hashlib.sha256(text.encode()).hexdigest(), given.own(text.encode()))
        for name, text in sources.items()
    ]
    return similarity({"01_train": works}, {"01_train": given.solution})


def file(*bodies: str) -> str:
    return "def load():\n" + "".join(bodies)


def pairs(found) -> list[tuple[str, str]]:
    return [pair.learners for pair in found.pairs]


def test_different_code_is_not_alike():
    found = told({name: file(lines(name)) for name in ("jana", "omar", "tara")})
    assert (found.same_file, found.same_code, found.as_solution, found.pairs) == ((), (), (), ())


def test_the_same_file_is_named_apart():
    found = told({"jana": file(lines("j")), "omar": file(lines("j")), "tara": file(lines("t"))})
    assert found.same_file == (Group(("01_train",), ("jana", "omar")),)
    assert (found.same_code, found.pairs) == ((), ())


def test_other_names_comments_and_spacing_are_the_same_code():
    copy = "# mine\n" + re.sub(r"\b([a-f]) =", r"my_\1  =", file(lines("j")))
    found = told({"jana": file(lines("j")), "omar": copy})
    assert found.same_code == (Group(("01_train",), ("jana", "omar")),)
    assert (found.same_file, found.pairs) == ((), ())


def test_a_copy_with_a_few_changes_is_a_pair_and_shows_what_both_have():
    copy = file(lines("j", 10), "    print('checking')\n", lines("other", 2))
    found = told({"jana": file(lines("j")), "omar": copy, "tara": file(lines("t"))})
    assert pairs(found) == [("jana", "omar")]
    (alike,) = found.pairs[0].parts
    assert 0.75 <= alike.score < 1 and alike.tokens > 50
    assert alike.shared[0] == lines("j").splitlines()[0].strip()


def test_code_in_another_order_is_less_alike_than_a_copy():
    mixed = "".join(reversed(lines("j").splitlines(keepends=True)))
    assert told({"jana": file(lines("j")), "omar": file(mixed)}).pairs == ()


def test_what_both_have_from_the_stub_is_no_news():
    given = Given((STUB + file(lines("given"))).encode(), b"")
    found = told(
        {n: STUB + file(lines("given")) + file(lines(n, 1)) for n in ("jana", "omar")}, given
    )
    assert found.pairs == () and found.same_code == ()


def test_what_both_have_from_the_solution_is_no_news():
    given = Given(STUB.encode(), file(lines("solution")).encode())
    both = {n: file(lines("solution"), lines(n, 4)) for n in ("jana", "omar")}
    found = told(both, given)
    assert found.pairs == () and found.same_code == ()


def test_what_most_of_a_class_has_is_no_news_and_what_two_have_is():
    names = ("ada", "ben", "cleo", "dua", "eli", "fay")
    taught = {name: file(lines("taught", 8), lines(name, 4)) for name in names}
    assert told(taught).pairs == ()
    assert pairs(told({name: taught[name] for name in names[:2]})) == [("ada", "ben")]


def test_little_code_is_not_compared():
    found = told({"jana": file("    return 1\n"), "omar": file("    return  1\n")})
    assert (found.same_file, found.same_code, found.pairs) == ((), (), ())
    same = told({"jana": file("    return 1\n"), "omar": file("    return 1\n")})
    assert same.same_file == ()


def test_who_wrote_nothing_is_like_nobody():
    found = told({"jana": STUB, "omar": STUB, "tara": ""})
    assert (found.same_file, found.same_code, found.pairs) == ((), (), ())


def test_the_solutions_code_is_told_even_of_one_learner_and_with_a_slip():
    given = Given(STUB.encode(), file(lines("solution")).encode())
    slip = file(lines("solution")).replace("'x", "'y", 1)
    found = told({"jana": file(lines("jana")), "omar": slip}, given)
    assert found.as_solution == (Group(("01_train",), ("omar",)),)


def test_a_short_solution_can_be_found_by_oneself():
    assert told({"jana": SOLUTION.replace("rows", "all_of_them")}).as_solution == ()


def test_several_with_the_same_code_make_one_pair_with_a_third():
    same = {name: f"# {name}\n" + file(lines("j")) for name in ("ada", "ben", "cleo")}
    found = told({**same, "dua": file(lines("j", 11), lines("other", 1))})
    assert pairs(found) == [("ada", "dua")]
    assert found.same_code == (Group(("01_train",), ("ada", "ben", "cleo")),)


def test_parts_of_one_pair_come_together_and_the_most_telling_pair_first():
    def works(*texts: tuple[str, str]) -> list[Work]:
        return [Work(name, text, GIVEN.own(text.encode())) for name, text in texts]

    def copy(seed: str, own: str) -> str:
        return file(lines(seed, 11), lines(own, 1))

    found = similarity(
        {
            "00_hello": works(
                ("ada", copy("x", "a")), ("ben", copy("x", "b")), ("cleo", copy("y", "c")),
                ("dua", copy("y", "d")),
            ),
            "01_train": works(("cleo", copy("z", "c")), ("dua", copy("z", "d"))),
        },
        {"00_hello": GIVEN.solution, "01_train": GIVEN.solution},
    )  # fmt: skip
    assert pairs(found) == [("cleo", "dua"), ("ada", "ben")]
    assert [alike.part for alike in found.pairs[0].parts] == ["00_hello", "01_train"]


def test_the_same_people_with_several_files_are_one_group():
    text = file(lines("j"))
    works = [Work(name, "same", GIVEN.own(text.encode())) for name in ("ada", "ben")]
    found = similarity(
        {"00_hello": works, "01_train": works},
        {"00_hello": GIVEN.solution, "01_train": GIVEN.solution},
    )
    assert found.same_file == (Group(("00_hello", "01_train"), ("ada", "ben")),)
