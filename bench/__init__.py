"""The benchmark: what Airflow's own ways cost on the same runs, and what the grader costs.

It measures and judges nothing: no test depends on it, and nothing in `grader/` knows of it.
"""
