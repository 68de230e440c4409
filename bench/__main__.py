"""`python -m bench`: measures Airflow's own ways and ours in one run, and prints them side by side.

Writes below `bench/` in the grader's own ignored folder only. It must not fail because something
is slow: it is no test.
"""

from __future__ import annotations

import json as json_format
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.figures import Figures, machine
from bench.ours import BenchProblem, Figure, Ours, repeat
from bench.plain import Plain
from bench.story import STORIES
from bench.tables import show
from grader import api

ROOT = Path(__file__).resolve().parent.parent
HOME = api.HOME / "bench"
KEPT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
errors = Console(stderr=True, highlight=False)


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file too.")] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="Of ours; the median counts.")] = 3,
    seed: Annotated[int, typer.Option(help="Draws the scenarios' inputs.")] = 0,
    real_time: Annotated[
        bool, typer.Option("--real-time", help="Wait through the failing model's retry delays.")
    ] = False,
    retries: Annotated[
        bool, typer.Option("--retries", help="The same with `airflow dags test`.")
    ] = False,
    only_ours: Annotated[
        bool, typer.Option("--only-ours", help="Leave Airflow's own ways out.")
    ] = False,
) -> None:
    """Measure Airflow's own ways and the grader on the same solutions and inputs."""
    try:
        figures = measure(repetitions, seed, real_time, retries, only_ours)
    except BenchProblem as problem:
        errors.print(f"bench: {problem}", markup=False)
        raise typer.Exit(1) from None
    figures.machine["load_after"] = round(os.getloadavg()[0], 2)
    show(figures, Console(highlight=False))
    if json is not None:
        json.write_text(json_format.dumps(figures.as_json(), indent=1) + "\n", "utf-8")


def measure(
    repetitions: int, seed: int, real_time: bool, retries: bool, only_ours: bool
) -> Figures:
    """Everything, one thing after another, so that nothing measured disturbs anything else."""
    about = machine(api.usable_cores())
    environment = clean_environment()
    ours = Ours(ROOT, HOME, environment, seed, api.HOME.relative_to(ROOT))
    say("ours: first run ever")
    first = ours.grade()
    ours.tell(HOME / "stories.json", ours.folder / "stories")
    stories = STORIES.validate_json((HOME / "stories.json").read_bytes())
    biggest = max(stories, key=lambda s: sum(s.part == other.part for other in stories))
    found = Figures(about, seed, stories, biggest.part, first=first)
    say("ours: cold")
    found.cold = repeat(repetitions, ours.cold)
    say("ours: one part changed")
    found.changed = repeat(repetitions, lambda: ours.changed(biggest.part, biggest.dag_file))
    say("ours: nothing changed")
    found.unchanged = repeat(repetitions, ours.grade)
    if not only_ours or real_time or retries:
        measure_plain(found, ours, Plain(HOME, environment), repetitions, real_time, retries,
                      only_ours)  # fmt: skip
    return found


def measure_plain(
    found: Figures,
    ours: Ours,
    plain: Plain,
    repetitions: int,
    real_time: bool,
    retries: bool,
    only_failing: bool,
) -> None:
    """Airflow's own ways, and ours on the same scenarios."""
    if not only_failing:
        compared = HOME / "compared.json"
        compared.write_bytes(STORIES.dump_json(found.compared))
        say("ours: the scenarios without retries")
        found.same = repeat(repetitions, lambda: ours.same(compared))
        for story in found.compared:
            say(f"airflow dags test: {story.name}")
            found.command_line[story.name] = plain.command_line(story)
        say("plain dag.test() in one pytest process")
        found.one_process, _ = plain.one_process(found.compared)
    failing = found.failing
    if failing and real_time:
        say(f"plain dag.test(): {failing.name}, waiting {failing.waits:.0f} s")
        found.failing_plain = sum(plain.one_process([failing])[1].values())
    if failing and retries:
        say(f"airflow dags test: {failing.name}, waiting {failing.waits:.0f} s")
        laps: Figure = plain.command_line(failing)
        found.failing_command_line = sum(lap.seconds for lap in laps.laps)


def clean_environment() -> dict[str, str]:
    """Nothing that leads Airflow or Python elsewhere; output that can be read back."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"PYTHONUTF8": "1", "NO_COLOR": "1", "COLUMNS": "88", "HOME": str(HOME)}


def say(what: str) -> None:
    """Progress, apart from the figures."""
    errors.print(f"measuring  {what}", markup=False, style="dim")


if __name__ == "__main__":
    typer.run(main)
