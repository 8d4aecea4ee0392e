# SPDX-License-Identifier: Apache-2.0
"""`/openadr3/...`: programs, events and reports for OpenADR 3 clients (VENs)."""

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from pedchain_gateway import limits
from pedchain_gateway.config import Ven
from pedchain_gateway.demandresponse.flexibility import Flexibility
from pedchain_gateway.intake.intake import OverloadedError
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.ledger.port import LedgerError
from pedchain_gateway.openadr import events as openadr
from pedchain_gateway.service import body
from pedchain_gateway.service.dispatches import refused
from pedchain_gateway.service.models import problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import Services, services

router = APIRouter(prefix="/openadr3", tags=["openadr"])
Document = dict[str, Any]
Identifier = Annotated[str, Path(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
Skip = Annotated[int, Query(ge=0, le=1_000_000)]
Limit = Annotated[int, Query(ge=0, le=50)]
_OAUTH: dict[str, Any] = {"content": {"application/json": {"schema": {"type": "object"}}}}
"""RFC 6749 has its own form of errors."""
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: problem("A token is missing, unknown or has expired"),
    503: problem("The ledger cannot be reached"),
}


@router.post(
    "/auth/token",
    responses={
        400: {"description": "Another grant than client credentials", **_OAUTH},
        401: {"description": "The client's secret is another", **_OAUTH},
    },
)
async def post_token(request: Request) -> JSONResponse:
    """A token for client credentials (RFC 6749, section 4.4)."""
    sent = parse_qs((await body.received(request.stream(), "")).decode(errors="replace"))
    client, secret = _credentials(request, sent)
    if sent.get("grant_type", [""]) != ["client_credentials"]:
        return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)
    token = services(request).clients.token(client, secret)
    if token is None:
        return JSONResponse({"error": "invalid_client"}, status_code=401)
    told = {"access_token": token, "token_type": "Bearer", "expires_in": limits.TOKEN_S}
    return JSONResponse(told, headers={"cache-control": "no-store"})


def _credentials(request: Request, sent: dict[str, list[str]]) -> tuple[str, str]:
    """Client and secret, from the form or from HTTP Basic."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        client, _, secret = text.partition(":")
        return client, secret
    return sent.get("client_id", [""])[0], sent.get("client_secret", [""])[0]


def client(request: Request) -> tuple[Services, Ven]:
    """The gateway's parts, and the client that asks. Raises `ProblemError` without a token."""
    known = services(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    ven = known.clients.of(token) if scheme.lower() == "bearer" else None
    if ven is None:
        raise ProblemError(Problem.NOT_AUTHORIZED)
    return known, ven


@router.get("/programs", responses=_ERRORS)
async def get_programs(request: Request, skip: Skip = 0, limit: Limit = 50) -> list[Document]:
    """The program of the client's district."""
    _, ven = client(request)
    return [openadr.program(ven.district)][skip : skip + limit]


@router.get("/programs/{identifier}", responses=_ERRORS)
async def get_program(request: Request, identifier: Identifier) -> Document:
    """One program."""
    _, ven = client(request)
    return _one([openadr.program(ven.district)], identifier)


@router.get("/events", responses=_ERRORS)
async def get_events(
    request: Request,
    program: Annotated[str | None, Query(alias="programID")] = None,
    skip: Skip = 0,
    limit: Limit = 50,
) -> list[Document]:
    """What accepted orders ask of the client's sites."""
    known, ven = client(request)
    if program not in (None, openadr.program(ven.district)["id"]):
        return []
    return (await _events(known, ven))[skip : skip + limit]


@router.get("/events/{identifier}", responses=_ERRORS)
async def get_event(request: Request, identifier: Identifier) -> Document:
    """One event."""
    known, ven = client(request)
    return _one(await _events(known, ven), identifier)


@router.post("/reports", responses=_ERRORS, status_code=201)
async def post_report(request: Request) -> Document:
    """What devices signed: answers to an event, and meter records. Answered once on the ledger."""
    known, ven = client(request)
    try:
        report = openadr.read(await body.received(request.stream(), ""))
        said = openadr.said(report)
    except openadr.ReportError as error:
        raise ProblemError(Problem.MALFORMED_REQUEST, error.detail, reason=error.reason) from error
    sites = {paper["document"]["site"] for paper in said.answers}
    if not sites <= {*ven.sites}:
        raise ProblemError(Problem.NOT_PROVEN, reason="not-owner")
    await _carry(known, ven, said)
    return openadr.received(report)


async def _carry(known: Services, ven: Ven, said: openadr.Said) -> None:
    flex = Flexibility(known.ledger, known.channel, lambda _: None)
    try:
        for paper in said.answers:
            await flex.answer(paper["document"]["order"], ven.district, [paper])
        if said.records:
            _settled(await known.intake.take(ven.district, said.records))
    except LedgerError as error:
        raise refused(error) from error
    except OverloadedError as error:
        raise ProblemError(Problem.OVERLOADED) from error


def _settled(verdicts: list[Verdict]) -> None:
    """Raises `ProblemError` for the first record that is not on the ledger."""
    for verdict in verdicts:
        if verdict.status in (Status.RETRY, Status.UNKNOWN):
            raise ProblemError(Problem.LEDGER_UNAVAILABLE, reason=verdict.reason)
        if verdict.status not in (Status.RECORDED, Status.DUPLICATE):
            raise ProblemError(Problem.LEDGER_CONFLICT, reason=verdict.reason)


async def _events(known: Services, ven: Ven) -> list[Document]:
    try:
        orders = await known.agents.ahead(ven.district)
        found = await known.agents.dispatches(ven.district, orders, ven.sites)
    except LedgerError as error:
        raise refused(error) from error
    return [
        openadr.event(orders[paper["document"]["order"]], ven.district, paper) for paper in found
    ]


def _one(found: list[Document], identifier: str) -> Document:
    for one in found:
        if one["id"] == identifier:
            return one
    raise ProblemError(Problem.NOT_FOUND)
