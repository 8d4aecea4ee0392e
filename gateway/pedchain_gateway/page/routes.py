# SPDX-License-Identifier: Apache-2.0
"""`/page`: districts, certificates, the market, demand response, the ledger, for people.

Works without a script. What is public is shown to anyone, all else to whom the token allows it.
"""

from collections.abc import Callable, Coroutine
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from pedchain_domain.market.tokenid import Carrier
from pedchain_fabric.wire import compositekey
from pedchain_gateway import limits
from pedchain_gateway.explorer.blocks import describe
from pedchain_gateway.explorer.routes import transaction_of
from pedchain_gateway.ledger.port import LedgerError
from pedchain_gateway.page import asked, figures, visitor
from pedchain_gateway.page.rendering import page, style
from pedchain_gateway.people.access import Who, person_of
from pedchain_gateway.service.certificates import Day, District, as_problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import services

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_-]{0,127}$")]
Number = Annotated[int, Path(ge=0, le=2**53)]


class PageRoute(APIRoute):
    """A route whose problems are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except LedgerError as error:
                problem = as_problem(error)
            except ProblemError as error:
                problem = error
            except RequestValidationError:
                problem = ProblemError(Problem.MALFORMED_REQUEST)
            told = problem.problem.value
            return page(request, "problem", told.status, title=told.title, detail=problem.detail)

        return answered


router = APIRouter(tags=["page"], include_in_schema=False, route_class=PageRoute)
#: Blocks of one page of the ledger.
BLOCKS = 20
FORM_BYTES_MAX = 16_384


@router.get("/page/style.css")
async def get_style() -> Response:
    return style()


@router.get("/page")
async def get_overview(request: Request) -> Response:
    """Every district of this gateway: its newest certificate, and the network's health."""
    known = services(request)
    newest = {}
    for name in sorted(known.config.districts):
        held = await asked.certificates(known, name, asked.today(), asked.DAYS)
        newest[name] = held[-1] if held else None
    return page(request, "overview", newest=newest)


@router.get("/page/districts/{district}")
async def get_district(
    request: Request,
    district: District,
    until: date | None = None,
    days: Annotated[int, Query(ge=1, le=asked.DAYS)] = 31,
) -> Response:
    """A district: rolling positivity with its scope, energy by carrier, its certificates."""
    last = until or asked.today()
    held = await asked.certificates(services(request), district, last, days)
    return page(
        request,
        "district",
        district=district,
        held=held,
        chart=asked.positivity(held),
        carriers=asked.carriers(held[-1]) if held else [],
        earlier=(last - timedelta(days=days)).isoformat(),
        days=days,
    )


@router.get("/page/districts/{district}/certificates/{day}")
async def get_certificate(request: Request, district: District, day: Day) -> Response:
    """A day's certificate: its numbers, its versions, and where and how to check it."""
    known = services(request)
    held = await asked.versions(known, district, day)
    newest = held[0]["certificate"]
    stands = await transaction_of(known.chain, held[0]["transaction"])
    return page(
        request,
        "certificate",
        district=district,
        day=day,
        certificate=newest,
        versions=held,
        stands=stands,
        carriers=asked.carriers(newest),
    )


@router.get("/page/market")
async def get_market(
    request: Request,
    day: date | None = None,
    carrier: Carrier = Carrier.ELECTRICITY,
    zone: Annotated[int, Query(ge=0, le=4095)] = 1,
) -> Response:
    """The sessions of a day in one zone: state, price and volume as far as published."""
    on = day or asked.today()
    found = await asked.sessions(services(request), carrier, zone, on)
    return page(request, "market", sessions=found, day=on, carrier=carrier, zone=zone)


@router.get("/page/market/{session}")
async def get_session(request: Request, session: Name) -> Response:
    """One session and its curves."""
    found, plot = await asked.session(services(request), session)
    return page(request, "session", session=found, plot=plot)


@router.get("/page/flexibility")
async def get_orders(request: Request) -> Response:
    """Orders of demand response."""
    await visitor.must(request, Who.AUDITOR)
    return page(request, "orders", orders=await asked.orders(services(request)))


