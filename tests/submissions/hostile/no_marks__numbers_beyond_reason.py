"""Slots and weights that no database can hold."""

# part: 10_limits
# message: has no task .gpu.train_experiment

from airflow.sdk import dag, task


@dag(dag_id="gpu_training", schedule="0 22 * * *", max_active_runs=10**40)
def gpu_training():
    """A wrong DAG: nothing that is asked for is done."""

    @task(pool="gpu_pool", pool_slots=10**40, priority_weight=-(10**40), weight_rule="absolute")
    def train_churn():
        """Weigh more than everything."""

    train_churn()


gpu_training()
