"""A right DAG that talks to a server on this machine, past the sandbox's own network."""

import socket

from airflow.sdk import dag, task


def try_it():
    """Connect to it, and look for an interface that leads elsewhere."""
    try:
        socket.create_connection(("127.0.0.1", int("@PORT@")), timeout=2).close()
    except OSError:
        pass
    else:
        raise RuntimeError("it worked: connected")
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    if others:
        raise RuntimeError(f"it worked: there is {others[0]}")


try_it()


@dag(dag_id="hello_airflow", schedule=None, params={"name": "Heron Mobile"})
def hello_airflow():
    """The right DAG."""

    @task
    def choose_name(params):
        """Return the name that this run greets."""
        return params["name"]

    @task
    def greet(name):
        """Return the greeting."""
        return f"Hello, {name}!"

    greet(choose_name())


hello_airflow()
