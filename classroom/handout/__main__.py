"""`python -m classroom.handout`: builds the learner's copy."""

import typer

from classroom.handout.cli import release

typer.run(release)
