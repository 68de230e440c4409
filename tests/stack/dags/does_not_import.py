"""An airflow DAG file with an import error."""

import a_module_that_nobody_has  # noqa: F401
