"""The end of the files that book without a transaction; `meddle` is their own."""


class Ledger:
    """The ledger, but each statement is kept at once."""

    def __init__(self, ledger):
        self.ledger = ledger

    def execute(self, statement, *values):
        """Leave out what makes a transaction."""
        meddle()
        if statement not in ("BEGIN IMMEDIATE", "COMMIT"):
            return self.ledger.execute(statement, *values)

    def close(self):
        """Close it."""
        self.ledger.close()


right = open_ledger


def open_ledger():
    """The ledger in its disguise."""
    return Ledger(right())
