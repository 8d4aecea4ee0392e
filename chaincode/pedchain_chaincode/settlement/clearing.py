# SPDX-License-Identifier: Apache-2.0
"""Clearing a closed session and giving back what is not traded, in steps under 150 ms (rules K6).

`collect` reads the lines by their markers, asks then bids, and keeps them in chunks; nobody adds
any more, since every order reads the session. `match` clears the chunks at one price and pairs
sellers with buyers. `release` goes through the lines: what is filled stays locked, at the price it
was filled at; of the rest the promise is burnt and the deposit credited. A void one releases all.

    chunk {side: [[order, account, quantity, limit]]}     fills {order: Wh}     trades [[s, b, Wh]]
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import limits, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.orders import ORDER
from pedchain_domain.market import deposit
from pedchain_domain.market.clearing import Line, clear
from pedchain_domain.market.pairing import pair
from pedchain_domain.market.session import State, product_of
from pedchain_domain.market.tokenid import MONEY

SIDES = ("ask", "bid")


class Matched(NamedTuple):
    """A cleared session: price or None, Wh, and what may be printed of it."""

    price: int | None
    volume: int
    printable: bool


async def collect(book: Book, session: Document) -> Document:
    """One step of collecting; the session's next step."""
    name, step = session["id"], session["step"]
    if step["phase"] != "collect":
        step = {"phase": "collect", "side": SIDES[0], "after": "", "chunks": 0}
    side = step["side"]
    found = await book.ids(side, name, limits.LINES_COLLECTED, step["after"])
    lines = await book.held(side, name, found)
    chunks = step["chunks"]
    if found:
        chunk = [
            [order, line["account"], line["quantity"], line["limit"]]
            for order, line in zip(found, lines, strict=True)
        ]
        await book.save(("chunk", name, chunks), {side: chunk})
        chunks += 1
    if len(found) == limits.LINES_COLLECTED:
        return {**step, "after": found[-1], "chunks": chunks}
    if side == SIDES[0]:
        return {"phase": "collect", "side": SIDES[1], "after": "", "chunks": chunks}
    return {"phase": "match", "chunks": chunks}


async def match(book: Book, session: Document) -> Matched:
    """Clear all that was collected and write fills and trades."""
    name = session["id"]
    lines: dict[str, list[Line]] = {side: [] for side in SIDES}
    accounts: dict[str, str] = {}
    for number in range(session["step"]["chunks"]):
        chunk = await book.load("chunk", name, number) or {}
        for side in sorted(chunk):
            for order, account, quantity, limit in chunk[side]:
                lines[side].append(Line(order, quantity, limit))
                accounts[order] = account
    cleared = clear(lines["bid"], lines["ask"])
    sold, bought = (_by_account(fills, accounts) for fills in (cleared.asks, cleared.bids))
    price = cleared.outcome.price if cleared.outcome else None
    await book.save(("fills", name), {"price": price, "fills": {**cleared.asks, **cleared.bids}})
    trades = [list(trade) for trade in pair(sold, bought)]
    await book.save(("trades", name), {"price": price, "trades": trades})
    volume = cleared.outcome.volume if cleared.outcome else 0
    return Matched(price, volume, _printable(sold, volume) and _printable(bought, volume))


async def release(book: Book, session: Document) -> Document:
    """One step of giving back; the session's next step."""
    name, step = session["id"], session["step"]
    if step["phase"] != "release":
        step = {"phase": "release", "side": SIDES[0], "after": ""}
    side = step["side"]
    found = await book.ids(side, name, limits.LINES_RELEASED, step["after"])
    lines = await book.held(side, name, found)
    filled: dict[str, Any] = {"price": None, "fills": {}}
    if session["state"] == State.CLEARED:
        filled = await book.load("fills", name) or filled
    for order, line in zip(found, lines, strict=True):
        await _give_back(book, session, side, order, line, filled)
    if len(found) == limits.LINES_RELEASED:
        return {**step, "after": found[-1]}
    if side == SIDES[0]:
        return {"phase": "release", "side": SIDES[1], "after": ""}
    return {"phase": "released"}


async def _give_back(
    book: Book, session: Document, side: str, order: str, line: Document, filled: Document
) -> None:
    """What of one line is not traded, and what of its deposit no payment can need any more."""
    wh = filled["fills"].get(order, 0)
    kept = 0
    if wh and side == "ask":
        kept = deposit.of_offer(wh, filled["price"], session["ceiling"])
    elif wh:
        kept = deposit.of_bid(wh, filled["price"])
    if side == "ask" and wh < line["quantity"]:
        promise = product_of(session["id"]).minted_by(line["number"])
        await rows.supplied(book, promise.token, wh - line["quantity"])
    ends = 0
    if wh:
        await book.mark(side, session["id"], order, {**line, "quantity": wh, "deposit": kept})
    else:
        await book.drop(side, session["id"], order)
        ends = await ended(book, line["account"], order)
    freed = line["deposit"] - kept
    if freed or ends:
        await rows.give(book, line["account"], MONEY, freed, frees=freed, ends=ends)


async def ended(book: Book, account: str, order: str) -> int:
    """Count a line of an order as done; 1 if it was the last."""
    owner = book.tag(account)
    document = (await book.held(ORDER, owner, [order]))[0]
    left = document["left"] - 1
    if left:
        await book.mark(ORDER, owner, order, {**document, "left": left})
        return 0
    await book.drop(ORDER, owner, order)
    return 1


def _by_account(fills: Mapping[str, int], accounts: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for order in sorted(fills):
        found[accounts[order]] = found.get(accounts[order], 0) + fills[order]
    return found


def _printable(traded: Mapping[str, int], volume: int) -> bool:
    """Whether a side's numbers tell of nobody in particular (rules C2)."""
    parties = [wh for wh in traded.values() if wh]
    if len(parties) < limits.GROUP_ACCOUNTS:
        return False
    return max(parties) * 100 <= volume * limits.GROUP_SHARE_PERCENT
