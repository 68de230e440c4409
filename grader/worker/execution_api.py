"""The in-process Execution API that `DAG.test` talks to: built once, and asked without detours.

Nothing here may change an answer. It only leaves out what costs time: old versions of the API,
threads that wait for each other, and work that was done for the request before.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
from airflow.sdk.execution_time.supervisor import in_process_api_server


def build_execution_api() -> None:
    """Build it and send it one request, which is what takes the time.

    Only its newest version is built: `DAG.test` speaks no other, and the eight older ones that it
    keeps for older workers cost four seconds.
    """
    from airflow.api_fastapi.execution_api import versions
    from airflow.api_fastapi.execution_api.routes import execution_api_router
    from cadwyn import HeadVersion, Version, VersionBundle
    from cadwyn.route_generation import _DELETED_ROUTE_TAG

    routes = execution_api_router.routes
    routes[:] = [r for r in routes if _DELETED_ROUTE_TAG not in getattr(r, "tags", ())]
    newest = versions.bundle.versions[0].value
    versions.bundle = VersionBundle(HeadVersion(), Version(newest))
    transport = InThread()
    with httpx.Client(transport=transport, base_url="http://in-process") as client:
        client.get("/health").raise_for_status()
    stay_in_thread()
    remember_dependants()
    remember_adapters()
    in_process_api_server().transport = transport


class InThread(httpx.BaseTransport):
    """Answers each request in the thread that asks, where Airflow's own has a second thread answer.

    The event loop is made by the first request after `close`, because none survives a fork.
    """

    def __init__(self) -> None:
        self._asgi = httpx.ASGITransport(app=in_process_api_server().app)
        self._turn = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lifespan = contextlib.AsyncExitStack()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Also from inside another event loop, as a trigger does."""
        outer = asyncio._get_running_loop()
        with self._turn:
            asyncio._set_running_loop(None)
            try:
                return self._running_loop().run_until_complete(self._ask(request))
            finally:
                asyncio._set_running_loop(outer)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        answer = await self._asgi.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            app = in_process_api_server().app
            lifespan = app.router.lifespan_context(app)
            self._loop.run_until_complete(self._lifespan.enter_async_context(lifespan))
        return self._loop

    def close(self) -> None:
        """End the event loop."""
        if self._loop is not None:
            self._loop.run_until_complete(self._lifespan.aclose())
            self._loop.close()
            self._loop = None


def stay_in_thread() -> None:
    """Have the API call its synchronous functions itself, not through a pool of threads."""
    import cadwyn.structure.versions
    import fastapi.dependencies.utils
    import fastapi.routing

    async def call(function: Callable[..., Any], *args: Any, **rest: Any) -> Any:
        return function(*args, **rest)

    @contextlib.asynccontextmanager
    async def enter(manager: AbstractContextManager[Any]) -> AsyncIterator[Any]:
        with manager as value:
            yield value

    for module in (cadwyn.structure.versions, fastapi.dependencies.utils, fastapi.routing):
        module.run_in_threadpool = call  # type: ignore[attr-defined]
    fastapi.dependencies.utils.contextmanager_in_threadpool = enter  # type: ignore


def remember_dependants() -> None:
    """Have FastAPI take each dependency apart once, not again in every request.

    It does so wherever an app overrides dependencies, as the in-process Execution API does.
    """
    from fastapi.dependencies import utils

    original = utils.get_dependant
    known: dict[tuple[Any, ...], Any] = {}

    def get_dependant(
        *,
        own_oauth_scopes: list[str] | None = None,
        parent_oauth_scopes: list[str] | None = None,
        **rest: Any,
    ) -> Any:
        own, parent = own_oauth_scopes or [], parent_oauth_scopes or []
        key = (tuple(own), tuple(parent), *sorted(rest.items()))
        if key not in known:
            known[key] = original(own_oauth_scopes=own, parent_oauth_scopes=parent, **rest)
        return known[key]

    utils.get_dependant = get_dependant


def remember_adapters() -> None:
    """Have the task runner build its validator of JSON once, not for each rendered field."""
    from airflow.sdk.execution_time import task_runner
    from pydantic import JsonValue, TypeAdapter

    known: Any = TypeAdapter(JsonValue)

    def adapter(of: Any) -> Any:
        return known if of is JsonValue else TypeAdapter(of)

    task_runner.TypeAdapter = adapter  # type: ignore
