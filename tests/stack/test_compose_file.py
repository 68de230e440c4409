"""The compose file as the real Compose reads it. No engine: tests/compose runs the file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stack import ROOT, STACK
from stack.native.config import COPIED
from stack.native.programs import airflow_environment, monitoring
from stack.ports import TCP, UDP
from stack.settings import DEFAULTS, airflow_settings

COMPOSE = Path(sys.executable).with_name("docker-compose")
FILE = ROOT / "docker-compose.yml"
INIT = "airflow-init"
AIRFLOW = {
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
}
MONITORING = {"statsd-exporter", "prometheus", "alertmanager", "grafana", "mailpit"}
# What only one of the two ways to run Airflow has to be told.
ONLY_NATIVE = {
    "AIRFLOW_HOME",
    "AIRFLOW__API__HOST",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST",
    "NO_PROXY",
}
ADDED = "_PIP_ADDITIONAL_REQUIREMENTS"
LOAD_DAGS = {"airflow-scheduler", "airflow-dag-processor"}
ONLY_CONTAINERS = {"LOGIN", "PASSWORD", ADDED}
# What differs between them: where things are, and how the scheduler is asked for its health.
DIFFERENT = {
    "AIRFLOW_VAR_PROMETHEUS_URL",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__METRICS__STATSD_HOST",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",
    "AIRFLOW_CONN_SMTP_DEFAULT",
    "AIRFLOW_CONN_AIRFLOW_API",
}
SETTINGS = {name: make() for name, make in DEFAULTS.items()}

Service = dict[str, Any]


def compose(env_file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Compose with the settings of this file and no others."""
    environment = {k: v for k, v in os.environ.items() if k not in DEFAULTS}
    command = [str(COMPOSE), "--file", str(FILE), "--env-file", str(env_file), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def written(folder: Path, settings: dict[str, str]) -> Path:
    file = folder / "settings"
    file.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    return file


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    file = written(tmp_path_factory.mktemp("compose"), SETTINGS)
    return compose(file, "config", "--format", "json")


@pytest.fixture(scope="module")
def services(read: subprocess.CompletedProcess[str]) -> dict[str, Service]:
    assert read.returncode == 0, read.stderr
    return json.loads(read.stdout)["services"]


def test_compose_reads_it_without_a_warning(read: subprocess.CompletedProcess[str]):
    assert (read.returncode, read.stderr) == (0, "")


def test_it_asks_for_what_make_stack_writes():
    assert set(re.findall(r"\$\{(\w+)", FILE.read_text("utf-8"))) == DEFAULTS.keys()


@pytest.mark.parametrize("missing", [None, *DEFAULTS])
def test_a_missing_setting_is_one_line(missing: str | None, tmp_path: Path):
    """Without .env, and with one that lacks a line."""
    rest = {k: v for k, v in SETTINGS.items() if missing and k != missing}
    done = compose(written(tmp_path, rest), "config", "--quiet")
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert (missing or "AIRFLOW_UID") in line
    assert "make stack" in line


def test_the_services_have_the_names_that_the_lessons_use(services: dict[str, Service]):
    assert services.keys() == {"postgres", INIT, *AIRFLOW, *MONITORING}


def test_old_and_fixed_names_are_not_used(services: dict[str, Service]):
    assert not re.search(r"^version:", FILE.read_text("utf-8"), re.M)
    assert not [name for name, service in services.items() if "container_name" in service]


def test_every_image_is_one_release(services: dict[str, Service]):
    for service in services.values():
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+[.\w]*)?$", service["image"]), service["image"]


def test_every_port_is_on_this_machine_only(services: dict[str, Service]):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert {port.get("host_ip") for port in ports} == {"127.0.0.1"}
    published = {(int(port["published"]), port["protocol"]) for port in ports}
    assert published == {(p, "tcp") for p in TCP} | {(p, "udp") for p in UDP}


def test_every_service_has_a_health_check_and_comes_back(services: dict[str, Service]):
    for name, service in services.items():
        if name == INIT:
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "always", name


