# SPDX-License-Identifier: Apache-2.0
"""The HTTP application: routes, problems, and what goes on beside them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pedchain_gateway.devices import routes as devices
from pedchain_gateway.explorer import routes as explorer
from pedchain_gateway.openadr import routes as openadr
from pedchain_gateway.page import routes as pages
from pedchain_gateway.people import accounts
from pedchain_gateway.people.access import ROLES, TABLE, guard
from pedchain_gateway.service import (
    certificates,
    dispatches,
    health,
    problems,
    public,
    readings,
    surplus,
)
from pedchain_gateway.service.context import RequestContext
from pedchain_gateway.service.models import ANY_PROBLEM
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import Services

VERSION = "1"
Background = Callable[[], Awaitable[None]]
ROUTES = (
    readings,
    devices,
    dispatches,
    openadr,
    certificates,
    public,
    surplus,
    accounts,
    explorer,
    health,
    pages,
)
_BY_STATUS = {404: Problem.NOT_FOUND, 405: Problem.METHOD_NOT_ALLOWED}


def create(services: Services, background: Background | None = None) -> FastAPI:
    """The application; `background` runs beside it for as long as it serves."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = None if background is None else asyncio.ensure_future(background())
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
            await services.intake.drain()

    app = FastAPI(
        title="pedchain gateway",
        version=VERSION,
        description="Signed meter readings in, certificates of a district out.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.health = health.HealthCheck(services)
    for module in ROUTES:
        app.include_router(module.router, responses=ANY_PROBLEM, dependencies=[Depends(guard)])
    _secured(app)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(RequestContext, metrics=services.metrics, audit=services.audit)
    return app


def _secured(app: FastAPI) -> None:
    """Say in OpenAPI which routes want a person's token: those of the access table."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["person"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        for path, found in document["paths"].items():
            for method, operation in found.items():
                if TABLE[method.upper(), path] in ROLES:
                    operation["security"] = [{"person": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign] # how FastAPI has its document extended


def _answer(
    problem: Problem,
    detail: str = "",
    members: dict[str, str | None] | None = None,
    retry_after_s: int | None = None,
) -> JSONResponse:
    return JSONResponse(
        problems.body(problem, detail, members or {}),
        status_code=problem.value.status,
        headers=problems.headers(problem, retry_after_s),
        media_type=problems.CONTENT_TYPE,
    )


def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return _answer(error.problem, error.detail, error.members, error.retry_after_s)


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    where = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
    return _answer(Problem.MALFORMED_REQUEST, f"not of the documented form: {', '.join(where)}")


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _answer(_BY_STATUS.get(error.status_code, Problem.MALFORMED_REQUEST))
