"""`python -m grader`: hands over to the command line."""

from grader.cli import app

app()
