"""Why a query is wrong, in words for somebody who learns PromQL. It compares, it does not ask.

A cause is looked for from the plainest to the subtlest: the text, a counter that was not turned
into an increase, the window, the labels, the series, the unit.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from functools import cache

import promql_parser as promql

from lab.prometheus import FROM_THE_SCRAPE
from lab.recorded import ROOT

Labels = tuple[tuple[str, str], ...]
Series = dict[Labels, dict[float, float]]

CONTRACT = ROOT / "stack" / "metrics.toml"
WINDOW = re.compile(r"\[(\w+)\]")
SUFFIXES = ("_bucket", "_sum", "_count")
# How many times too much or too little a value is when its unit is not the one that was asked for.
UNITS = {
    1000: "milliseconds instead of seconds",
    100: "percent instead of a share between 0 and 1",
    60: "minutes and seconds mixed up",
    3600: "hours and seconds mixed up",
}


@cache
def contract() -> dict[str, str]:
    """The metrics of the stack by their names in Prometheus, with their types."""
    known = tomllib.loads(CONTRACT.read_text("utf-8"))["metric"]
    types: dict[str, str] = {}
    for metric in known:
        types[metric["name"]] = metric["type"]
        if metric["type"] == "histogram":
            types |= {metric["name"] + suffix: "counter" for suffix in SUFFIXES}
    return types


def of_text(query: str) -> str:
    """What is wrong with the text itself, or nothing."""
    try:
        parsed = promql.parse(query)
    except ValueError as error:
        return f"Prometheus cannot read it: {error}."
    for name in sorted({node.name or "" for node in selectors(parsed)} - contract().keys()):
        near = difflib.get_close_matches(name, contract(), n=1)
        if near and not name.count(":"):
            return f"there is no metric {name}; there is {near[0]}."
    return ""


def of_series(
    query: str,
    given: Series,
    reference: str,
    expected: Series,
    is_right: Callable[[str], bool],
) -> str:
    """Why what a query gives is not what was expected. `is_right` says whether another query is."""
    if not given:
        return "it gives no series. Take it apart: run its innermost part first."
    if raw := raw_counters(query) - raw_counters(reference):
        return (
            f"{raw.pop()} is a counter. It only grows, since the exporter started. "
            "Ask how much it grew, with increase() or rate()."
        )
    window = next(iter(windows(reference)), "")
    if window and windows(query) - {window} and is_right(WINDOW.sub(f"[{window}]", query)):
        return f"the window is [{', '.join(windows(query))}], and the question is about [{window}]."
    return of_labels(given, expected) or of_values(query, given, expected)


def of_labels(given: Series, expected: Series) -> str:
    """Whether labels are lost or left, or other series were chosen."""
    has, wanted = names(given), names(expected)
    if lost := wanted - has:
        return f"{listed(lost)} got lost. Name what is to be kept in by (...)."
    if left := has - wanted:
        return f"nobody asked for {listed(left)}. What by (...) does not name is summed away."
    if extra := given.keys() - expected.keys():
        return f"there are too many series, for example {show(min(extra))}. Choose with {{}}."
    if absent := expected.keys() - given.keys():
        return f"series are missing, for example {show(min(absent))}. Is a selector too narrow?"
    return ""


def of_values(query: str, given: Series, expected: Series) -> str:
    """Whether all values are off by the same factor, which is a unit, or just differ."""
    pairs = [
        (given[labels][t], value)
        for labels, values in expected.items()
        for t, value in values.items()
        if t in given[labels]
    ]
    ratios = [mine / right for mine, right in pairs if mine and right]
    alike = ratios and max(ratios) - min(ratios) < 1e-6 * max(map(abs, ratios))
    if alike and not math.isclose(ratios[0], 1, rel_tol=1e-6):
        return of_factor(ratios[0], windows(query))
    labels, mine, right = next(
        (
            (labels, given[labels].get(t), value)
            for labels, values in expected.items()
            for t, value in sorted(values.items(), reverse=True)
            if given[labels].get(t) != value
        ),
        ((), None, None),
    )
    told = "nothing" if mine is None else f"{mine:.3g}"
    return f"the series are right, their values are not: {show(labels)} is {told}, not {right:.3g}."


def of_factor(ratio: float, used: set[str]) -> str:
    """What a common factor between the values means."""
    factor = ratio if ratio >= 1 else 1 / ratio
    times = f"{factor:.4g} times too {'large' if ratio > 1 else 'small'}"
    if any(abs(seconds(window) / factor - 1) < 1e-6 for window in used):
        return f"all values are {times}: increase() counts per window, rate() per second."
    unit = next((said for size, said in UNITS.items() if abs(size / factor - 1) < 1e-6), "")
    return f"all values are {times}: {unit or 'look at the unit'}."


def of_silence(missed: int, events: int, ever_fired: bool) -> str:
    """An alert that did not tell."""
    if not ever_fired:
        return "it never fires, although something failed. Run its parts by themselves."
    return f"it fires, but it misses {missed} of {events} failures. Is it the first of its kind?"


def of_noise(wrongly: int, quiet: int) -> str:
    """An alert that told too much."""
    return (
        f"it fires for {wrongly} of {quiet} quiet seconds, in which nothing failed. "
        "Ask what is new, not what ever was."
    )


def selectors(node: promql.Expr) -> list[promql.VectorSelector]:
    """All places where a query reads a metric."""
    found: list[promql.VectorSelector] = []

    def note(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(node, note)
    return found


def raw_counters(query: str) -> set[str]:
    """The counters that a query reads as they are, not over a window."""
    over_window: list[str] = []

    def note(node: promql.Expr) -> None:
        if isinstance(node, promql.MatrixSelector):
            over_window.append(str(node.vector_selector.name))

    parsed = promql.parse(query)
    promql.walk(parsed, note)
    read = Counter(str(node.name) for node in selectors(parsed)) - Counter(over_window)
    return {name for name in read if contract().get(name) == "counter"}


def windows(query: str) -> set[str]:
    """The windows of a query, such as {"5m"}."""
    return set(WINDOW.findall(query))


def seconds(window: str) -> float:
    """How long a window is: "1h30m" is 5400."""
    sizes = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(int(n) * sizes[unit] for n, unit in re.findall(r"(\d+)([smhd])", window))


def names(series: Series) -> set[str]:
    """The labels that a result has."""
    return {name for labels in series for name, _ in labels}


def show(labels: Labels) -> str:
    """Labels as PromQL writes them."""
    return "{" + ", ".join(f'{k}="{v}"' for k, v in labels if k not in FROM_THE_SCRAPE) + "}"


def listed(labels: set[str]) -> str:
    """Labels with "and" between them; those of the scrape only if there are no others."""
    words = sorted(labels - set(FROM_THE_SCRAPE)) or sorted(labels)
    *most, last = words
    return f"the labels {', '.join(most)} and {last}" if most else f"the label {last}"
