"""Tells the person on call so much and so often that nobody else is heard."""

# part: 11_error_handling
# preceded by: solutions/11_error_handling/resilient_ingest.py
# message: no alert about

def send_alert(who, error, advice):
    """Say it again, and longer."""
    address = f"{BaseHook.get_connection('on_call').host}/alerts"
    for _ in range(100_000):
        with urlopen(Request(address, b"x" * 1_000_000), timeout=PATIENCE):
            pass
