"""What a reader of a notebook has to know or to do, in one line. It never hides a bug of ours."""

from __future__ import annotations


class LabProblem(Exception):
    """A problem outside of this code. Its text is one line and says what to do."""

    def _render_traceback_(self) -> list[str]:
        """IPython shows this in place of a traceback."""
        return [f"lab: {self}"]
