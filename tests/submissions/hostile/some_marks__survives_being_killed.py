"""Books without a transaction, and puts out of order what could kill it."""

# part: 09_idempotency
# preceded by: solutions/09_idempotency/daily_revenue.py
# followed by: _keeps_each_statement.py
# message: did not come back within

import os
import signal


def meddle():
    """Take the means to kill away from whoever has them."""
    os.kill = os.killpg = os._exit = os.abort = signal.raise_signal = lambda *_: None
