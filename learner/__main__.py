"""`python -m learner`: hands over to the command line."""

from learner.cli import app

app()
