# SPDX-License-Identifier: Apache-2.0
"""What surrounds every request: an id, a log line, a count, and an answer whatever happens."""

import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog

from pedchain_gateway import limits
from pedchain_gateway.people.access import PERSON, TRANSACTION
from pedchain_gateway.people.auditlog import AuditLog
from pedchain_gateway.service.metrics import Metrics
from pedchain_gateway.service.problems import CONTENT_TYPE, Problem, body, headers

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

HEADER = b"x-request-id"
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_log = structlog.get_logger("pedchain_gateway")


class RequestContext:
    """ASGI middleware: takes or makes the request's id, binds it to the log, and answers faults.

    A fault of this program becomes the problem `internal`; its text stays out of answer and log.
    """

    def __init__(self, app: App, metrics: Metrics, audit: AuditLog) -> None:
        self._app = app
        self._metrics = metrics
        self._audit = audit
        self._inside = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = _identifier(scope)
        began = time.perf_counter()
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, identifier.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request=identifier):
            self._inside += 1
            try:
                if self._inside > limits.REQUESTS_INSIDE_MAX:
                    await _answer(observed, Problem.OVERLOADED)
                else:
                    await self._app(scope, receive, observed)
            except Exception as fault:  # noqa: BLE001 - the last guard: every request is answered
                _log.error("fault", error=type(fault).__name__)
                if not status:
                    await _answer(observed, Problem.INTERNAL)
            finally:
                self._inside -= 1
            self._note(scope, status, time.perf_counter() - began)
            self._keep(scope, status, identifier)

    def _note(self, scope: Message, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        _log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1_000, 1),
        )

    def _keep(self, scope: Message, status: int, identifier: str) -> None:
        """A line of the audit log for what a person asked, whatever came of it."""
        person = scope.get(PERSON)
        if person is not None:
            self._audit.note(
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                who=person.subject,
                did=f"{scope['method']} {scope['route'].path}",
                about={name: str(value) for name, value in scope["path_params"].items()},
                status=status,
                request=identifier,
                transaction=scope.get(TRANSACTION),
            )


def _identifier(scope: Message) -> str:
    for name, value in scope["headers"]:
        if name == HEADER and _ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)


async def _answer(send: Send, problem: Problem) -> None:
    data = json.dumps(body(problem, "", {})).encode()
    fields = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(data)),
        **headers(problem),
    }
    encoded = [(name.encode(), value.encode()) for name, value in fields.items()]
    status = problem.value.status
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": data})
