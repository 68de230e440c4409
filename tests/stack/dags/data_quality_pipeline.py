"""Stands for the course's DAG of this name, for which the rules have a freshness limit."""

from airflow.sdk import dag, task


@dag(schedule=None, tags=["stack"])
def data_quality_pipeline():
    @task
    def check() -> None:
        pass

    check()


data_quality_pipeline()
