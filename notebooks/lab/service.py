"""One service of the stack over HTTP. It turns what can go wrong into one line for the reader."""

from __future__ import annotations

from typing import Any

import httpx

from lab.problem import LabProblem


class Service:
    """What all clients share: an address, and answers as JSON."""

    name = "The service"

    def __init__(self, http: httpx.Client):
        self._http = http

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of an answer. Raises `LabProblem` if there is none, or the service refuses."""
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TransportError:
            raise LabProblem(
                f"{self.name} does not answer at {self._http.base_url}. Is the stack still up? "
                "In a terminal: make stack-status"
            ) from None
        if answer.is_error:
            raise LabProblem(f"{self.name} says: {self.complaint(answer)}")
        return answer.json() if answer.content else None

    def complaint(self, answer: httpx.Response) -> str:
        """Why the service refused, in its own words."""
        try:
            told = answer.json()
        except ValueError:
            return f"{answer.status_code} {answer.reason_phrase}"
        return str(told.get("error") or told.get("detail") or told.get("message") or told)
