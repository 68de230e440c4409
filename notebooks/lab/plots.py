"""Plots of what Prometheus gave. A plot has a title and a unit, or it is not drawn."""

from __future__ import annotations

import math

import matplotlib.dates as dates
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from lab.problem import LabProblem
from lab.prometheus import NAMELESS

# Okabe and Ito's colours, which most people with a colour vision deficiency can tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
STYLES = ["-", (0, (4, 2)), "-.", ":"]
STATES = {"pending": "#E69F00", "firing": "#D55E00"}


def new_axes(title: str, unit: str, height: float = 3.6) -> Axes:
    """An empty plot in the style of the course; `unit` stands at the y axis."""
    _, axes = plt.subplots(figsize=(9, height), layout="constrained")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_ylabel(unit)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def plot(frame: pd.DataFrame, title: str, unit: str, *, limit: float | None = None) -> None:
    """Lines over time, one per column of a frame as `query_range` gives it.

    A `limit` is drawn across. A single value gets a dot, as it makes no line. Raises `LabProblem`
    if there is nothing to draw.
    """
    # A share of nothing is infinite, and no place on paper.
    frame = frame.replace([math.inf, -math.inf], math.nan).dropna(axis="columns", how="all")
    if frame.empty:
        raise LabProblem(f"there is nothing to draw for {title!r}: the query gave no values.")
    axes = new_axes(title, unit)
    for number, name in enumerate(frame.columns):
        values = frame[name]
        axes.plot(
            values.index,
            values,
            label=str(name),
            color=COLOURS[number % len(COLOURS)],
            linestyle=STYLES[number % len(STYLES)],  # lines of equal values hide each other
            linewidth=2,
            marker="o" if values.count() < 3 else None,
        )
    if limit is not None:
        axes.axhline(limit, color="#888888", linestyle="--", linewidth=1)
        axes.annotate(f"limit {limit:g}", (0.005, limit), xycoords=("axes fraction", "data"),
                      va="bottom", color="#666666")  # fmt: skip
    lowest, highest = min(0, frame.min().min()), max(frame.max().max(), limit or 0)
    if highest > lowest:
        axes.set_ylim(lowest, highest + 0.08 * (highest - lowest))
    tell_time(axes)
    if list(frame.columns) != [NAMELESS]:  # the title says it all
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    plt.show()


def bars(frame: pd.DataFrame, title: str, unit: str) -> None:
    """A bar per row of a frame as `query` gives it, with its value, named by its labels."""
    if frame.empty:
        raise LabProblem(f"there is nothing to draw for {title!r}: the query gave no values.")
    labels = frame.drop(columns="value").astype(str).agg(" ".join, axis="columns")
    names = labels if len(frame.columns) > 1 else ["value"]
    axes = new_axes(title, "", height=1 + 0.4 * len(frame))
    drawn = axes.barh(list(names), frame["value"], color=COLOURS[0])
    axes.bar_label(drawn, fmt="{:.3g}", padding=4)
    axes.grid(visible=False)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.margins(x=0.1)
    plt.show()


def alert_states(frame: pd.DataFrame, title: str) -> None:
    """When alerts were pending and firing: a band each. `frame` is a range of `ALERTS`.

    Its columns end in the state, as `query_range` names them.
    """
    if frame.empty:
        raise LabProblem(f"there is nothing to draw for {title!r}: no alert was raised.")
    axes = new_axes(title, "", height=1.2 + 0.5 * frame.shape[1])
    step = frame.index.to_series().diff().min()
    for row, name in enumerate(frame.columns):
        state = next(state for state in STATES if state in str(name).split())
        moments = frame[name].dropna().index
        axes.broken_barh(
            [(moment, step) for moment in moments], (row - 0.35, 0.7), color=STATES[state]
        )
    axes.set_yticks(range(frame.shape[1]), [str(name) for name in frame.columns])
    axes.grid(visible=False)
    tell_time(axes)
    plt.show()


def tell_time(axes: Axes) -> None:
    """Hours and minutes at the x axis; for a short time, seconds too."""
    begin, end = axes.get_xlim()  # in days
    clock = "%H:%M" if (end - begin) * 24 * 60 > 8 else "%H:%M:%S"
    axes.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=10))
    axes.xaxis.set_major_formatter(dates.DateFormatter(clock))
    axes.set_xlabel("time (UTC)")
