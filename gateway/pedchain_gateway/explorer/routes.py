# SPDX-License-Identifier: Apache-2.0
"""`/v1/blocks`, `/v1/transactions/{id}/details`, `/v1/keys`: the ledger as our peer keeps it."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire import compositekey
from pedchain_gateway import limits
from pedchain_gateway.explorer.blocks import describe
from pedchain_gateway.explorer.chain import Chain
from pedchain_gateway.explorer.events import certificates, checkpoint
from pedchain_gateway.ledger.port import Unavailable
from pedchain_gateway.service.models import problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import services

router = APIRouter(tags=["ledger"])
Document = dict[str, Any]
Number = Annotated[int, Path(ge=0, le=2**53 - 1)]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$")]
Part = Annotated[str, Query(max_length=256, pattern=r"^[^\x00\x{10FFFF}]*$")]
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: problem("There is no such thing on this ledger"),
    503: problem("The ledger cannot be reached"),
}
_COLUMNS = ("block", "position", "id", "type", "code", "client_time", "creator", "chaincode",
            "function", "endorsers", "keys")  # fmt: skip
#: Beginnings that a spreadsheet would take for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@router.get("/v1/blocks", responses=_ERRORS)
async def get_blocks(
    request: Request,
    before: Annotated[
        int | None, Query(ge=0, le=2**53 - 1, description="Below this number")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=limits.PAGE_MAX)] = 20,
) -> Document:
    """The newest blocks, a page at a time; `cursor` is the next page's `before`."""
    chain = services(request).chain
    try:
        height = await chain.height()
        top = height if before is None else min(before, height)
        numbers = range(top - 1, max(top - 1 - limit, -1), -1)
        found = [await _described(chain, number) for number in numbers]
    except Unavailable as error:
        raise ProblemError(Problem.LEDGER_UNAVAILABLE) from error
    blocks = [{**one, "transactions": len(one["transactions"])} for one in found]
    lowest = numbers[-1] if found else 0
    return {"height": height, "blocks": blocks, "cursor": lowest or None}


@router.get("/v1/blocks/{number}", responses=_ERRORS, response_model=dict[str, Any])
async def get_block(request: Request, number: Number) -> Response:
    """A block and its transactions: who, when, what, endorsed by whom, with which values."""
    return _fixed(request, json.dumps(describe(await _raw(request, number))).encode())


@router.get("/v1/blocks/{number}/raw", responses=_ERRORS, response_class=Response)
async def get_raw_block(request: Request, number: Number) -> Response:
    """A block's bytes (common.Block), as `ped-audit` verifies them."""
    data = await _raw(request, number)
    return _fixed(request, data, "application/vnd.hyperledger.fabric.block")


@router.get("/v1/blocks/{number}/export", responses=_ERRORS, response_class=Response)
async def export(
    request: Request,
    number: Number,
    through: Annotated[int, Query(ge=0, le=2**53 - 1, description="The last block")],
    form: Annotated[Literal["csv", "ndjson"], Query(alias="format")] = "ndjson",
) -> Response:
    """The transactions of a range of blocks, one a line: CSV for spreadsheets, NDJSON with all."""
    if not number <= through < number + limits.EXPORT_BLOCKS_MAX:
        detail = f"from 1 to {limits.EXPORT_BLOCKS_MAX} blocks at a time"
        raise ProblemError(Problem.MALFORMED_REQUEST, detail)
    await _raw(request, through)
    rows = _rows(services(request).chain, range(number, through + 1))
    lines, kind = (_csv(rows), "text/csv") if form == "csv" else (
        _ndjson(rows), "application/x-ndjson"
    )  # fmt: skip
    return StreamingResponse(lines, media_type=kind)


@router.get("/v1/transactions/{transaction}/details", responses=_ERRORS)
async def get_details(request: Request, transaction: Id) -> Document:
    """All a block says of one transaction."""
    return await transaction_of(services(request).chain, transaction)


