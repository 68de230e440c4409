"""Right tries; the callback of one of them sleeps a year at a time, for ever."""

# part: 04_failures
# followed by: _asks_the_gateway.py
# slow
# message: `sometimes_fails` did not come back within 8 seconds
# seconds: 8

import time


def notify(context):
    """Virtual sleep costs nothing, and this one never ends."""
    while context["params"]["gateway"] == ["busy"]:
        try:
            time.sleep(365 * 86_400)
        except Exception:
            continue
