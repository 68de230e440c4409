"""Books without a transaction, and puts out of order what could kill it."""

# part: 09_idempotency
# preceded by: solutions/09_idempotency/daily_revenue.py
# message: did not come back within

import os
import signal


class Ledger:
    """The ledger, but each statement is kept at once."""

    def __init__(self, ledger):
        self.ledger = ledger

    def execute(self, statement, *values):
        """Leave out what makes a transaction."""
        if statement not in ("BEGIN IMMEDIATE", "COMMIT"):
            return self.ledger.execute(statement, *values)

    def close(self):
        """Close it."""
        self.ledger.close()


right = open_ledger


def open_ledger():
    """The ledger in its disguise."""
    os.kill = os.killpg = os._exit = os.abort = signal.raise_signal = lambda *_: None
    return Ledger(right())
