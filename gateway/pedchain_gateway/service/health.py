# SPDX-License-Identifier: Apache-2.0
"""`GET /healthz` and `GET /metrics`: what was checked, and what was counted."""

import asyncio
import sqlite3
import time

from fastapi import APIRouter, Request, Response

from pedchain_gateway import limits
from pedchain_gateway.intake.form import Key
from pedchain_gateway.ledger.port import LedgerError
from pedchain_gateway.service.models import Check, Health
from pedchain_gateway.service.services import Services, services

router = APIRouter(tags=["operation"])


class HealthCheck:
    """Looks at the peer and the index; one look serves all who ask within a second."""

    def __init__(self, known: Services) -> None:
        self._services = known
        self._lock = asyncio.Lock()
        self._last: tuple[float, Health] | None = None

    async def health(self) -> Health:
        """What was found at the last look, which is a second old at most."""
        async with self._lock:
            now = time.monotonic()
            if self._last is None or now - self._last[0] > limits.HEALTH_FRESH_S:
                checks = {"peer": await self._peer(), "index": self._index()}
                good = all(check.ok for check in checks.values())
                self._last = now, Health(status="ok" if good else "failing", checks=checks)
            return self._last[1]

    async def _peer(self) -> Check:
        try:
            async with asyncio.timeout(limits.HEALTH_DEADLINE_S):
                height = await self._services.ledger.height()
        except (LedgerError, TimeoutError):
            return Check(ok=False, detail="our peer does not answer a query of its ledger")
        self._services.metrics.height.set(height)
        return Check(ok=True, detail="our peer answered a query of its ledger", height=height)

    def _index(self) -> Check:
        try:
            self._services.index.find(Key("", "", ""))
        except sqlite3.Error:
            return Check(ok=False, detail="the index of records cannot be read")
        return Check(ok=True, detail="the index of records can be read")


@router.get("/healthz", responses={503: {"model": Health}})
async def get_health(request: Request, response: Response) -> Health:
    """Whether this gateway can do its work: each check by name, with what it looked at.

    It says nothing about other organisations: a ledger can be up here and lack endorsers or
    orderers elsewhere.
    """
    health: Health = await request.app.state.health.health()
    response.status_code = 200 if health.status == "ok" else 503
    return health


@router.get("/metrics", response_class=Response)
async def get_metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    metrics = services(request).metrics
    return Response(metrics.render(), media_type=metrics.content_type)
