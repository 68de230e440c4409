"""A right store, and beside its table one that is small on disk and huge when read."""

# part: 06_feature_store
# preceded by: solutions/06_feature_store/feature_pipeline.py
# slow
# seconds: 10
# message: did not come back within|used more than

HUGE = "CREATE TABLE IF NOT EXISTS a AS SELECT repeat('x', 500_000_000) FROM range(20)"


def publish(store, event_time):
    """Publish, and leave something for whoever reads the tables."""
    store.execute("UPDATE features SET published = true WHERE event_time = ?", [event_time])
    store.execute(HUGE)
