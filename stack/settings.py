"""The stack's `.env`: logins, secrets, and which DAGs to show. Written once, then only completed.

Secrets are made here and nowhere else; nothing in here is ever printed but the logins.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from dotenv import dotenv_values

from stack import ROOT, STACK, StackProblem

ENV_FILE = ROOT / ".env"
AIRFLOW_ENV = STACK / "airflow" / "airflow.env"
# What the official image expects of somebody who is root on the host.
IMAGE_UID = 50000


def fernet_key() -> str:
    """A key as `cryptography.fernet` wants it: 32 random bytes."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def user_id() -> str:
    """The id under which containers write the logs."""
    return str(os.getuid() or IMAGE_UID)


DEFAULTS: dict[str, Callable[[], str]] = {
    "AIRFLOW_USER": lambda: "airflow",
    "AIRFLOW_PASSWORD": lambda: "airflow",
    "GRAFANA_USER": lambda: "admin",
    "GRAFANA_PASSWORD": lambda: "admin",
    "DAGS": lambda: "exercises",
    "AIRFLOW_UID": user_id,
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "FERNET_KEY": fernet_key,
    "JWT_SECRET": lambda: secrets.token_urlsafe(64),
    "API_SECRET_KEY": lambda: secrets.token_urlsafe(32),
}
HEADER = """\
# Made by `make stack`. Change the logins as you like; keep the secrets to yourself.
# Delete a line to have it made anew (then also `make stack-clean`: old data needs the old secrets).
"""


def load(file: Path = ENV_FILE, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """All settings; what the file lacks is added to it. `DAGS` can be given for one call.

    Raises `StackProblem` if the file cannot be used.
    """
    try:
        known = {k: v for k, v in dotenv_values(file).items() if v}
        missing = {k: make() for k, make in DEFAULTS.items() if k not in known}
        if missing:
            append(file, missing)
    except OSError as error:
        raise StackProblem(f"{file} cannot be used: {error.strerror}.") from None
    settings = known | missing
    if environment.get("DAGS"):
        settings["DAGS"] = environment["DAGS"]
    if not (ROOT / settings["DAGS"]).is_dir():
        raise StackProblem(
            f"there is no folder {settings['DAGS']}; DAGS names one, such as exercises."
        )
    return settings


def append(file: Path, values: Mapping[str, str]) -> None:
    """Add lines to the file, which only its owner may read."""
    new = not file.exists()
    text = "" if new else file.read_text("utf-8")
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as out:
        out.write(HEADER if new else "" if text.endswith("\n") or not text else "\n")
        out.writelines(f"{key}={value}\n" for key, value in values.items())


def airflow_settings() -> dict[str, str]:
    """Airflow's own settings that containers and processes share."""
    return {k: v for k, v in dotenv_values(AIRFLOW_ENV).items() if v is not None}
