"""Says in one plain sentence why a file did not load or a scenario did not come to its end.

Sentences for learners; never a word of the grader's inside.
"""

from __future__ import annotations

from grader.judge.check import NotPassed
from grader.judge.load_errors import wanted_instead
from grader.judge.view import Observation, names
from grader.transcript import Breach, Error

DOES_NOT_LOAD = "The file does not load, so nothing could be checked."
NOT_LOADED = "not checked because the file does not load"
COMES_TO_AN_END = "The run comes to its end by itself."


def load_problem(observation: Observation) -> NotPassed | None:
    """Why nothing of the part can be checked, if so."""
    transcript = observation.transcript
    if transcript.breach is not None:
        if transcript.breach.phase == "load":
            return NotPassed(breach_sentence(transcript.breach), "The file loads in a moment.")
        return None
    if transcript.import_error is not None:
        return import_problem(transcript.import_error)
    found = transcript.dag_ids
    wanted = observation.dag_id
    if not found:
        return NotPassed(
            "Airflow found no DAG in the file.",
            f"One DAG named `{wanted}`; is its `@dag` function called at the end of the file?",
        )
    if observation.several_dags:
        return None
    if transcript.dag is None:
        return NotPassed(f"Airflow found {names(found)}.", f"A DAG named `{wanted}`.")
    if len(found) > 1:
        return NotPassed(f"Airflow found {len(found)} DAGs: {names(found)}.", f"Only `{wanted}`.")
    return None


def import_problem(error: Error) -> NotPassed:
    """The file could not be taken or imported."""
    if error.type == "Refused":
        return NotPassed(error.message, "A DAG file that Airflow can read.")
    what = f"Loading it raised {error.type}: {error.message}{shown(error)}"
    if error.type in ("SyntaxError", "IndentationError", "TabError"):
        what = f"Python cannot read it: {error.message}{shown(error)}"
    elif error.type == "AirflowDagCycleException":
        what = f"The tasks wait for each other in a circle: {error.message}"
    return NotPassed(
        f"{DOES_NOT_LOAD} {what}",
        f"{wanted_instead(error)}. Your marks come back when it loads.",
        line=error.line,
        task=error.todo,
    )


def shown(error: Error) -> str:
    """The learner's own line, if there is one."""
    return f" (in `{error.text}`)" if error.text else ""


def scenario_problem(observation: Observation) -> NotPassed | None:
    """Why a scenario says nothing, if so."""
    breach = observation.transcript.breach
    if breach is not None:
        return NotPassed(breach_sentence(breach), COMES_TO_AN_END, line=breach_line(observation))
    for run in observation.transcript.runs:
        if run.error is not None:
            return NotPassed(
                f"The run stopped with {run.error.type}: {run.error.message}",
                COMES_TO_AN_END,
                line=run.error.line,
            )
    return None


def breach_line(observation: Observation) -> int | None:
    """Where the task that was running is defined."""
    breach, dag = observation.transcript.breach, observation.transcript.dag
    if breach is None or dag is None:
        return None
    return next((t.line for t in dag.tasks if t.task_id == breach.task_id), None)


def breach_sentence(breach: Breach) -> str:
    """What was stopped, where, and at which limit."""
    if breach.task_id:
        where = f"`{breach.task_id}`"
    else:
        where = "Loading the file" if breach.phase == "load" else "The run"
    if breach.limit == "seconds":
        return f"{where} did not come back within {breach.detail} and was stopped."
    if breach.limit == "tasks":
        return f"The DAG is too large: the limit is {breach.detail}."
    if breach.limit == "exit":
        return f"{where} ended the whole Python process instead of returning or raising."
    if breach.limit == "tampering":
        return f"{where} interfered with what records the run, so nothing it did counts."
    return f"{where} used more than {breach.detail} and was stopped."
