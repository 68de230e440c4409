"""`python -m classroom`: hands over to the command line."""

from classroom.cli import app

app()
