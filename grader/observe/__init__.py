"""Observing, seen from the judging side: staging, the cache, local servers, the worker's other end.

It never imports Airflow or learner code, and it knows no check.
"""
