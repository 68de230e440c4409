"""Makes up a class: submissions that all differ, put together from what the tests know of learners.

Solutions, other right answers, known misconceptions and untouched stubs, drawn from a seed. It must
not mark anything.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

from bench.ours import BenchProblem
from grader.course import ROOT, Course, Part

KNOWN = ROOT / "tests" / "submissions"
# Of ten files so many are right, have one slip, or were not begun.
KINDS = ["right"] * 5 + ["slip"] * 4 + ["untouched"]


def make_class(folder: Path, count: int, course: Course, seed: int) -> None:
    """`count` submissions below `folder`, one folder each."""
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(1, count + 1):
        name = f"learner-{number:03}"
        for part in course.part:
            random = Random(f"{seed}:{number}:{part.slug}")
            place = folder / name / part.slug / part.dag_file
            place.parent.mkdir(parents=True)
            write(place, part, random)
            with open(place, "a", encoding="utf-8") as file:
                file.write(f"\n# Handed in by {name}.\n")


def write(place: Path, part: Part, random: Random) -> None:
    """One file for a part."""
    solution = ROOT / "solutions" / part.slug / part.dag_file
    kind = random.choice(KINDS)
    if kind == "untouched":
        shutil.copyfile(ROOT / "exercises" / part.slug / part.dag_file, place)
    elif kind == "right":
        shutil.copyfile(random.choice([solution, *known(part, "correct_*.py")]), place)
    else:
        shutil.copyfile(solution, place)
        patch = random.choice(known(part, "fails_*.patch"))
        command = ["git", "apply", "--whitespace=nowarn", str(patch)]
        above = {"GIT_CEILING_DIRECTORIES": str(place.parent.parent), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, cwd=place.parent, env=above, capture_output=True, text=True)
        if done.returncode:
            raise BenchProblem(f"{patch.name} does not apply: {done.stderr}")


def known(part: Part, pattern: str) -> list[Path]:
    """Submissions of a part that the tests know."""
    return sorted((KNOWN / part.slug).glob(pattern))
