"""Prints the figures in tables that fit 80 columns. It must not measure or compute verdicts."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bench.figures import CHANGED, COLD, FAILING_MODEL, TIMES_FASTER, UNCHANGED, Figures
from bench.ours import Figure, Lap

WIDTH = 80


def show(figures: Figures, console: Console) -> None:
    """All tables, and in words what they leave out."""
    console.print()
    show_machine(figures, console)
    show_compared(figures, console)
    show_learner(figures, console)
    show_failing(figures, console)
    show_phases(figures, console)


def new_table(title: str, first: str, *others: str) -> Table:
    """A table with names on the left and figures on the right."""
    table = Table(title=title, title_justify="left", title_style="bold", width=WIDTH)
    table.add_column(first, ratio=1)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def seconds(value: float) -> str:
    """1.23 s; 123 s."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.2f} s"


def span(figure: Figure) -> str:
    """Fastest and slowest lap."""
    laps = [lap.seconds for lap in figure.laps]
    return f"{min(laps):.2f}-{max(laps):.2f}"


def show_machine(figures: Figures, console: Console) -> None:
    """One line, and a warning where others were using the machine."""
    m = figures.machine
    console.print(
        f"{m['cores']} cores, {m['system']}, Python {m['python']}, Airflow {m['airflow']}; "
        f"load {m['load_before']} before, {m.get('load_after', '?')} after",
        width=WIDTH,
    )
    if m["load_before"] > m["cores"] / 2:
        console.print(
            "The machine was busy with other things: real seconds are too high, ratios "
            "uncertain. CPU seconds suffer less.",
            style="yellow",
            width=WIDTH,
        )
    console.print()


def show_compared(figures: Figures, console: Console) -> None:
    """The same runs, three ways."""
    if figures.same is None or figures.one_process is None:
        return
    stories, ours = figures.compared, figures.same
    runs = sum(len(s.runs) for s in stories)
    title = f"The same {len(stories)} scenarios ({runs} runs), in none of which a task is retried"
    table = new_table(title, "How", "real", "CPU", "real, to ours")
    laps = figures.command_line_laps
    line = Lap(sum(lap.seconds for lap in laps), sum(lap.cpu for lap in laps))
    for name, lap in (
        (f"`airflow dags test`, {runs} processes", line),
        ("plain `dag.test()`, one pytest process", figures.one_process),
        ("ours, nothing cached, whole process", Lap(ours.seconds, ours.cpu)),
    ):
        ratio = f"{lap.seconds / ours.seconds:.1f} x"
        table.add_row(name, seconds(lap.seconds), seconds(lap.cpu), ratio)
    console.print(table)
    show_left_out(figures, console)


def show_left_out(figures: Figures, console: Console) -> None:
    """Which scenarios the two other ways do not run, and why."""
    left = figures.left_out
    retried = [s for s in left if s.retries]
    idle = [s.name for s in left if not s.retries and not s.runs]
    alone = [s for s in left if not s.retries and s.runs]
    if retried:
        waits = sum(s.waits for s in retried)
        console.print(
            f"Left out: {len(retried)} scenarios in which a task is retried. Their delays alone "
            f"would keep both other ways waiting for {waits / 60:.0f} min.",
            width=WIDTH,
        )
    if alone:
        console.print(
            f"Left out: {len(alone)} scenarios that need what the grader brings along: servers, "
            "another time of the day, hours that pass at once, a crash, a second DAG, a deadline.",
            width=WIDTH,
        )
    if idle:
        console.print(f"Left out: {len(idle)} scenarios in which nothing runs.", width=WIDTH)
    console.print()


def show_learner(figures: Figures, console: Console) -> None:
    """What a learner waits for."""
    title = f"`make grade` of all parts, all {len(figures.stories)} scenarios, as a learner"
    table = new_table(title, "Ours", "median", "from-to", "CPU", "target", "met")
    if figures.first:
        lap = figures.first
        table.add_row("first run: makes the database", seconds(lap.seconds), "",
                      seconds(lap.cpu), "", "")  # fmt: skip
    for name, figure, target in (
        ("cold: nothing cached", figures.cold, COLD),
        (f"part {figures.changed_part[:2]} changed", figures.changed, CHANGED),
        ("nothing changed", figures.unchanged, UNCHANGED),
    ):
        if figure:
            met = "yes" if figure.seconds <= target else "NO"
            table.add_row(name, seconds(figure.seconds), span(figure), seconds(figure.cpu),
                          f"{target:.0f} s", met)  # fmt: skip
    console.print(table)
    console.print()


def show_failing(figures: Figures, console: Console) -> None:
    """The scenario whose retries cost minutes in real time."""
    story = figures.failing
    if story is None or figures.cold is None:
        return
    ours = figures.failing_ours
    title = (
        f"The failing model (part {FAILING_MODEL[0][:2]}, {FAILING_MODEL[1]}): the scenario alone"
    )
    table = new_table(title, "How", "real", "to ours", "target", "met")
    table.add_row("ours, within the cold run", seconds(ours), "", "", "")
    for name, real in (
        (f"its {story.retries} retry delays, by the transcript", story.waits),
        ("plain `dag.test()`, measured", figures.failing_plain),
        ("`airflow dags test`, measured", figures.failing_command_line),
    ):
        if real is not None:
            met = "yes" if real / ours >= TIMES_FASTER else "NO"
            table.add_row(name, seconds(real), f"{real / ours:.0f} x", f"{TIMES_FASTER:.0f} x", met)
    console.print(table)
    if figures.failing_plain is None:
        console.print("`--real-time` waits those minutes and measures them.", width=WIDTH)
    console.print()


def show_phases(figures: Figures, console: Console) -> None:
    """Where a cold run's time goes, by the grader's own account."""
    if figures.cold is None:
        return
    table = new_table("Where the time of a cold run goes (`--timings`, medians)", "What", "real")
    for name, value in figures.cold.phases.items():
        table.add_row(name, seconds(value))
    several = figures.cold.scenarios.values()
    table.add_row(f"{len(several)} scenarios, added up (several at a time)", seconds(sum(several)))
    console.print(table)