@router.get("/v1/keys/{namespace}", responses=_ERRORS)
async def get_history(
    request: Request,
    namespace: Name,
    key: Annotated[
        list[Part],
        Query(min_length=1, max_length=16, description="A simple key; or type and attributes"),
    ],
    before: Annotated[int | None, Query(ge=0, le=2**53 - 1, description="Below this block")] = None,
) -> Document:
    """Every value a public key had, the newest first: who, when, transaction, block, endorsers.

    `through` below `height` says that older blocks are still being read: ask again for all.
    """
    try:
        name = key[0] if len(key) == 1 else compositekey.create(key[0], key[1:])
        return await services(request).histories.of(namespace, name, before)
    except (FabricError, ValueError) as error:
        raise ProblemError(Problem.MALFORMED_REQUEST, "no key has these parts") from error
    except Unavailable as error:
        raise ProblemError(Problem.LEDGER_UNAVAILABLE) from error


@router.get(
    "/v1/districts/{district}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}},
)
async def get_events(
    request: Request,
    district: Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")],
    after: Annotated[
        str | None,
        Query(max_length=83, description="block:transaction, or block: alone for all of it"),
    ] = None,
) -> Response:
    """Certificates as they are issued, each read from the ledger before it is told.

    An event's `id` is its checkpoint: `after`, or the header Last-Event-ID, goes on from there.
    """
    known = services(request)
    definition = known.config.definitions.get(district)
    if definition is None:
        raise ProblemError(Problem.UNKNOWN_DISTRICT)
    named = after or request.headers.get("last-event-id")
    try:
        place = None if named is None else checkpoint(named)
    except ValueError as error:
        raise ProblemError(Problem.MALFORMED_REQUEST, str(error)) from error
    return known.streams.response(certificates(known.ledger, definition, place))


async def transaction_of(chain: Chain, transaction: str) -> Document:
    """What a transaction's block says of it. Raises `ProblemError`."""
    try:
        data = await chain.of_transaction(transaction)
    except Unavailable as error:
        raise ProblemError(Problem.LEDGER_UNAVAILABLE) from error
    for one in describe(data)["transactions"] if data is not None else ():
        if one["id"] == transaction:
            found: Document = one
            return found
    raise ProblemError(Problem.NOT_FOUND, transaction=transaction)


async def _described(chain: Chain, number: int) -> Document:
    data = await chain.block(number)
    if data is None:
        raise Unavailable("a block is gone")
    return describe(data)


async def _raw(request: Request, number: int) -> bytes:
    try:
        data = await services(request).chain.block(number)
    except Unavailable as error:
        raise ProblemError(Problem.LEDGER_UNAVAILABLE) from error
    if data is None:
        raise ProblemError(Problem.NOT_FOUND)
    return data


def _fixed(request: Request, data: bytes, kind: str = "application/json") -> Response:
    """An answer that never changes, with its tag."""
    from pedchain_gateway.service.tags import tagged

    return tagged(request, data, kind, forever=True)


async def _rows(chain: Chain, numbers: Sequence[int]) -> AsyncIterator[Document]:
    for number in numbers:
        data = await chain.block(number)
        for one in describe(data)["transactions"] if data is not None else ():
            yield one


async def _ndjson(rows: AsyncIterator[Document]) -> AsyncIterator[bytes]:
    async for row in rows:
        yield json.dumps(row, separators=(",", ":")).encode() + b"\n"


async def _csv(rows: AsyncIterator[Document]) -> AsyncIterator[bytes]:
    yield ",".join(_COLUMNS).encode() + b"\r\n"
    async for row in rows:
        out = io.StringIO()
        csv.writer(out).writerow([_cell(row, column) for column in _COLUMNS])
        yield out.getvalue().encode()


def _cell(row: Document, column: str) -> str:
    match column:
        case "creator":
            text = row.get("creator", {}).get("msp") or ""
        case "endorsers":
            text = " ".join(str(one["msp"]) for one in row.get("endorsers", ()))
        case "keys":
            text = " ".join("/".join(one["key"]) for one in row.get("writes", ()))
        case _:
            text = str(row.get(column) if row.get(column) is not None else "")
    return f"'{text}" if text.startswith(_FORMULAS) else text
