"""The stack's command line. It chooses between containers and processes, and sets exit codes:
0 all is well, 1 something is not healthy, 2 usage, 3 the environment.
"""

from __future__ import annotations

import subprocess
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from stack import HOME, StackProblem, doctor, settings
from stack.containers import ContainerStack
from stack.native import binaries
from stack.native.stack import NativeStack
from stack.report import print_lines

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
NOT_HEALTHY, ENVIRONMENT = 1, 3
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
Service = Annotated[str | None, typer.Option(help="One service; all if not given.")]


def main() -> None:
    """Run the command line; a problem is one line."""
    try:
        app()
    except StackProblem as problem:
        errors.print(f"stack: {problem}")
        raise SystemExit(ENVIRONMENT) from None


@app.command()
def up(
    native: Annotated[bool, typer.Option("--native", help="Without Docker.")] = False,
    database: Annotated[
        str | None, typer.Option(help="A PostgreSQL URL for the native stack; SQLite if not given.")
    ] = None,
) -> None:
    """Start the stack, wait until it is healthy, and say where it is."""
    known = settings.load()
    processes, containers = NativeStack(known, database=database or None), ContainerStack(known)
    if processes.running:
        end("the native stack is already running: see make stack-status, or make stack-down first.")
    if native:
        if containers.running:
            end("the stack is already running in Docker: make stack-down first.")
        with console.status("Starting the stack; this takes a minute ..."):
            processes.up(console.print)
    else:
        containers.up()
    console.print(addresses(known, grafana=not native or bool(binaries.find("grafana"))))


def addresses(known: dict[str, str], *, grafana: bool) -> Table:
    """Where things are, and how to get in."""
    table = Table(box=None, show_header=False, pad_edge=False)
    airflow = f"{known['AIRFLOW_USER']} / {known['AIRFLOW_PASSWORD']}"
    table.add_row("Airflow", "http://localhost:8080", airflow)
    table.add_row("Prometheus", "http://localhost:9090", "")
    login = f"{known['GRAFANA_USER']} / {known['GRAFANA_PASSWORD']}"
    if grafana:
        table.add_row("Grafana", "http://localhost:3000", login)
    else:
        table.add_row("Grafana", "not installed on this machine", "")
    table.add_row("Alertmanager", "http://localhost:9093", "")
    table.add_row("Inbox", "http://localhost:8025", "")
    return table


def running_stack() -> NativeStack | ContainerStack | None:
    """Whichever runs."""
    native = NativeStack(settings.load())
    if native.running:
        return native
    containers = ContainerStack(settings.load())
    return containers if containers.containers() else None


@app.command()
def down() -> None:
    """Stop the stack; its data stays."""
    stack = running_stack()
    if stack is None:
        console.print("No stack is running.")
        return
    with console.status("Stopping ..."):
        stack.down()
    console.print("Stopped. The data is still there; make stack-clean removes it.")


@app.command()
def clean(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop the stack and remove its data: history, metrics, logs, mails."""
    containers = ContainerStack(settings.load())
    if not yes and not typer.confirm("Remove the stack's database, metrics, logs and mails?"):
        end("nothing was removed.", NOT_HEALTHY)
    NativeStack(settings.load()).clean()
    if containers.available:
        containers.clean()
    console.print("Removed.")


@app.command()
def status() -> None:
    """Say of each service whether it is healthy. Exit 1 if one is not, or nothing runs."""
    if not print_lines(one_that_runs().status(), console):
        raise typer.Exit(NOT_HEALTHY)


@app.command()
def logs(
    service: Service = None,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the newest output of the services."""
    stack = running_stack()
    if isinstance(stack, ContainerStack):
        raise typer.Exit(stack.logs(service, follow))
    native = stack or NativeStack(settings.load())
    files = native.log_files(service)
    if not files:
        end(f"there are no logs yet below {HOME}.", NOT_HEALTHY)
    command = ["tail", "-n", "100" if service else "20", *(["-f"] if follow else []), *files]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@app.command()
def stop_service(service: str) -> None:
    """Stop one service of the running stack, to see what happens."""
    one_that_runs().stop_service(service)
    console.print(f"{service} is stopped; make stack-start SERVICE={service} starts it again.")


@app.command()
def start_service(service: str) -> None:
    """Start one service again."""
    one_that_runs().start_service(service)
    console.print(f"{service} is started; make stack-status says when it is healthy.")


def one_that_runs() -> NativeStack | ContainerStack:
    """The running stack; ends where there is none."""
    stack = running_stack()
    if stack is None:
        end("no stack is running; start one with make stack or make stack-native.", NOT_HEALTHY)
    return stack


@app.command(name="doctor")
def examine() -> None:
    """Look for what would keep the stack from running."""
    found = doctor.examine(running=running_stack() is not None)
    headings = {"This machine": found.machine, "For make stack": found.docker}
    for heading, lines in (headings | {"For make stack-native": found.native}).items():
        console.print(f"\n{heading}", style="bold")
        print_lines(lines, console)
    if not found.ways:
        end("neither make stack nor make stack-native would work; mend what says fix.")
    console.print(f"\nThis would work: {', '.join(found.ways)}.")


@app.command(name="binaries")
def build_binaries() -> None:
    """Build Prometheus and the StatsD exporter for the native stack."""
    binaries.build()
    console.print(f"Built: {binaries.folder()}")


def end(line: str, code: int = ENVIRONMENT) -> NoReturn:
    """One line on standard error, then the exit code."""
    errors.print(f"stack: {line}")
    raise typer.Exit(code)
