# SPDX-License-Identifier: Apache-2.0
"""`POST /v1/districts/{district}/flexibility/...`: papers that homes' devices sign, in and out."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pedchain_gateway import limits
from pedchain_gateway.demandresponse.flexibility import Flexibility
from pedchain_gateway.ledger.port import LedgerError, Refused, Unknown
from pedchain_gateway.service import agents, body
from pedchain_gateway.service.models import misplaced, problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import Services, services

router = APIRouter(prefix="/v1/districts/{district}/flexibility", tags=["flexibility"])
District = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_ERRORS: dict[int | str, dict[str, Any]] = {
    403: problem("The device did not sign this inquiry now"),
    404: problem("Another district"),
    409: problem("The ledger refused"),
    503: problem("The ledger cannot be reached"),
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paper(_Model):
    """A document and the signature of whom it is of (DER, hex)."""

    document: dict[str, Any]
    signature: str = Field(max_length=256)


class Enrolment(_Model):
    """A consent, and the code its occupant has from the DSO."""

    enrolment: Paper
    code: str = Field(min_length=1, max_length=64)


class Withdrawal(_Model):
    """The end of a consent."""

    withdrawal: Paper


class Inquiry(_Model):
    """A device's question: inquiry/1, signed now."""

    inquiry: Paper


class Answers(_Model):
    """What devices answer to an order."""

    order: str = Field(min_length=1, max_length=64)
    answers: list[Paper] = Field(min_length=1, max_length=limits.PAPERS_TOGETHER)


class Dispatches(_Model):
    """Dispatches of accepted orders, each as its issuer signed it."""

    dispatches: list[Paper]


class Done(_Model):
    """It is on the ledger."""

    status: str = "recorded"


Posted = TypeVar("Posted", bound=BaseModel)


def form(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI's entry of a body that is read here, within its bounds."""
    schema = {"type": "object", "description": model.__doc__}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read(request: Request, model: type[Posted]) -> Posted:
    """The body, bounded in bytes and time before it is parsed. Raises `ProblemError`."""
    data = await body.received(request.stream(), "")
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        detail = f"not of the documented form: {misplaced(error)}"
        raise ProblemError(Problem.MALFORMED_REQUEST, detail) from error


@router.post("/enrolments", responses=_ERRORS, openapi_extra=form(Enrolment))
async def post_enrolment(request: Request, district: District) -> Done:
    """A site consents: signed by its device, confirmed by the occupant's code."""
    posted = await read(request, Enrolment)
    paper, code = posted.enrolment.model_dump(), posted.code
    return await carried(request, district, lambda flex: flex.enrol(district, paper, code))


@router.post("/withdrawals", responses=_ERRORS, openapi_extra=form(Withdrawal))
async def post_withdrawal(request: Request, district: District) -> Done:
    """A consent ends."""
    paper = (await read(request, Withdrawal)).withdrawal.model_dump()
    return await carried(request, district, lambda flex: flex.withdraw(district, paper))


@router.post("/answers", responses=_ERRORS, openapi_extra=form(Answers))
async def post_answers(request: Request, district: District) -> Done:
    """Acknowledgements and opt-outs of an order, each signed by the site's device."""
    posted = await read(request, Answers)
    found = [one.model_dump() for one in posted.answers]
    return await carried(request, district, lambda flex: flex.answer(posted.order, district, found))


@router.post("/dispatches", responses=_ERRORS, openapi_extra=form(Inquiry))
async def post_inquiry(request: Request, district: District) -> Dispatches:
    """What accepted orders ask of the site whose device asks."""
    posted, known = await read(request, Inquiry), served(request, district)
    try:
        inquiry = await known.agents.inquired(district, posted.inquiry.model_dump())
        orders = await known.agents.ahead(district)
        found = await known.agents.dispatches(district, orders, [inquiry["site"]])
    except agents.NotProvenError as error:
        raise ProblemError(Problem.NOT_PROVEN, reason=error.reason) from error
    except LedgerError as error:
        raise refused(error) from error
    return Dispatches(dispatches=[Paper(**one) for one in found])


def served(request: Request, district: str) -> Services:
    """The gateway's parts, if it serves the district."""
    known = services(request)
    if district not in known.config.districts:
        raise ProblemError(Problem.UNKNOWN_DISTRICT)
    return known


async def carried(
    request: Request, district: str, act: Callable[[Flexibility], Awaitable[None]]
) -> Done:
    known = served(request, district)
    try:
        await act(Flexibility(known.ledger, known.channel, lambda _: None))
    except LedgerError as error:
        raise refused(error) from error
    return Done()


def refused(error: LedgerError) -> ProblemError:
    """The problem of a ledger's failure: its own reason, or that it cannot be reached."""
    if isinstance(error, Refused):
        return ProblemError(Problem.LEDGER_CONFLICT, reason=error.reason)
    transaction = error.transaction if isinstance(error, Unknown) else None
    return ProblemError(Problem.LEDGER_UNAVAILABLE, transaction=transaction)
