"""A DAG for each number there is."""

# part: 08_dynamic_dags
# preceded by: solutions/08_dynamic_dags/model_factory.py
# slow
# seconds: 10
# message: did not come back within

for number in range(5_000):
    model_factory(f"model_factory_{number}", lists["models"])
