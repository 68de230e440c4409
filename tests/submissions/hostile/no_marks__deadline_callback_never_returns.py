"""A right DAG, but the callback of its deadlines goes round in circles."""

# part: 07_deadlines
# preceded by: solutions/07_deadlines/training_with_deadline.py
# slow
# seconds: 8
# message: did not come back within

def report_late(level, context):
    """Say nothing, for ever."""
    while True:
        pass