def test_airflow_waits_for_the_exporter_and_is_started_again_with_it(services: dict[str, Service]):
    for name in AIRFLOW:
        exporter = services[name]["depends_on"]["statsd-exporter"]
        assert (exporter["condition"], exporter["restart"]) == ("service_healthy", True), name


def test_nothing_starts_on_something_that_is_not_ready(services: dict[str, Service]):
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if other == INIT else "service_healthy"
            assert how["condition"] == done, f"{name} waits for {other}"
    assert "airflow-apiserver" in services["airflow-scheduler"]["depends_on"]


def test_the_parts_of_airflow_share_settings_dags_and_logs(services: dict[str, Service]):
    common = [
        {
            "environment": {
                k: v
                for k, v in services[name]["environment"].items()
                if k not in ONLY_CONTAINERS | {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"}
            },
            **{k: services[name][k] for k in ("image", "user", "volumes")},
        }
        for name in (INIT, *AIRFLOW)
    ]
    assert all(other == common[0] for other in common[1:])


def test_airflow_is_told_the_same_as_in_the_native_stack(services: dict[str, Service]):
    containers = services["airflow-apiserver"]["environment"]
    native = airflow_environment(Path("/home"), SETTINGS, None)
    assert containers.keys() - ONLY_CONTAINERS == native.keys() - ONLY_NATIVE
    same = containers.keys() - ONLY_CONTAINERS - DIFFERENT
    assert {k: containers[k] for k in same} == {k: native[k] for k in same}
    assert airflow_settings().items() <= containers.items()


def test_the_connection_to_the_api_is_the_same_but_for_the_host(services: dict[str, Service]):
    name = "AIRFLOW_CONN_AIRFLOW_API"
    containers = json.loads(services["airflow-scheduler"]["environment"][name])
    native = json.loads(airflow_environment(Path("/home"), SETTINGS, None)[name])
    assert containers | {"host": "127.0.0.1"} == native
    assert containers["host"] in services


def test_who_loads_dags_installs_what_the_image_lacks(services: dict[str, Service]):
    """And in the version that the grader uses."""
    added = {name: s["environment"].get(ADDED) for name, s in services.items() if name in AIRFLOW}
    assert {name for name, requirement in added.items() if requirement} == LOAD_DAGS
    (requirement,) = {added[name] for name in LOAD_DAGS}
    assert f"\n{requirement} " in (ROOT / "requirements.lock").read_text("utf-8")


def test_the_mounted_configuration_is_that_of_the_native_stack(services: dict[str, Service]):
    """Whole folders of stack/, read-only. The native stack reads the same, or copies of them."""
    mounts = [
        mount
        for service in services.values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind"
    ]
    assert all(mount["read_only"] for mount in mounts)
    sources = {Path(mount["source"]) for mount in mounts}
    assert all(source.is_dir() for source in sources)
    configured = {STACK / name for name in (*COPIED, "statsd", "grafana/dashboards")}
    assert sources == configured | {ROOT / SETTINGS["DAGS"]}


def options(command: list[str] | tuple[str, ...]) -> dict[str, str]:
    """`--name=value` of a command line."""
    pairs = (word.partition("=") for word in command if word.startswith("--"))
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("name", ["statsd-exporter", "prometheus", "alertmanager"])
def test_a_program_gets_the_same_options_as_in_the_native_stack(
    services: dict[str, Service], name: str
):
    (program,) = [p for p in monitoring(STACK) if p.name == name]
    native, here = options(program.command), options(services[name]["command"])
    # Where to listen is the container's default, and where to store is its volume.
    listen = {option for option in native if "listen" in option and native[option]}
    storage = {option for option in native if "storage" in option}
    assert here.keys() | {"--statsd.listen-tcp"} >= native.keys() - listen
    for option in here.keys() - storage:
        expected = native[option]
        if Path(expected).is_absolute():
            mount = next(m for m in services[name]["volumes"] if m["type"] == "bind")
            inside = Path(here[option]).relative_to(mount["target"])
            assert Path(mount["source"], inside) == Path(expected)
            assert Path(expected).is_file()
        else:
            assert here[option] == expected
