"""The scenarios of the hidden checks as plain data, with what the solutions did in them.

Runs inside the benchmark's copy of the course (`python -m bench.stories`), in a process of its own.
It must not import Airflow.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

from bench.story import STORIES, Story, StoryRun
from grader import collect
from grader.api import Grader
from grader.course import ROOT, Part
from grader.judge.view import Observation, gaps, length
from grader.observe.staging import lay_out, read_source
from grader.scenario import Scenario
from grader.transcript import Try

SOLUTIONS = ROOT / "solutions"
LONGEST = timedelta(minutes=2)  # that a run may take in real time


def tell(part: Part, seen: Observation, folder: Path) -> Story:
    """What became of the solution in one scenario."""
    tries: dict[tuple[int, str, int], list[Try]] = {}
    for number, run in enumerate(seen.transcript.runs):
        for one in run.tries:
            tries.setdefault((number, one.task_id, one.map_index), []).append(one)
    waits = sum((gap for several in tries.values() for gap in gaps(several)), timedelta())
    return Story(
        part=part.slug,
        scenario=seen.scenario.name,
        dag_id=part.dag_id,
        dag_file=part.dag_file,
        folder=folder,
        runs=[
            StoryRun(
                logical_date=planned.logical_date.isoformat(),
                conf=planned.conf,
                state=run.state or "",
            )
            for planned, run in zip(seen.scenario.runs, seen.transcript.runs, strict=False)
        ],
        plain=is_plain(seen),
        retries=sum(len(several) - 1 for several in tries.values()),
        waits=waits.total_seconds(),
    )


def is_plain(seen: Observation) -> bool:
    """Whether Airflow alone can run it to the same end: without servers, at any time of the day, no
    crash in the middle, no other DAG, no task that takes hours, and no deadline, over which
    `dag.test()` fails.
    """
    scenario, dag = seen.scenario, seen.transcript.dag
    if dag is None or dag.deadlines or scenario.servers or scenario.connections:
        return False
    if any(length(run) > LONGEST for run in seen.transcript.runs):
        return False
    return not scenario.variables and all(
        run.interruption is None and run.start is None and run.dag_id in (None, dag.dag_id)
        for run in scenario.runs
    )


def tell_all(target: Path, folders: Path, seed: int) -> None:
    """Stage every scenario of every part below `folders` and write all stories to `target`."""
    stories: list[Story] = []
    with Grader() as grader:
        parts = grader.course.select([])
        drawn = {part.slug: collect.scenarios(part, seed) for part in parts}
        observed = grader.observe(SOLUTIONS, parts, drawn)
        for part in parts:
            source = read_source(SOLUTIONS, part).data
            assert source is not None, f"{part.slug} has no solution"
            for scenario in drawn[part.slug]:
                folder = folders / f"{len(stories):02}"
                lay_out(folder, ROOT / "exercises", part, source, scenario)
                stories.append(tell(part, observed[part.slug, scenario.name], folder))
    target.write_bytes(STORIES.dump_json(stories, indent=1))


def observe_again(stories: Path, seed: int) -> None:
    """Take the solutions through just these scenarios, with nothing cached."""
    wanted = {(s.part, s.scenario) for s in STORIES.validate_json(stories.read_bytes())}
    with Grader(cache=False) as grader:
        drawn: dict[str, list[Scenario]] = {}
        for part in grader.course.select([]):
            found = [s for s in collect.scenarios(part, seed) if (part.slug, s.name) in wanted]
            if found:
                drawn[part.slug] = found
        seen = grader.observe(SOLUTIONS, grader.course.select(list(drawn)), drawn)
    breaches = [key for key, observation in seen.items() if observation.transcript.breach]
    if breaches or len(seen) != len(wanted):
        raise SystemExit(f"not observed: {breaches or wanted - set(seen)}")


def main() -> None:
    """`tell` writes the stories; `observe` runs those of a file again."""
    parser = argparse.ArgumentParser(prog="bench.stories")
    parser.add_argument("what", choices=["tell", "observe"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--folders", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.what == "tell":
        tell_all(options.file, options.folders, options.seed)
    else:
        observe_again(options.file, options.seed)


if __name__ == "__main__":
    main()
