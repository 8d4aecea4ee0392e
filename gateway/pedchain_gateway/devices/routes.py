# SPDX-License-Identifier: Apache-2.0
"""Claims taken up by a device, and what homes' devices are told as it comes."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.explorer.streams import Told
from pedchain_gateway.ledger.port import LedgerError
from pedchain_gateway.registering.registry import ClaimRefused, take_claim
from pedchain_gateway.service import agents
from pedchain_gateway.service.dispatches import Done, Inquiry, form, read, refused, served
from pedchain_gateway.service.models import problem
from pedchain_gateway.service.problems import Problem, ProblemError

router = APIRouter(prefix="/v1/districts/{district}", tags=["devices"])
District = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_ERRORS: dict[int | str, dict[str, Any]] = {
    403: problem("The device, or its code, is not whom it should be"),
    404: problem("Another district"),
    503: problem("The ledger cannot be reached"),
}


class Presented(BaseModel):
    """A device's answer to a claim: the code its installer has, and its key's own signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str = Field(min_length=1, max_length=64)
    possession: dict[str, Any]


@router.post("/claims/{claim}", responses=_ERRORS, openapi_extra=form(Presented))
async def post_claim(
    request: Request,
    district: District,
    claim: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
) -> Done:
    """A device takes up its claim: from now on its key is the registered one.

    Nobody is told what did not hold: a stolen, used or expired code gives the same 403.
    """
    posted, known = await read(request, Presented), served(request, district)
    try:
        await take_claim(known.ledger, district, claim, posted.code, posted.possession)
    except ClaimRefused as error:
        raise ProblemError(Problem.NOT_PROVEN, reason="claim-refused") from error
    except LedgerError as error:
        raise refused(error) from error
    return Done()


@router.post(
    "/flexibility/commands",
    response_class=Response,
    openapi_extra=form(Inquiry),
    responses={
        **_ERRORS,
        200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"},
    },
)
async def post_commands(request: Request, district: District) -> Response:
    """What accepted orders ask of the site whose device asks, as it comes, until the stream ends.

    The same papers as `dispatches` gives to who asks again and again; each event is one, and its
    `id` the paper's digest.
    """
    posted, known = await read(request, Inquiry), served(request, district)
    try:
        inquiry = await known.agents.inquired(district, posted.inquiry.model_dump())
    except agents.NotProvenError as error:
        raise ProblemError(Problem.NOT_PROVEN, reason=error.reason) from error
    except LedgerError as error:
        raise refused(error) from error
    return known.streams.response(commands(known.agents, district, inquiry["site"]))


async def commands(known: agents.Agents, district: str, site: str) -> AsyncGenerator[Told]:
    """A site's dispatches, each once, as they come. Raises `LedgerError`."""
    told: set[str] = set()
    while True:
        orders = await known.ahead(district)
        for paper in await known.dispatches(district, orders, [site]):
            name = hashlib.sha256(canonical.encode(paper)).hexdigest()
            if name not in told:
                told.add(name)
                yield Told(name, "dispatch", paper)
        await asyncio.sleep(limits.COMMANDS_EVERY_S)
