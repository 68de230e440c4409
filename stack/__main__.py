"""`python -m stack`: hands over to the command line."""

from stack.cli import main

main()
