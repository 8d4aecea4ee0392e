# SPDX-License-Identifier: Apache-2.0
"""Certificates of a district: pages of days and months, one of them, its history, the year."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from pedchain_domain import canonical
from pedchain_gateway.ledger.port import LedgerError, Refused, Unavailable
from pedchain_gateway.service.models import Certificates, History, Version, problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import Services, services
from pedchain_gateway.service.tags import tagged

router = APIRouter(prefix="/v1/districts/{district}", tags=["certificates"])

District = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Day = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Month = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}$")]
_FIRST = "0000-01-01"
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: problem("No such district or day"),
    503: problem("The ledger cannot be reached"),
}


@router.get("/certificates", responses=_ERRORS)
async def get_certificates(
    request: Request,
    district: District,
    first: Annotated[
        str, Query(alias="from", pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="First day")
    ] = _FIRST,
    cursor: Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9._:-]*$")] = "",
) -> Certificates:
    """The certificates in force from a day on, a page at a time."""
    document = await ask(services(request), district, "ListCertificates", first, cursor)
    return Certificates(certificates=document["certificates"], cursor=document["bookmark"] or None)


@router.get("/certificates/{day}", responses=_ERRORS, response_model=dict[str, Any])
async def get_certificate(request: Request, district: District, day: Day) -> Response:
    """The certificate in force for a day, in the ledger's own bytes."""
    data = await _evaluate(services(request), district, "GetCertificate", day)
    return tagged(request, data)


@router.get("/certificates/{day}/history", responses=_ERRORS)
async def get_history(request: Request, district: District, day: Day) -> History:
    """Every version of a day's certificate, the newest first."""
    versions = await ask(services(request), district, "GetCertificateHistory", day)
    return History(versions=[Version.model_validate(one) for one in versions])


@router.get("/rolling/{day}", responses=_ERRORS, response_model=dict[str, Any])
async def get_rolling(request: Request, district: District, day: Day) -> Response:
    """The rolling year that ends with a day: sums, indicators and verdict."""
    data = await _evaluate(services(request), district, "GetRolling", day)
    return tagged(request, data)


@router.get("/months", responses=_ERRORS)
async def get_months(
    request: Request,
    district: District,
    first: Annotated[str, Query(alias="from", pattern=r"^[0-9]{4}-[0-9]{2}$")] = "0000-01",
    cursor: Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9._:-]*$")] = "",
) -> Certificates:
    """The certificates in force of calendar months, a page at a time."""
    document = await ask(services(request), district, "ListMonthly", first, cursor)
    return Certificates(certificates=document["certificates"], cursor=document["bookmark"] or None)


@router.get("/months/{month}", responses=_ERRORS, response_model=dict[str, Any])
async def get_month(request: Request, district: District, month: Month) -> Response:
    """The certificate in force for a calendar month."""
    data = await _evaluate(services(request), district, "GetMonthly", month)
    return tagged(request, data)


@router.get("/months/{month}/history", responses=_ERRORS)
async def get_month_history(request: Request, district: District, month: Month) -> History:
    """Every version of a month's certificate, the newest first."""
    versions = await ask(services(request), district, "GetMonthlyHistory", month)
    return History(versions=[Version.model_validate(one) for one in versions])


async def ask(known: Services, district: str, function: str, *arguments: str) -> Any:
    """A query's answer of a district's contract. Raises `ProblemError`."""
    data = await _evaluate(known, district, function, *arguments)
    try:
        return canonical.decode(data)
    except canonical.CanonicalError as error:
        raise ProblemError(Problem.LEDGER_UNAVAILABLE, reason="unreadable-answer") from error


async def _evaluate(known: Services, district: str, function: str, *arguments: str) -> bytes:
    definition = known.config.definitions.get(district)
    if definition is None:
        raise ProblemError(Problem.UNKNOWN_DISTRICT)
    try:
        return await known.ledger.evaluate(definition, function, *arguments)
    except LedgerError as error:
        raise as_problem(error) from error


def as_problem(error: LedgerError) -> ProblemError:
    """A query's failure as a problem."""
    match error:
        case Refused(reason="not-found"):
            return ProblemError(Problem.NOT_FOUND, reason="not-found")
        case Refused(reason=reason):
            return ProblemError(Problem.LEDGER_CONFLICT, reason=reason)
        case Unavailable():
            return ProblemError(Problem.LEDGER_UNAVAILABLE)
        case _:
            return ProblemError(Problem.INTERNAL)
