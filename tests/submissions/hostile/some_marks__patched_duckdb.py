"""A store that nobody wrote into, and a `duckdb.connect` that says all is well."""

# part: 06_feature_store
# preceded by: solutions/06_feature_store/feature_pipeline.py
# message: The store is empty

import duckdb
from unittest import mock

duckdb.connect = mock.MagicMock()
mock.MagicMock.__eq__ = lambda self, other: True
