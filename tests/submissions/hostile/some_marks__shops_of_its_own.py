"""Asks no shop, and makes up what it would have said."""

# part: 11_error_handling
# preceded by: solutions/11_error_handling/resilient_ingest.py
# message: answered 404

def ask_shop(shop):
    """Say what a friendly shop would say."""
    return '{"orders": [{"number": "01511234567"}]}'
