"""Hidden checks, one file per part: pure functions over transcripts. No Airflow, no learner code."""
