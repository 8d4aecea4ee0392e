# SPDX-License-Identifier: Apache-2.0
"""Placing and withdrawing orders (rules K2, K3, K9).

    order  {account, kind, lines, deposit, origin?}     under its account
    line   {account, about, quantity, limit, deposit, filled}     under its session and side
    about  [producer number, supplier class, district, point, role], and `energy-only` behind them
           where the origin stays (rules P2)

An order locks the deposit of each line and, if it offers, mints promises that stay locked with the
lines. `about` is what settling needs to know of the account, as when it placed the order. An order
writes only what is its account's, its owner's or its own: any number of traders place
orders side by side. Whoever is behind several accounts stands on one side of an hour only, so that
nobody trades with itself, and says for all of an hour alike whether the origin follows.
"""

from collections.abc import Mapping
from typing import Any

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.settlement import limits, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.guards import Spending
from pedchain_domain import text
from pedchain_domain.market import orders, session
from pedchain_domain.market.following import ENERGY_ONLY
from pedchain_domain.market.orders import Kind, Order
from pedchain_domain.market.session import State
from pedchain_domain.market.tokenid import MONEY
from pedchain_fabric.shim import Refusal

ORDER = "order"
SIDES = {Kind.OFFER: "ask", Kind.BID: "bid"}
WAYS = {Kind.OFFER: "feeds", Kind.BID: "draws"}
Sessions = Mapping[str, Document]
Sides = dict[tuple[str, int], int]
"""(carrier, hour) -> how many lines more, or fewer."""


def check(body: Mapping[str, Any]) -> Order:
    """The order a debit's body holds; each session says the least Wh of its lines."""
    with refusals():
        return orders.check(body, minimum=1)


def accepting(found: Sessions) -> None:
    """Refuse `too-early`, `too-late` or `past-hour` unless all sessions are open."""
    for name in sorted(found):
        with refusals():
            session.accepts(State(found[name]["state"]))


def identifier(found: object) -> str:
    """An order's id. Refuses `malformed-id`."""
    if not isinstance(found, str) or not text.is_id(found, limits.IDENTIFIER):
        raise Refusal("malformed-id")
    return found


async def owned(book: Book, account: str, named: object) -> Document:
    """An account's open order. Refuses `not-found`, for anyone else's too."""
    return (await book.held(ORDER, book.tag(account), [identifier(named)]))[0]


def sessions_of(former: Document) -> dict[str, None]:
    """Ids of the sessions an order stands in."""
    return {line["session"]: None for line in former["lines"]}


async def place(spent: Spending, order: Order, found: Sessions) -> dict[str, object]:
    """Place an order; what of the account changes."""
    _placed(spent.holder, order)
    deposits, sides = _deposits(order, found), _sides(order, 1)
    holder, total = spent.holder, sum(deposits)
    _limits(holder, 1, total)
    await rows.change(spent.book, holder["id"], MONEY, -total)
    await _stand(spent.book, holder["owner"], order, sides)
    await _write(spent, order, deposits)
    return {"orders": holder["orders"] + 1, "locked": holder["locked"] + total}


async def cancel(spent: Spending, identifier: str, former: Document) -> dict[str, object]:
    """Withdraw an order whose sessions are all open; what of the account changes."""
    holder, total = spent.holder, former["deposit"]
    await rows.change(spent.book, holder["id"], MONEY, total)
    was = Order(Kind(former["kind"]), (), _energy_only(former))
    await _stand(spent.book, holder["owner"], was, _former_sides(former))
    await _erase(spent, identifier, former)
    return {"orders": holder["orders"] - 1, "locked": holder["locked"] - total}


async def amend(
    spent: Spending, identifier: str, former: Document, order: Order, found: Sessions
) -> dict[str, object]:
    """Put an order in place of another, in one step; what of the account changes."""
    if order.kind != former["kind"]:
        raise Refusal("malformed-document", "side")
    if order.energy_only != _energy_only(former):
        raise Refusal("origin-differs")
    _placed(spent.holder, order)
    deposits, sides = _deposits(order, found), _sides(order, 1)
    for place_, count in _former_sides(former).items():
        sides[place_] = sides.get(place_, 0) + count
    holder, more = spent.holder, sum(deposits) - former["deposit"]
    _limits(holder, 0, more)
    await rows.change(spent.book, holder["id"], MONEY, -more)
    await _stand(spent.book, holder["owner"], order, sides)
    await _erase(spent, identifier, former)
    await _write(spent, order, deposits)
    return {"locked": holder["locked"] + more}


