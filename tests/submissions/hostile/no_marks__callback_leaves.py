"""Right tries; the callback leaves by `SystemExit` and by `os._exit`."""

# part: 04_failures
# followed by: _asks_the_gateway.py
# message: ended the whole Python process

import os


def notify(context):
    """Leave in one way or the other."""
    if context["params"]["gateway"] == ["busy"]:
        os._exit(0)
    raise SystemExit(0)
