"""Right tries; the callback of one of them never returns."""

# part: 04_failures
# followed by: _asks_the_gateway.py
# slow
# message: `sometimes_fails` did not come back within 8 seconds
# seconds: 8


def notify(context):
    """Swallow whatever comes, for ever, in one night."""
    while context["params"]["gateway"] == ["busy"]:
        try:
            pass
        except BaseException:
            continue