def _deposits(order: Order, found: Sessions) -> list[int]:
    if any(line.quantity < found[line.session]["lot"] for line in order.lines):
        raise Refusal("bad-quantity")
    with refusals():
        return orders.deposits(order, lambda line: int(found[line.session]["ceiling"]))


def _placed(holder: Document, order: Order) -> None:
    """Refuse `wrong-zone` for a product of a zone the account has no connection in, and
    `not-measured` where no register could show what it delivers or uses."""
    for line in order.lines:
        place_ = holder["places"].get(str(line.product.carrier))
        if place_ is None or place_["zone"] != line.product.zone:
            raise Refusal("wrong-zone")
        if place_[WAYS[order.kind]] is None:
            raise Refusal("not-measured")


def _about(holder: Document, order: Order, carrier: str) -> list[Any]:
    register = holder["places"][carrier][WAYS[order.kind]]
    meter = [holder["district"], register["point"], register["role"]]
    origin = [ENERGY_ONLY] if order.energy_only else []
    return [holder["number"], holder["supplier"], *meter, *origin]


def _energy_only(former: Document) -> bool:
    return former.get("origin") == ENERGY_ONLY


def _limits(holder: Document, more: int, deposit: int) -> None:
    if holder["orders"] + more > orders.OPEN_ORDERS:
        raise Refusal("too-many", "orders")
    if deposit > 0 and holder["locked"] + deposit > holder["limit"]:
        raise Refusal("beyond-limit")


def _sides(order: Order, count: int) -> Sides:
    found: Sides = {}
    for line in order.lines:
        place_ = (str(line.product.carrier), line.product.start)
        found[place_] = found.get(place_, 0) + count
    return found


def _former_sides(former: Document) -> Sides:
    found: Sides = {}
    for line in former["lines"]:
        place_ = (line["carrier"], line["hour"])
        found[place_] = found.get(place_, 0) - 1
    return found


async def _stand(book: Book, owner: str, order: Order, sides: Sides) -> None:
    """Count the lines an owner has on its one side of each hour. Refuses `both-sides`, and
    `origin-differs` where others of them say otherwise of their origin."""
    for carrier, hour in sorted(sides):
        name = ("side", owner, carrier, hour)
        former = await book.load(*name) or {"kind": order.kind, "lines": 0}
        if former["lines"] and former["kind"] != order.kind:
            raise Refusal("both-sides")
        if former["lines"] and _energy_only(former) != order.energy_only:
            raise Refusal("origin-differs")
        lines = former["lines"] + sides[(carrier, hour)]
        await book.save(name, {"kind": str(order.kind), "lines": lines, **_origin(order)})


def _origin(order: Order) -> dict[str, str]:
    return {"origin": ENERGY_ONLY} if order.energy_only else {}


async def _write(spent: Spending, order: Order, deposits: list[int]) -> None:
    book, holder = spent.book, spent.holder
    identifier = book.identifier()
    about = []
    for line, deposit in zip(order.lines, deposits, strict=True):
        document = {
            "account": holder["id"],
            "about": _about(holder, order, str(line.product.carrier)),
            "quantity": line.quantity,
            "limit": line.limit,
            "deposit": deposit,
            "filled": False,
        }
        await book.mark(SIDES[order.kind], line.session, identifier, document)
        about.append(
            {
                "session": line.session,
                "carrier": str(line.product.carrier),
                "hour": line.product.start,
                "quantity": line.quantity,
                "limit": line.limit,
                "ended": False,
            }
        )
        if order.kind == Kind.OFFER:
            promise = line.product.minted_by(holder["number"])
            await rows.supplied(book, promise.token, line.quantity)
    document = {
        "account": holder["id"],
        "kind": str(order.kind),
        "lines": about,
        "deposit": sum(deposits),
        **_origin(order),
    }
    await book.mark(ORDER, book.tag(holder["id"]), identifier, document)


async def _erase(spent: Spending, identifier: str, former: Document) -> None:
    book, holder = spent.book, spent.holder
    kind = Kind(former["kind"])
    for line in former["lines"]:
        await book.drop(SIDES[kind], line["session"], identifier)
        if kind == Kind.OFFER:
            promise = session.product_of(line["session"]).minted_by(holder["number"])
            await rows.supplied(book, promise.token, -line["quantity"])
    await book.drop(ORDER, book.tag(holder["id"]), identifier)
