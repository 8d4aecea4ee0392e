# SPDX-License-Identifier: Apache-2.0
"""What anyone may read beside certificates: factors, cleared sessions, where a certificate stands.

A session's price, volume and curve are on the ledger only where enough accounts are behind them
(rules C2): the contract prints none otherwise, and there is nothing here that could add any.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from pedchain_gateway.explorer.routes import transaction_of
from pedchain_gateway.ledger.port import LedgerError
from pedchain_gateway.service.certificates import Day, District, as_problem, ask
from pedchain_gateway.service.models import problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import services
from pedchain_gateway.service.tags import tagged

router = APIRouter(tags=["public"])
Version = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Session = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_-]{0,127}$")]
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: problem("There is no such thing on this ledger"),
    503: problem("The ledger cannot be reached"),
}


@router.get("/v1/factors/{version}", responses=_ERRORS, response_model=dict[str, Any])
async def get_factors(request: Request, version: Version) -> Response:
    """A version of the factors; it never changes."""
    data = await _asked(request, "registry", "GetFactors", version)
    return tagged(request, data, forever=True)


@router.get("/v1/market/sessions/{session}", responses=_ERRORS, response_model=dict[str, Any])
async def get_session(request: Request, session: Session) -> Response:
    """A session of the market: its state, and price, volume and curves as far as they may be
    published."""
    return tagged(request, await _asked(request, "settlement", "market:GetSession", session))


@router.get("/v1/districts/{district}/certificates/{day}/proof", responses=_ERRORS)
async def get_proof(request: Request, district: District, day: Day) -> dict[str, Any]:
    """Where a day's certificate in force stands: its transaction, block and endorsers.

    It says where to look; that it holds is what `ped-audit` verifies from raw blocks.
    """
    versions = await ask(services(request), district, "GetCertificateHistory", day)
    if not versions:
        raise ProblemError(Problem.NOT_FOUND)
    newest = versions[0]
    found = await transaction_of(services(request).chain, newest["transaction"])
    shown = ("id", "block", "position", "code", "client_time", "creator", "endorsers", "chaincode")
    about = {name: found[name] for name in shown}
    written = [one for one in found["writes"] if one["value"] == newest["certificate"]]
    return {
        "certificate": newest["certificate"],
        "transaction": about,
        "written": [{"key": one["key"], "sha256": one["sha256"]} for one in written],
    }


async def _asked(request: Request, definition: str, function: str, argument: str) -> bytes:
    try:
        return await services(request).ledger.evaluate(definition, function, argument)
    except LedgerError as error:
        raise as_problem(error) from error
