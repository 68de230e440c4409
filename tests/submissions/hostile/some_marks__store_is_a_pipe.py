"""The store is a pipe, and whoever opens it waits for the other end."""

# part: 06_feature_store
# preceded by: solutions/06_feature_store/feature_pipeline.py
# slow
# seconds: 10
# message: did not come back within

import os


def fetch(file):
    """Lay the pipe where the store should be."""
    WORK.mkdir(parents=True, exist_ok=True)
    STORE.exists() or os.mkfifo(STORE)
    with open(STORE, "rb") as store:
        return str(store.read())
