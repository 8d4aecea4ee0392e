# SPDX-License-Identifier: Apache-2.0
"""A prosumer's account: what it has, orders, trades, statements; and debits its own key signed.

The service holds no member's key: whoever wants something done brings a signed debit, and the
contract, not this service, says whether it is.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from pedchain_domain import canonical, debit
from pedchain_domain.market.tokenid import MONEY, to_hex
from pedchain_domain.reasons import DomainError
from pedchain_gateway.ledger.port import VALID, Invalid, LedgerError, Refused, Unavailable, Unknown
from pedchain_gateway.ledger.queries import ask
from pedchain_gateway.ledger.steps import private
from pedchain_gateway.people.access import TRANSACTION
from pedchain_gateway.service.certificates import Day, District, as_problem
from pedchain_gateway.service.certificates import ask as ask_district
from pedchain_gateway.service.dispatches import form, read
from pedchain_gateway.service.models import Transaction, problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import services

router = APIRouter(tags=["people"])
SETTLEMENT = "settlement"
Document = dict[str, Any]
Account = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_-]{0,127}$")]
Hour = Annotated[int, Path(ge=0, le=2**40)]
After = Annotated[str, Query(max_length=128, pattern=r"^[A-Za-z0-9._:-]*$")]
ACTIONS = {
    "register-order": ("market", "RegisterOrder"),
    "amend-order": ("market", "AmendOrder"),
    "cancel-order": ("market", "CancelOrder"),
    "take": ("market", "Take"),
    "fold": ("tokens", "Fold"),
    "redeem": ("tokens", "Redeem"),
    "set-limit": ("tokens", "SetLimit"),
    "join-community": ("sharing", "JoinCommunity"),
    "leave-community": ("sharing", "LeaveCommunity"),
}
"""What a prosumer may have done through this service, and the call that does it."""
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: problem("A token is missing, unknown or has expired"),
    403: problem("The token lacks the role"),
    404: problem("There is no such thing, or it is another's"),
    503: problem("The ledger cannot be reached"),
}


class Posted(BaseModel):
    """A debit: the signed document as `ped-gateway` and wallets write it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    debit: Document
    signature: str = Field(max_length=256)


@router.get("/v1/accounts/{account}", responses=_ERRORS)
async def get_account(request: Request, account: Account) -> Document:
    """What an account has: µcur to spend and in deposits, Wh by token, what waits to be folded."""
    known = await _ask(request, "tokens:GetAccount", account)
    return {
        "account": account,
        "counter": known["counter"],
        "spendable": await _ask(request, "tokens:BalanceOf", account, to_hex(MONEY)),
        "locked": known["locked"],
        "holdings": await _ask(request, "tokens:ListHoldings", account, ""),
        "waiting": await _ask(request, "tokens:ListCredits", account, ""),
    }


@router.get("/v1/accounts/{account}/orders", responses=_ERRORS)
async def get_orders(request: Request, account: Account, after: After = "") -> Document:
    """Open orders, a page by id; `cursor` is the next page's `after`."""
    page = await _ask(request, "market:ListOrders", account, after)
    return {"orders": page, "cursor": max(page, default=None)}


@router.get("/v1/accounts/{account}/orders/{order}", responses=_ERRORS)
async def get_order(request: Request, account: Account, order: Name) -> Document:
    """What became of an order, also after it ended."""
    return _document(await _ask(request, "market:GetOrderHistory", account, order))


@router.get("/v1/accounts/{account}/trades/{session}", responses=_ERRORS)
async def get_trades(request: Request, account: Account, session: Name) -> Document:
    """What came of the account's orders in a session: cleared, and due after measuring."""
    return _document(await _ask(request, "market:GetOutcome", account, session))


@router.get("/v1/accounts/{account}/statements/{carrier}/{hour}", responses=_ERRORS)
async def get_statement(
    request: Request,
    account: Account,
    carrier: Annotated[str, Path(pattern=r"^[a-z]{1,32}$")],
    hour: Hour,
) -> Document:
    """What the account's points gave and took, shared and traded, in the hours from one on."""
    return {"hours": await _ask(request, "sharing:GetHours", account, carrier, str(hour))}


@router.post(
    "/v1/accounts/{account}/debits",
    response_model=Transaction,
    openapi_extra=form(Posted),
    responses={
        **_ERRORS,
        202: {"model": Transaction, "description": "Sent; what became of it is not known yet"},
        409: problem("The ledger refused the debit"),
    },
)
async def post_debit(request: Request, account: Account) -> Response:
    """Have a debit of the account carried out. Safe to send again: its counter counts once."""
    posted = await read(request, Posted)
    try:
        signed = debit.decode(canonical.encode(posted.model_dump()))
    except (DomainError, canonical.CanonicalError) as error:
        raise ProblemError(Problem.MALFORMED_REQUEST, reason=str(error.reason)) from error
    if signed.debit.account != account:
        raise ProblemError(Problem.NOT_FOUND)
    call = ACTIONS.get(signed.debit.action)
    if call is None:
        raise ProblemError(Problem.MALFORMED_REQUEST, reason="unknown-action")
    function, sent = ":".join(call), private(debit=signed.encode())
    ledger = services(request).ledger
    try:
        transaction = (await ledger.submit(SETTLEMENT, function, transient=sent)).transaction
        told = Transaction(transaction=transaction, status="committed", code=VALID)
    except Unknown as error:
        transaction = error.transaction
        told = Transaction(transaction=transaction, status="unknown")
    except LedgerError as error:
        raise _not_done(error) from error
    request.scope[TRANSACTION] = transaction
    return JSONResponse(
        told.model_dump(),
        status_code=200 if told.code else 202,
        headers={"location": f"/v1/transactions/{transaction}"},
    )


@router.get("/v1/districts/{district}/points/{point}/proofs/{day}/{instant}", responses=_ERRORS)
async def get_proof(
    request: Request, district: District, point: Account, day: Day, instant: Hour
) -> Document:
    """One interval of a point against its day's certificate: what a point's own operator shows."""
    found = await ask_district(services(request), district, "GetProof", point, day, str(instant))
    return _document(found)


def _not_done(error: LedgerError) -> ProblemError:
    match error:
        case Refused(reason=reason):
            return ProblemError(Problem.LEDGER_CONFLICT, reason=reason)
        case Invalid(transaction=transaction, code=code):
            return ProblemError(Problem.LEDGER_CONFLICT, transaction=transaction, code=code)
        case Unavailable():
            return ProblemError(Problem.LEDGER_UNAVAILABLE)
        case _:
            return ProblemError(Problem.LEDGER_UNAVAILABLE, reason="endorsers-disagree")


def _document(found: Any) -> Document:
    if not isinstance(found, dict):
        raise ProblemError(Problem.LEDGER_UNAVAILABLE, reason="unreadable-answer")
    return found


async def _ask(request: Request, function: str, *arguments: str) -> Any:
    try:
        return await ask(services(request).ledger, SETTLEMENT, function, *arguments)
    except LedgerError as error:
        raise as_problem(error) from error
