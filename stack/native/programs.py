"""The programs of the native stack: how each is started, when it is healthy, what it waits for.

They have the names of the services in `docker-compose.yml`. Each listens on 127.0.0.1 only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack import ROOT, STACK
from stack.native import binaries
from stack.native.health import Health, answers, component
from stack.settings import airflow_settings

PYTHON = sys.executable
HERE = "127.0.0.1"


@dataclass(frozen=True)
class Program:
    """One program. `once` means that it has to end well instead of staying."""

    name: str
    command: tuple[str, ...]
    healthy: Health | None = None
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    once: bool = False


def programs(home: Path, settings: Mapping[str, str], database: str | None) -> list[Program]:
    """All programs, in the order in which they depend on each other."""
    return [
        *monitoring(home),
        *grafana(home, settings),
        *airflow(home, airflow_environment(home, settings, database)),
    ]


def monitoring(home: Path) -> list[Program]:
    """What watches Airflow."""
    return [
        Program(
            "statsd-exporter",
            (
                str(binaries.find("statsd_exporter")),
                f"--statsd.mapping-config={STACK / 'statsd' / 'mapping.yml'}",
                f"--statsd.listen-udp={HERE}:9125",
                "--statsd.listen-tcp=",
                f"--web.listen-address={HERE}:9102",
            ),
            answers(f"http://{HERE}:9102/-/ready"),
            address="http://localhost:9102/metrics",
        ),
        inbox(),
        Program(
            "alertmanager",
            (
                str(binaries.find("alertmanager")),
                f"--config.file={home / 'alertmanager' / 'alertmanager.yml'}",
                f"--storage.path={home / 'alertmanager-data'}",
                f"--web.listen-address={HERE}:9093",
                "--web.external-url=http://localhost:9093",
                "--cluster.listen-address=",
            ),
            answers(f"http://{HERE}:9093/-/ready"),
            after=("mailpit",),
            address="http://localhost:9093",
        ),
        Program(
            "prometheus",
            (
                str(binaries.find("prometheus")),
                f"--config.file={home / 'prometheus' / 'prometheus.yml'}",
                f"--storage.tsdb.path={home / 'prometheus-data'}",
                f"--web.listen-address={HERE}:9090",
                "--web.external-url=http://localhost:9090",
                "--enable-feature=created-timestamp-zero-ingestion",
            ),
            answers(f"http://{HERE}:9090/-/ready"),
            after=("statsd-exporter", "alertmanager"),
            address="http://localhost:9090",
        ),
    ]


def inbox() -> Program:
    """Mailpit if it is installed, else our own, under the same name, ports and API."""
    mailpit = binaries.find("mailpit")
    command = (
        (str(mailpit), "--smtp", f"{HERE}:1025", "--listen", f"{HERE}:8025")
        if mailpit
        else (PYTHON, "-m", "stack.native.inbox")
    )
    ready = answers(f"http://{HERE}:8025/readyz")
    return Program("mailpit", command, ready, address="http://localhost:8025")


def grafana(home: Path, settings: Mapping[str, str]) -> list[Program]:
    """Grafana, where its program is installed."""
    binary = binaries.find("grafana")
    if binary is None:
        return []
    command = (str(binary),) if binary.name == "grafana-server" else (str(binary), "server")
    environment = {
        "GF_SERVER_HTTP_ADDR": HERE,
        "GF_PATHS_DATA": str(home / "grafana-data"),
        "GF_PATHS_LOGS": str(home / "logs"),
        "GF_PATHS_PROVISIONING": str(home / "grafana" / "provisioning"),
        "GF_SECURITY_ADMIN_USER": settings["GRAFANA_USER"],
        "GF_SECURITY_ADMIN_PASSWORD": settings["GRAFANA_PASSWORD"],
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "DASHBOARDS": str(STACK / "grafana" / "dashboards"),
    }
    return [
        Program(
            "grafana",
            (*command, "--homepath", str(grafana_home(binary))),
            answers(f"http://{HERE}:3000/api/health"),
            after=("prometheus",),
            environment=environment,
            address="http://localhost:3000",
        )
    ]


def grafana_home(binary: Path) -> Path:
    """Where a package puts Grafana's own files."""
    packaged = Path("/usr/share/grafana")
    return packaged if packaged.is_dir() else binary.resolve().parents[1]


