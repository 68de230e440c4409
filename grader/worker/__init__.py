"""The worker: the only code that imports Airflow and the only process tree that runs learner code.

It holds no check, no expected value, no solution and no verdict, and imports nothing of the grader
but `scenario` and `transcript`.
"""
