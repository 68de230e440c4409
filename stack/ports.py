"""The ports of the stack on this machine: which they are, whether they are free, who holds them."""

from __future__ import annotations

import errno
import socket

import psutil

from stack import StackProblem

HERE = "127.0.0.1"
TCP = {
    8080: "Airflow",
    9090: "Prometheus",
    3000: "Grafana",
    9102: "the StatsD exporter",
    9093: "Alertmanager",
    8025: "the inbox",
    1025: "the inbox's SMTP",
}
UDP = {9125: "StatsD"}


def is_free(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    """Whether a program could listen there."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HERE, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def holder(port: int) -> str:
    """Who listens on the port, as far as this user may know."""
    try:
        connections = psutil.net_connections("inet")
    except psutil.AccessDenied:
        return "another program"
    for connection in connections:
        listens = connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
        if listens and connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                name = psutil.Process(connection.pid).name()
            except psutil.Error:
                continue
            return f"{name} (process {connection.pid})"
    return "another program"


def taken(tcp: dict[int, str]) -> list[tuple[int, str, str]]:
    """Port, what it is for, and who holds it, for each port that is not free."""
    found = [(port, use, holder(port)) for port, use in tcp.items() if not is_free(port)]
    found += [(p, use, holder(p)) for p, use in UDP.items() if not is_free(p, socket.SOCK_DGRAM)]
    return found


def refuse_taken_ports(tcp: dict[int, str] = TCP) -> None:
    """Raises `StackProblem` that names the ports and who holds them."""
    if found := taken(tcp):
        told = ", ".join(f"{port} ({use}) is held by {who}" for port, use, who in found)
        raise StackProblem(f"ports that the stack needs are taken: {told}. Stop these, try again.")