def airflow_environment(
    home: Path, settings: Mapping[str, str], database: str | None
) -> dict[str, str]:
    """Airflow's settings: the shared ones, and the addresses and secrets of this machine."""
    airflow_home = home / "airflow"
    return airflow_settings() | {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str((ROOT / settings["DAGS"]).absolute()),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HERE}:8080/execution/",
        "AIRFLOW__CORE__FERNET_KEY": settings["FERNET_KEY"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{settings['AIRFLOW_USER']}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(airflow_home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database or sqlite(airflow_home),
        "AIRFLOW__API__BASE_URL": "http://localhost:8080",
        "AIRFLOW__API__HOST": HERE,
        "AIRFLOW__API__SECRET_KEY": settings["API_SECRET_KEY"],
        "AIRFLOW__API_AUTH__JWT_SECRET": settings["JWT_SECRET"],
        "AIRFLOW__API_AUTH__JWT_AUDIENCE": "airflow",
        "AIRFLOW__METRICS__STATSD_HOST": HERE,
        # Its server outlives a killed scheduler and keeps the port; the API server knows as much.
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        # A Variable: the DAG of part 03 asks Prometheus.
        "AIRFLOW_VAR_PROMETHEUS_URL": f"http://{HERE}:9090",
        "AIRFLOW_CONN_SMTP_DEFAULT": "smtp://127.0.0.1:1025?disable_ssl=true&disable_tls=true",
        "AIRFLOW_CONN_AIRFLOW_API": api_connection(settings),
        "NO_PROXY": "*",
    }


def sqlite(airflow_home: Path) -> str:
    """The URL of a database in a file. It has one writer at a time, and the scheduler is often it.

    Others wait for five seconds if not told otherwise, and then a click on "Trigger" is an error.
    """
    return f"sqlite:///{airflow_home}/airflow.db?timeout=30"


def api_connection(settings: Mapping[str, str]) -> str:
    """Airflow's own API as a connection: the DAG of part 07 asks it what a late run waits for."""
    login, password = settings["AIRFLOW_USER"], settings["AIRFLOW_PASSWORD"]
    return json.dumps(
        {"conn_type": "http", "host": HERE, "port": 8080, "login": login, "password": password}
    )


def airflow(home: Path, environment: Mapping[str, str]) -> list[Program]:
    """The parts of Airflow. Logs are read from the disk, so nobody has to serve them."""

    def part(
        name: str, *words: str, healthy: Health | None, after: tuple[str, ...], address: str = ""
    ) -> Program:
        command = (PYTHON, "-m", "airflow", *words)
        return Program(name, command, healthy, after, environment, address, healthy is None)

    monitored = ("airflow-init", "statsd-exporter")
    return [
        part("airflow-init", "db", "migrate", healthy=None, after=()),
        part(
            "airflow-apiserver",
            "api-server",
            healthy=answers(f"http://{HERE}:8080/api/v2/version"),
            after=monitored,
            address="http://localhost:8080",
        ),
        part(
            "airflow-scheduler",
            "scheduler",
            "--skip-serve-logs",
            healthy=component("scheduler"),
            # A task that meets an API that is not ready can end the scheduler.
            after=(*monitored, "airflow-apiserver"),
        ),
        part(
            "airflow-dag-processor",
            "dag-processor",
            healthy=component("dag_processor"),
            after=monitored,
        ),
        part(
            "airflow-triggerer",
            "triggerer",
            "--skip-serve-logs",
            healthy=component("triggerer"),
            after=monitored,
        ),
    ]
