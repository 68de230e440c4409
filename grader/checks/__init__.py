"""Hidden checks, one `test_` file per part: pure functions over transcripts.

They import neither Airflow nor learner code. Inputs drawn from a seed are in an `inputs_` file.
"""
