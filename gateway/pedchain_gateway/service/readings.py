# SPDX-License-Identifier: Apache-2.0
"""`POST /v1/readings` and `GET /v1/transactions/{id}`."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from pedchain_gateway.intake.intake import OverloadedError
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
        429: problem("Come again: nothing was taken"),
        503: problem("Come again: nothing was recorded"),
    },
)
async def post_readings(
    request: Request,
    district: Annotated[str | None, Query(description="For plain text bodies")] = None,
) -> JSONResponse:
    """Take signed meter records; an answer for each, in order.

    `recorded` is said only when the record's transaction is committed. Sending the same bytes
    again is always safe.
    """
    known = services(request)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = await body.received(request.stream(), encoding)
    posted = body.posted(data, media_type, district)
    if posted.district not in known.config.districts:
        raise ProblemError(Problem.UNKNOWN_DISTRICT)
    try:
        verdicts = await known.intake.take(posted.district, posted.records)
    except OverloadedError as error:
        raise ProblemError(Problem.OVERLOADED) from error
    return answer(verdicts)


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
    results = Results(
        results=[_result(verdict) for verdict in verdicts],
        transaction=transactions.pop() if len(transactions) == 1 else None,
        unknown=unknown,
    )
    open_ = any(verdict.status is Status.UNKNOWN for verdict in verdicts)
    return JSONResponse(
        results.model_dump(mode="json"),
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
