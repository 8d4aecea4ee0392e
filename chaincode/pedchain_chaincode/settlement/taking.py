# SPDX-License-Identifier: Apache-2.0
"""What came of an account's orders, taken by its own key (rules K9, K10).

A session's outcome stands in its documents, for all accounts at once. An account takes its part by
a debit that names the session: after clearing what of its deposits is free, after settlement all
the rest, with what it is due of money and energy; of a void session everything. What it took is
taken off its lines, so nothing can be taken twice; and it is there for as long as the account lets
it stand, so nobody's silence can hold it back.
"""

from typing import NamedTuple

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import limits, outcome, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.guards import Spending
from pedchain_chaincode.settlement.orders import ORDER, SIDES
from pedchain_domain.market.orders import OPEN_ORDERS, Kind
from pedchain_domain.market.session import State, product_of
from pedchain_domain.market.tokenid import MONEY
from pedchain_fabric.shim import Refusal

_BEFORE = (State.OPEN, State.CLOSED)
_NO_DUE: Document = {"money": 0, "energy": []}
Orders = dict[str, Document]


class Part(NamedTuple):
    """What one session gives: money, of it deposits set free, energy by token, lines that end."""

    money: int
    freed: int
    energy: dict[int, int]
    ended: list[str]


_NOTHING = Part(0, 0, {}, [])


def named(body: Document) -> list[str]:
    """The sessions a debit's body {sessions} asks for, ascending, each once."""
    found = body.get("sessions")
    if sorted(body) != ["sessions"] or not isinstance(found, list):
        raise Refusal("malformed-document", "body")
    if not 0 < len(found) <= limits.SESSIONS_TAKEN or not all(type(one) is str for one in found):
        raise Refusal("too-many" if found else "malformed-document", "sessions")
    if sorted(dict.fromkeys(found)) != found:
        raise Refusal("malformed-document", "sessions")
    return found


async def take(spent: Spending, sessions: dict[str, Document]) -> dict[str, object]:
    """Take from these sessions; what of the account changes. Refuses `not-found` where there is
    nothing to take."""
    book, holder = spent.book, spent.holder
    owner = book.tag(holder["id"])
    names = await book.ids(ORDER, owner, OPEN_ORDERS)
    orders = dict(zip(names, await book.held(ORDER, owner, names), strict=True))
    parts = [await _part(book, holder["id"], sessions[name], orders) for name in sorted(sessions)]
    if not any(part.freed or part.ended or part.money for part in parts):
        raise Refusal("not-found")
    amounts = {MONEY: sum(part.money for part in parts)}
    for part in parts:
        for token, wh in part.energy.items():
            amounts[token] = amounts.get(token, 0) + wh
    await rows.change_all(book, holder["id"], amounts)
    closed = await _end(book, owner, orders, dict(zip(sorted(sessions), parts, strict=True)))
    freed = sum(part.freed for part in parts)
    return {"orders": holder["orders"] - closed, "locked": holder["locked"] - freed}


async def _part(book: Book, account: str, session: Document, orders: Orders) -> Part:
    name, state = session["id"], State(session["state"])
    mine = [order for order in orders if _stands_in(orders[order], name)]
    if state in _BEFORE or not mine:
        return _NOTHING
    side = SIDES[Kind(orders[mine[0]]["kind"])]  # an owner stands on one side of an hour
    lines = dict(zip(mine, await book.held(side, name, mine), strict=True))
    if state == State.VOID:
        return await _all(book, side, name, lines, _NO_DUE)
    came = await outcome.of(book, account, session)
    if state == State.SETTLED:
        return await _all(book, side, name, lines, came[outcome.DUE] or _NO_DUE)
    return await _rest(book, side, name, lines, came[outcome.CLEARED]["orders"])


async def _all(book: Book, side: str, name: str, lines: Orders, due: Document) -> Part:
    """All deposits of the session, and what the account is due."""
    freed = 0
    for order, line in lines.items():
        freed += line["deposit"]
        await book.drop(side, name, order)
    energy: dict[int, int] = {}
    for number, wh, *zone in due["energy"]:
        token = product_of(name, *zone).minted_by(number).token
        energy[token] = energy.get(token, 0) + wh
    return Part(freed + due["money"], freed, energy, list(lines))


async def _rest(
    book: Book, side: str, name: str, lines: Orders, filled: dict[str, list[int]]
) -> Part:
    """What no payment of a cleared session can need any more."""
    freed, ended = 0, []
    for order, line in lines.items():
        if line["filled"]:
            continue
        wh, kept = filled[order]
        freed += line["deposit"] - kept
        if wh:
            left = {**line, "quantity": wh, "deposit": kept, "filled": True}
            await book.mark(side, name, order, left)
        else:
            ended.append(order)
            await book.drop(side, name, order)
    return Part(freed, freed, {}, ended)


def _stands_in(order: Document, name: str) -> bool:
    return any(line["session"] == name and not line["ended"] for line in order["lines"])


async def _end(book: Book, owner: str, orders: Orders, parts: dict[str, Part]) -> int:
    """Take lines off their orders; how many orders that closes."""
    closed = 0
    for order in sorted({order: None for part in parts.values() for order in part.ended}):
        lines = [
            {**line, "ended": line["ended"] or order in parts.get(line["session"], _NOTHING).ended}
            for line in orders[order]["lines"]
        ]
        if all(line["ended"] for line in lines):
            closed += 1
            await book.drop(ORDER, owner, order)
        else:
            await book.mark(ORDER, owner, order, {**orders[order], "lines": lines})
    return closed