@router.get("/page/flexibility/{order}")
async def get_order(request: Request, order: Name) -> Response:
    """One order as it stands."""
    await visitor.must(request, Who.AUDITOR)
    return page(request, "order", order=await asked.order(services(request), order), name=order)


@router.get("/page/districts/{district}/statements/{order}/{site}")
async def get_statement(request: Request, district: District, order: Name, site: Name) -> Response:
    """What an order was for one site of the district."""
    await visitor.must(request, Who.DISTRICT)
    found, text, plot = await asked.statement(services(request), district, order, site)
    return page(request, "statement", order=found, text=text, plot=plot, name=order, site=site)


@router.get("/page/accounts/{account}")
async def get_account(request: Request, account: Name, day: date | None = None) -> Response:
    """An account: what it has, its orders, and what its points gave, took, shared and traded."""
    await visitor.must(request, Who.PROSUMER)
    known, on = services(request), day or asked.today() - timedelta(days=1)
    found = await asked.account(known, account)
    hours = [figures.shared_hour(row) for row in await asked.shared_hours(known, account, on)]
    return page(request, "account", name=account, found=found, hours=hours, day=on)


@router.get("/page/ledger")
async def get_ledger(
    request: Request, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> Response:
    """The newest blocks, or those before one."""
    await visitor.must(request, Who.AUDITOR)
    chain = services(request).chain
    height = await chain.height()
    last = min(before if before is not None else height, height)
    found = [
        describe(data)
        for number in range(last - 1, max(last - 1 - BLOCKS, -1), -1)
        if (data := await chain.block(number)) is not None
    ]
    return page(request, "ledger", blocks=found, height=height, first=last - BLOCKS)


@router.get("/page/ledger/blocks/{number}")
async def get_block(request: Request, number: Number) -> Response:
    """One block: its hashes and transactions."""
    await visitor.must(request, Who.AUDITOR)
    data = await services(request).chain.block(number)
    if data is None:
        raise ProblemError(Problem.NOT_FOUND)
    return page(request, "block", block=describe(data))


@router.get("/page/ledger/transactions/{transaction}")
async def get_transaction(request: Request, transaction: Name) -> Response:
    """One transaction: who, endorsed by whom, what it wrote."""
    await visitor.must(request, Who.AUDITOR)
    found = await transaction_of(services(request).chain, transaction)
    return page(request, "transaction", found=found)


@router.get("/page/ledger/keys/{namespace}")
async def get_key(
    request: Request,
    namespace: Name,
    key: Annotated[list[str], Query(min_length=1, max_length=8)],
) -> Response:
    """All that was ever written under a public key."""
    await visitor.must(request, Who.AUDITOR)
    try:
        name = key[0] if len(key) == 1 else compositekey.create(key[0], key[1:])
    except ValueError as error:
        raise ProblemError(Problem.MALFORMED_REQUEST) from error
    found = await services(request).histories.of(namespace, name)
    return page(request, "key", found=found)


@router.get("/page/health")
async def get_health(request: Request) -> Response:
    """What this gateway sees of the network."""
    health = await request.app.state.health.health()
    return page(request, "health", 200 if health.status == "ok" else 503, health=health)


@router.get("/page/enter")
async def get_enter(request: Request) -> Response:
    """Where a token is given."""
    return page(request, "enter", refused=False)


@router.post("/page/enter")
async def post_enter(request: Request) -> Response:
    """Have the browser keep a token that is one; an empty one is forgotten."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise ProblemError(Problem.MALFORMED_REQUEST)
    token = parse_qs(body.decode(errors="replace")).get("token", [""])[0].strip()
    answer: Response = RedirectResponse("/page", status_code=303)
    if not token:
        visitor.leave(answer)
        return answer
    if len(token) > limits.TOKEN_BYTES_MAX or not token.isascii():
        return page(request, "enter", 401, refused=True)
    try:
        await person_of(services(request).issuer, f"Bearer {token}")
    except ProblemError:
        return page(request, "enter", 401, refused=True)
    visitor.enter(request, answer, token)
    return answer
