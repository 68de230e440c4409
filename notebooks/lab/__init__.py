"""What the notebooks are made of: clients that return pandas frames, plots, and checks.

A notebook begins with `stack = lab.connect("01_tour_of_the_stack")`. Nothing here is hidden from a
reader who wants to know how it works, except the answers: do not open `questions.toml` too early.
"""

import os
from pathlib import Path

# Jupyter and matplotlib make folders for themselves, some on import. Not in the reader's home.
WORK = Path(__file__).resolve().parents[2] / ".work" / "notebooks"
WORK.mkdir(parents=True, exist_ok=True)
JUPYTER = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
for name in ("IPYTHONDIR", "MPLCONFIGDIR", *JUPYTER):
    os.environ.setdefault(name, str(WORK / name.lower()))

from lab.connection import Lab, connect
from lab.grafana import bargauge, dashboard, filled_in, prometheus_datasource, timeseries
from lab.plots import alert_states, bars, plot
from lab.problem import LabProblem
from lab.rest import Run

__all__ = [
    "Lab",
    "LabProblem",
    "Run",
    "alert_states",
    "bargauge",
    "bars",
    "connect",
    "dashboard",
    "filled_in",
    "plot",
    "prometheus_datasource",
    "timeseries",
]
