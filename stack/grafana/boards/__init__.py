"""What the boards show, as code. Nothing in here reads a file or talks to Grafana.

Grafana's library would rather make boards in Grafana's second format and warns of the first when it
is imported. Files of the first format load in every Grafana, so the import is done here, quietly.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import grafana_foundation_sdk.builders.bargauge
    import grafana_foundation_sdk.builders.dashboard  # noqa: F401
