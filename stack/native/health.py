"""Whether a program of the native stack does its work, asked over HTTP. It starts nothing."""

from __future__ import annotations

from collections.abc import Callable

import httpx

Health = Callable[[], bool]
AIRFLOW_HEALTH = "http://127.0.0.1:8080/api/v2/monitor/health"
SECONDS = 3.0


def get(url: str) -> httpx.Response | None:
    """The answer if it is a good one."""
    try:
        answer = httpx.get(url, timeout=SECONDS, trust_env=False)
    except httpx.HTTPError:
        return None
    return answer if answer.is_success else None


def answers(url: str) -> Health:
    """Healthy when the address answers."""
    return lambda: get(url) is not None


def component(name: str) -> Health:
    """Healthy when the API server knows a fresh heartbeat of this part of Airflow."""

    def healthy() -> bool:
        answer = get(AIRFLOW_HEALTH)
        return answer is not None and answer.json().get(name, {}).get("status") == "healthy"

    return healthy
