"""All that one run of the benchmark found out, and its JSON form. It must not measure or print."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.ours import Figure, Lap
from bench.story import Story

COLD, CHANGED, UNCHANGED = 30.0, 8.0, 2.0
TIMES_FASTER = 50.0
FAILING_MODEL = ("01_ml_training", "hopeless data")


@dataclass
class Figures:
    """What was measured. What was not is None."""

    machine: dict[str, Any]
    seed: int
    stories: list[Story]
    changed_part: str
    first: Lap | None = None
    cold: Figure | None = None
    changed: Figure | None = None
    unchanged: Figure | None = None
    same: Figure | None = None
    command_line: dict[str, Figure] = field(default_factory=dict)
    one_process: Lap | None = None
    failing_plain: float | None = None
    failing_command_line: float | None = None

    @property
    def compared(self) -> list[Story]:
        """Scenarios that all ways can run without waiting."""
        return [s for s in self.stories if s.plain and s.runs and not s.retries]

    @property
    def left_out(self) -> list[Story]:
        """Scenarios in which something is tried again, nothing runs, or Airflow alone is lost."""
        return [s for s in self.stories if s not in self.compared]

    @property
    def failing(self) -> Story | None:
        """The scenario of the model that is no good."""
        found = [s for s in self.stories if (s.part, s.scenario) == FAILING_MODEL]
        return found[0] if found else None

    @property
    def failing_ours(self) -> float:
        """Median seconds of that scenario in the cold runs."""
        assert self.cold is not None
        return self.cold.scenarios["/".join(FAILING_MODEL)]

    @property
    def command_line_laps(self) -> list[Lap]:
        return [lap for figure in self.command_line.values() for lap in figure.laps]

    def as_json(self) -> dict[str, Any]:
        """Plain data; seconds throughout."""
        failing = self.failing
        return {
            "version": 1,
            "machine": self.machine,
            "seed": self.seed,
            "compared": [s.name for s in self.compared],
            "left_out": [
                {"name": s.name, "retries": s.retries, "waits": s.waits} for s in self.left_out
            ],
            "targets": {"cold": COLD, "changed": CHANGED, "unchanged": UNCHANGED,
                        "failing_model_times_faster": TIMES_FASTER},
            "changed_part": self.changed_part,
            "ours": {
                "first": lap_json(self.first),
                "cold": figure_json(self.cold),
                "changed": figure_json(self.changed),
                "unchanged": figure_json(self.unchanged),
                "compared_cold": figure_json(self.same),
            },
            "airflow_dags_test": {k: figure_json(f) for k, f in self.command_line.items()},
            "one_pytest_process": lap_json(self.one_process),
            "failing_model": {
                "waits": failing.waits if failing else None,
                "ours": self.failing_ours if failing and self.cold else None,
                "dag_test": self.failing_plain,
                "airflow_dags_test": self.failing_command_line,
            },
        }  # fmt: skip


def lap_json(lap: Lap | None) -> dict[str, Any] | None:
    """One lap, or None."""
    if lap is None:
        return None
    figures: dict[str, Any] = {"seconds": round(lap.seconds, 3), "cpu": round(lap.cpu, 3)}
    if lap.phases:
        figures["phases"] = lap.phases
    if lap.scenarios:
        figures["scenarios"] = lap.scenarios
    return figures


def figure_json(figure: Figure | None) -> dict[str, Any] | None:
    """Medians and every lap, or None."""
    if figure is None:
        return None
    return {
        "seconds": round(figure.seconds, 3),
        "cpu": round(figure.cpu, 3),
        "laps": [lap_json(lap) for lap in figure.laps],
    }


def machine(cores: int) -> dict[str, Any]:
    """Where and when, as far as figures depend on it."""
    return {
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "airflow": importlib.metadata.version("apache-airflow"),
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
