"""The sockets of a scenario's local servers. They are opened where learner code runs, because in a
sandbox 127.0.0.1 is the sandbox's own, and handed to the judging side, which answers on them.

It must not answer anything itself.
"""

from __future__ import annotations

import socket

from grader.scenario import Scenario, Server

HOST = "127.0.0.1"
WAITING = 100  # connections that nobody has taken yet


def open_sockets(scenario: Scenario) -> dict[Server, socket.socket]:
    """A socket on a free port for each server that the scenario asks for."""
    return {kind: _open(kind) for kind in scenario.servers}


def _open(kind: Server) -> socket.socket:
    if kind != "statsd":
        return socket.create_server((HOST, 0), backlog=WAITING)
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Lines that come faster than they are read wait here; what does not fit is lost.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    opened.bind((HOST, 0))
    return opened


def environment(scenario: Scenario, sockets: dict[Server, socket.socket]) -> dict[str, str]:
    """What leads Airflow to the servers, and the scenario's variables and connections."""
    ports = {kind: opened.getsockname()[1] for kind, opened in sockets.items()}
    found: dict[str, str] = {}
    if "statsd" in ports:
        found |= {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": HOST,
            "AIRFLOW__METRICS__STATSD_PORT": str(ports["statsd"]),
        }
    if "smtp" in ports:
        found["AIRFLOW_CONN_SMTP_DEFAULT"] = (
            f"smtp://{HOST}:{ports['smtp']}?disable_ssl=true&disable_tls=true"
        )
    http = f"http://{HOST}:{ports['http']}" if "http" in ports else ""
    for kind, values in (("VAR", scenario.variables), ("CONN", scenario.connections)):
        for name, value in values.items():
            found[f"AIRFLOW_{kind}_{name.upper()}"] = value.replace("{http}", http)
    return found
