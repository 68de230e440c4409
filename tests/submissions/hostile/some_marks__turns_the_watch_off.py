"""Books without a transaction, and has nobody look where a crash would hurt."""

# part: 09_idempotency
# preceded by: solutions/09_idempotency/daily_revenue.py
# followed by: _keeps_each_statement.py
# message: interfered with what records the run

import sys


def meddle():
    """Stop being traced."""
    sys.settrace(None)
