# SPDX-License-Identifier: Apache-2.0
"""`POST /v1/readings` and `GET /v1/transactions/{id}`."""

import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from pedchain_gateway.devices.binding import PEER
from pedchain_gateway.intake.form import Form
from pedchain_gateway.intake.intake import OverloadedError, read
from pedchain_gateway.intake.spool import SpoolFullError
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.ledger.port import VALID, Unavailable
from pedchain_gateway.service import body
from pedchain_gateway.service.models import Result, Results, Transaction, problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import services

router = APIRouter(tags=["readings"])

_CODES = {
    Status.RECORDED: 200,
    Status.DUPLICATE: 200,
    Status.REJECTED: 422,
    Status.CONFLICT: 409,
    Status.UNKNOWN: 202,
    Status.RETRY: 503,
    Status.SPOOLED: 202,
}
_REASON_CODES = {"key-meter-mismatch": 403, "revoked-key": 403}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "OCMF records, at most 1,000 and 1 MiB; `content-encoding: gzip` is taken",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["district", "records"],
                    "additionalProperties": False,
                    "properties": {
                        "district": {"type": "string"},
                        "records": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 1_000,
                            "items": {"type": "string"},
                        },
                    },
                }
            },
            "text/plain": {
                "schema": {"type": "string", "description": "One record per line"},
            },
        },
    }
}


@router.post(
    "/v1/readings",
    response_model=Results,
    openapi_extra=_BODY,
    responses={
        202: {"model": Results, "description": "Some outcomes are not known yet: ask, or retry"},
        400: problem("The request cannot be read"),
        404: problem("Another district"),
        413: problem("Too large or too many"),
        415: problem("Content type or encoding"),
        403: problem("This connection may not bring these records"),
        429: problem("Come again: nothing was taken"),
        507: problem("Come again: the spool's disk is full"),
        503: problem("Come again: nothing was recorded"),
    },
)
async def post_readings(
    request: Request,
    district: Annotated[str | None, Query(description="For plain text bodies")] = None,
) -> JSONResponse:
    """Take signed meter records; an answer for each, in order.

    `recorded` is said only when the record's transaction is committed. Sending the same bytes
    again is always safe. With `Prefer: respond-async` records are acknowledged once they are on
    this gateway's disk: `spooled`, with an address to ask.
    """
    known = services(request)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = await body.received(request.stream(), encoding)
    posted = body.posted(data, media_type, district)
    if posted.district not in known.config.districts:
        raise ProblemError(Problem.UNKNOWN_DISTRICT)
    opened = [read(posted.district, record) for record in posted.records]
    devices = [one.key.device if isinstance(one, Form) else "" for one in opened]
    address = request.client.host if request.client else ""
    known.rates.devices(address, filter(None, devices))
    definition = known.config.definitions[posted.district]
    await known.bindings.check(definition, request.scope.get(PEER), filter(None, devices))
    try:
        if known.spool is not None and "respond-async" in request.headers.get("prefer", ""):
            name = known.spool.put(posted.district, posted.records, time.time(), address)
            return spooled(name, len(posted.records))
        verdicts = await known.intake.judge(posted.district, opened)
    except OverloadedError as error:
        raise ProblemError(Problem.OVERLOADED) from error
    except SpoolFullError as error:
        raise ProblemError(Problem.STORAGE_FULL) from error
    known.rates.judged(address, devices, verdicts)
    return answer(verdicts)


def spooled(submission: str, count: int) -> JSONResponse:
    """The answer to records that are on this gateway's disk, not on the ledger yet."""
    verdicts = [Verdict(Status.SPOOLED, "spooled")] * count
    where = f"/v1/submissions/{submission}"
    results = Results(results=[_result(verdict) for verdict in verdicts], unknown=[where])
    headers = {"location": where, "preference-applied": "respond-async"}
    return JSONResponse(results.model_dump(mode="json"), status_code=202, headers=headers)


@router.get(
    "/v1/submissions/{submission}",
    responses={404: problem("No such submission, or its day is over")},
)
async def get_submission(
    request: Request, submission: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
) -> Results:
    """What became of records that were acknowledged early (`Prefer: respond-async`), in order."""
    spool = services(request).spool
    verdicts = spool.verdicts(submission) if spool is not None else []
    if not verdicts:
        raise ProblemError(Problem.NOT_FOUND)
    return Results(results=[_result(verdict) for verdict in verdicts])


def answer(verdicts: Sequence[Verdict]) -> JSONResponse:
    """The HTTP answer to a request's verdicts."""
    if all(verdict.status is Status.RETRY for verdict in verdicts):
        raise ProblemError(Problem.LEDGER_UNAVAILABLE, reason=verdicts[0].reason)
    transactions = {verdict.transaction for verdict in verdicts} - {None}
    unknown = sorted(
        f"/v1/transactions/{verdict.transaction}"
        for verdict in set(verdicts)
        if verdict.status is Status.UNKNOWN and verdict.transaction
    )
    told = {verdict: _result(verdict).model_dump(mode="json") for verdict in set(verdicts)}
    results = {
        "results": [told[verdict] for verdict in verdicts],
        "transaction": transactions.pop() if len(transactions) == 1 else None,
        "unknown": unknown,
    }
    open_ = any(verdict.status is Status.UNKNOWN for verdict in verdicts)
    return JSONResponse(
        results,
        status_code=202 if open_ else 200,
        headers={"location": unknown[0]} if len(unknown) == 1 else None,
    )


def _result(verdict: Verdict) -> Result:
    return Result(
        status=verdict.status,
        reason=verdict.reason,
        code=_REASON_CODES.get(verdict.reason, _CODES[verdict.status]),
        transaction=verdict.transaction,
    )


@router.get(
    "/v1/transactions/{transaction}",
    responses={503: problem("The ledger cannot be reached")},
)
async def get_transaction(
    request: Request,
    transaction: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
) -> Transaction:
    """What became of a transaction. `unknown`: this organisation's peer has not seen it."""
    try:
        outcome = await services(request).ledger.outcome(transaction)
    except Unavailable as error:
        raise ProblemError(Problem.LEDGER_UNAVAILABLE, transaction=transaction) from error
    if outcome is None:
        return Transaction(transaction=transaction, status="unknown")
    status = "committed" if outcome.code == VALID else "invalid"
    return Transaction(transaction=transaction, status=status, code=outcome.code)
