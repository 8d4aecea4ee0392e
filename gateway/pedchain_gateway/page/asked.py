# SPDX-License-Identifier: Apache-2.0
"""What the page shows of districts, the market and demand response, asked of our own peer.

Nothing is added to what a contract publishes: a number that is held back there is held back here.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Carrier
from pedchain_gateway.demandresponse.statement import svg as statement_svg
from pedchain_gateway.demandresponse.statement import text as statement_text
from pedchain_gateway.ledger.port import Refused
from pedchain_gateway.ledger.queries import ask, ask_document
from pedchain_gateway.market.curveplot import NoCurveError
from pedchain_gateway.market.curveplot import svg as curve_svg
from pedchain_gateway.page import figures
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import Services

Document = dict[str, Any]
SETTLEMENT = "settlement"
ORDERS = "flexibility:{}"
#: Days of certificates that a page shows at most, and pages of certificates asked for at most.
DAYS, PAGES = 62, 8
#: Orders of demand response listed at most.
ORDERS_SHOWN = 50
#: What stands below the grid connections (docs/indicators.md): its name and its unit.
DETAILS: dict[str, tuple[str, Callable[[int | None], str]]] = {
    "HP.I": ("electricity, of it heat pumps", figures.kwh),
    "HP.Q": ("heat, of heat pumps", figures.kwh),
    "EVSE.Ch": ("electricity, of it charging points", figures.kwh),
    "HEAT_IN.Q": ("heat, from outside", figures.kwh),
    "GAS.V": ("gas", figures.cubic_metres),
    "MOB.m": ("mobility, metered", figures.kilometres),
    "MOB.declared": ("mobility, declared", figures.kilometres),
    "UNIT.I": ("electricity, of it flats", figures.kwh),
    "UNIT.common": ("electricity, of it a building's own use", figures.kwh),
}


def today() -> date:
    return datetime.now(UTC).date()


def definition(known: Services, district: str) -> str:
    """The metering definition of a district of ours. Raises `ProblemError`."""
    found = known.config.definitions.get(district)
    if found is None:
        raise ProblemError(Problem.UNKNOWN_DISTRICT)
    return found


async def certificates(known: Services, district: str, until: date, days: int) -> list[Document]:
    """Certificates in force of the days before `until`, oldest first."""
    name, mark = definition(known, district), ""
    first = (until - timedelta(days=days)).isoformat()
    found: list[Document] = []
    for _ in range(PAGES):
        page = await ask_document(known.ledger, name, "ListCertificates", first, mark)
        found += page["certificates"]
        mark = page["bookmark"] or ""
        if not mark:
            break
    return sorted(found, key=lambda one: str(one["day"]))[-days:]


async def versions(known: Services, district: str, day: str) -> list[Document]:
    """All versions of a day's certificate, the newest first."""
    name = definition(known, district)
    found: list[Document] = await ask(known.ledger, name, "GetCertificateHistory", day)
    if not found:
        raise ProblemError(Problem.NOT_FOUND)
    return found


def balance(certificate: Document) -> int | None:
    """Surplus of the certificate's window so far, Wh."""
    found: int | None = certificate["verdict"]["to_date"]["surplus_wh"]
    return found


def positivity(held: list[Document]) -> figures.Chart:
    """The window's surplus by the day it ends with."""
    return figures.chart([(str(one["day"]), balance(one)) for one in held])


def carriers(certificate: Document) -> list[tuple[str, str, str]]:
    """Energy of one day by carrier and part, and why a part is not published."""
    found = []
    for name, wh in sorted(certificate["electricity"].items()):
        part = name.removesuffix("_wh").replace("_", " ")
        found.append((f"electricity, {part}", figures.kwh(wh), why(certificate, name)))
    for name, amount in sorted((certificate["detail"] or {}).items()):
        words, told = DETAILS.get(name, (name, figures.kwh))
        found.append((words, told(amount), ""))
    return found


def why(certificate: Document, name: str) -> str:
    return figures.reason(certificate, f"electricity.{name}")


async def sessions(known: Services, carrier: Carrier, zone: int, day: date) -> list[Document]:
    """The sessions of a day's hours that were opened, in order."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    found = []
    for hour in range(start, start + 86_400, 3_600):
        name = session_id(carrier, zone, hour)
        try:
            found.append(await ask_document(known.ledger, SETTLEMENT, "market:GetSession", name))
        except Refused:
            continue
    return found


async def session(known: Services, name: str) -> tuple[Document, str | None]:
    """A session and the plot of its curves, if they are published."""
    found = await ask_document(known.ledger, SETTLEMENT, "market:GetSession", name)
    try:
        return found, curve_svg(found)
    except NoCurveError:
        return found, None


async def orders(known: Services) -> dict[str, str]:
    """Orders of demand response by id: their states."""
    found: dict[str, str] = await ask(
        known.ledger, SETTLEMENT, ORDERS.format("ListOrdersIssued"), ""
    )
    return dict(sorted(found.items())[-ORDERS_SHOWN:])


async def order(known: Services, name: str) -> Document:
    """An order as it stands."""
    return await ask_document(known.ledger, SETTLEMENT, ORDERS.format("GetOrder"), name)


async def statement(
    known: Services, district: str, name: str, site: str
) -> tuple[Document, str, str]:
    """An order, what it was for one site in words, and as a plot. Raises `Refused`."""
    found = await order(known, name)
    if found.get("result") is None:
        raise Refused("not-measured")
    if district not in found["result"]["pools"]:
        raise Refused("not-found")
    pool = str(found["result"]["pools"][district])
    told = await ask_document(
        known.ledger,
        definition(known, district),
        ORDERS.format("GetStatement"),
        name,
        site,
        pool,
    )
    return found, statement_text(found, told), statement_svg(found, told)


async def account(known: Services, name: str) -> Document:
    """An account's orders and what it has."""
    return {
        "account": await ask_document(known.ledger, SETTLEMENT, "tokens:GetAccount", name),
        "orders": await ask(known.ledger, SETTLEMENT, "market:ListOrders", name, ""),
    }


async def shared_hours(known: Services, name: str, day: date) -> list[Document]:
    """What an account's points gave and took, shared and traded in a day's hours."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    found: list[Document] = await ask(
        known.ledger, SETTLEMENT, "sharing:GetHours", name, str(Carrier.ELECTRICITY), str(start)
    )
    return found
