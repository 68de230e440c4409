"""A retry policy that ends the process instead of deciding."""

# part: 11_error_handling
# preceded by: solutions/11_error_handling/resilient_ingest.py
# message: ended the whole Python process

import os


def leave(*_, **__):
    """Decide nothing."""
    os._exit(0)


ByKind.evaluate = leave
