# SPDX-License-Identifier: Apache-2.0
"""The operations interface of a node: /healthz, /metrics, /version, /logspec.

Source: core/operations, fabric-lib-go healthz and flogging/httpadmin. Metrics are a few of
Fabric's, under its names; /version says that this is not Fabric.
"""

import datetime
import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pedchain_fabric.embedded.http import Request, Response, json_response

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "panic": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
_SPEC = re.compile(r"(?:(?P<loggers>[\w.,-]+)=)?(?P<level>\w+)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One metric: `kind` is counter or gauge, `labels` are name and value."""

    name: str
    kind: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class LogSpec:
    """The process's log levels, set as Fabric's: `info`, or `gateway=debug:warn`."""

    def __init__(self) -> None:
        self.text = "info"

    def activate(self, text: str) -> None:
        """Sets the levels. Raises ValueError with Fabric's text for what is no specification."""
        levels = [self._part(part, text) for part in text.split(":")]
        for names, level in levels:
            for name in names:
                logging.getLogger(name).setLevel(level)
        self.text = text

    def _part(self, part: str, text: str) -> tuple[list[str], int]:
        match = _SPEC.fullmatch(part)
        if match is None or match["level"].lower() not in _LEVELS:
            raise ValueError(f"invalid logging specification '{text}': bad segment '{part}'")
        names = match["loggers"].split(",") if match["loggers"] else [""]
        return names, _LEVELS[match["level"].lower()]


@dataclass(frozen=True, slots=True)
class Operations:
    """Serves one node."""

    version: str
    log_spec: LogSpec
    samples: Callable[[], Iterable[Sample]]

    async def handle(self, request: Request) -> Response:
        """Routes a request."""
        if request.path == "/healthz":
            return _health(request)
        if request.path == "/metrics":
            return Response(200, _exposition(self.samples()), "text/plain; version=0.0.4")
        if request.path == "/version":
            return self._version(request)
        if request.path == "/logspec":
            return self._log_spec(request)
        return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")

    def _version(self, request: Request) -> Response:
        if request.method != "GET":
            return json_response(400, {"Error": f"invalid request method: {request.method}"})
        return json_response(200, {"CommitSHA": "pedchain-embedded", "Version": self.version})

    def _log_spec(self, request: Request) -> Response:
        if request.method == "GET":
            return json_response(200, {"spec": self.log_spec.text})
        if request.method != "PUT":
            return json_response(400, {"error": f"invalid request method: {request.method}"})
        try:
            document = json.loads(request.body)
            self.log_spec.activate(str(document.get("spec", "")))
        except (ValueError, AttributeError, RecursionError) as error:
            return json_response(400, {"error": str(error)})
        return Response(204)


def _health(request: Request) -> Response:
    if request.method != "GET":
        return Response(405)
    now = datetime.datetime.now(datetime.UTC).isoformat()
    return json_response(200, {"status": "OK", "time": now})


def _exposition(samples: Iterable[Sample]) -> bytes:
    """The Prometheus text format, version 0.0.4."""
    lines: list[str] = []
    described: set[str] = set()
    for sample in sorted(samples, key=lambda each: (each.name, each.labels)):
        if sample.name not in described:
            described.add(sample.name)
            lines.append(f"# TYPE {sample.name} {sample.kind}")
        labels = ",".join(f'{name}="{value}"' for name, value in sample.labels)
        series = f"{sample.name}{{{labels}}}" if labels else sample.name
        lines.append(f"{series} {sample.value:.17g}")
    return "\n".join([*lines, ""]).encode()
