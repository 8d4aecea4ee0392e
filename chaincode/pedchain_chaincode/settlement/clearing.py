# SPDX-License-Identifier: Apache-2.0
"""Clearing a closed session, in steps under 150 ms (rules K6, K7).

`collect` reads the lines by their markers, asks then bids, and keeps them in chunks; nobody adds
any more, since every order reads the session. `draw` makes the curves to be printed. `match` clears
all at one price or, where the zone says so, each trade at its offer's, pairs sellers with buyers,
and keeps what came of it by account (`outcome`). Each account then takes its own (`taking`), so
that no step waits for anybody.

    chunk    {side, lines: [[account quantity order, Wh, limit]], about: {account: about}}
    trades   {price, trades: [[seller, buyer, Wh, price]]}
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import limits
from pedchain_chaincode.settlement import outcome as outcomes
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.market import curve, deposit
from pedchain_domain.market.clearing import Cleared, Line, clear
from pedchain_domain.market.pairing import at_offers, pair

ASK, BID = "ask", "bid"
SIDES = (ASK, BID)
UNIFORM, PAY_AS_OFFER = "uniform", "pay-as-offer"
Rows = list[list[Any]]


class Matched(NamedTuple):
    """A cleared session: what may be printed of it, and in how many documents its outcome is."""

    price: int | None
    volume: int | None
    shards: int


class Collected(NamedTuple):
    """All lines of a session by side, their accounts by order, what is known by account."""

    lines: dict[str, list[Line]]
    accounts: dict[str, str]
    about: dict[str, list[Any]]


async def collect(book: Book, session: Document) -> Document:
    """One step of collecting; the session's next step."""
    name, step = session["id"], session["step"]
    if step["phase"] != "collect":
        step = {"phase": "collect", "side": ASK, "after": "", "chunks": 0}
    side = step["side"]
    found = await book.ids(side, name, limits.LINES_COLLECTED, step["after"])
    chunks = step["chunks"]
    if found:
        lines = await book.held(side, name, found)
        rows = [
            [_rank(order, line), line["quantity"], line["limit"]]
            for order, line in zip(found, lines, strict=True)
        ]
        about = {line["account"]: line["about"] for line in lines}
        await book.save(("chunk", name, chunks), {"side": side, "lines": rows, "about": about})
        chunks += 1
    if len(found) == limits.LINES_COLLECTED:
        return {**step, "after": found[-1], "chunks": chunks}
    if side == ASK:
        return {"phase": "collect", "side": BID, "after": "", "chunks": chunks}
    return {"phase": "draw", "chunks": chunks}


async def draw(book: Book, session: Document) -> dict[str, list[list[int]]]:
    """The curves of all that was collected, as they may be printed."""
    found = await _collected(book, session)
    return {
        side: curve.curve(found.lines[side], found.accounts, buying=side == BID) for side in SIDES
    }


async def match(book: Book, session: Document) -> Matched:
    """Clear all that was collected; write trades, and by account what came of its orders."""
    name, found = session["id"], await _collected(book, session)
    cleared = clear(found.lines[BID], found.lines[ASK])
    price = cleared.outcome.price if cleared.outcome else None
    volume = cleared.outcome.volume if cleared.outcome else 0
    offers = session["pricing"] == PAY_AS_OFFER
    trades = _at_offers(cleared, found) if offers else _at_one(cleared, found, price or 0)
    kept = _kept(session, cleared, found, offers)
    outcome: dict[str, Document] = {}
    for side in SIDES:
        for line in found.lines[side]:
            account = found.accounts[line.id]
            if account not in outcome:
                outcome[account] = {"side": side, "about": found.about[account], "orders": {}}
            outcome[account]["orders"][_order(line.id)] = kept[line.id]
    shards = -(-len(outcome) // limits.ACCOUNTS_TOGETHER) or 1
    await outcomes.write(book, outcomes.CLEARED, name, outcome, shards)
    printed = None if offers else price
    await book.save(("trades", name), {"price": printed, "trades": trades})
    if not all(curve.printable(_sums(trades, at)) for at in (0, 1)):
        return Matched(None, None, shards)
    return Matched(printed, volume, shards)


async def _collected(book: Book, session: Document) -> Collected:
    found = Collected({side: [] for side in SIDES}, {}, {})
    names = [("chunk", session["id"], number) for number in range(session["step"]["chunks"])]
    for chunk in await book.load_many(names):
        assert chunk is not None  # written by a step of this session
        found.lines[chunk["side"]].extend(Line(*row) for row in chunk["lines"])
        found.accounts.update((row[0], row[0].partition(" ")[0]) for row in chunk["lines"])
        found.about.update(chunk["about"])
    return found


def _rank(order: str, line: Document) -> str:
    """What lines are ranked by: an order's own id is its transaction's, and must not decide who
    gets the odd Wh."""
    return f"{line['account']} {line['quantity']:010d} {order}"


def _order(rank: str) -> str:
    return rank.rpartition(" ")[2]


def _at_one(cleared: Cleared, found: Collected, price: int) -> Rows:
    sold, bought = (_by_account(fills, found.accounts) for fills in (cleared.asks, cleared.bids))
    return [[*trade, price] for trade in pair(sold, bought)]


def _at_offers(cleared: Cleared, found: Collected) -> Rows:
    return [
        [found.accounts[trade.seller], found.accounts[trade.buyer], trade.quantity, price]
        for trade, price in at_offers(cleared, found.lines[ASK])
    ]


def _kept(
    session: Document, cleared: Cleared, found: Collected, offers: bool
) -> dict[str, list[int]]:
    """Of each order its Wh traded, and what of its deposit a payment can still need."""
    price = cleared.outcome.price if cleared.outcome else 0
    due: dict[str, int] = {}
    if offers:
        for trade, at in at_offers(cleared, found.lines[ASK]):
            due[trade.buyer] = due.get(trade.buyer, 0) + deposit.of_bid(trade.quantity, at)
    kept: dict[str, list[int]] = {}
    for line in found.lines[ASK]:
        wh = cleared.asks[line.id]
        at = line.limit if offers else price
        kept[line.id] = [wh, deposit.of_offer(wh, at, session["ceiling"]) if wh else 0]
    for line in found.lines[BID]:
        wh = cleared.bids[line.id]
        kept[line.id] = [wh, due.get(line.id, 0) if offers else deposit.of_bid(wh, price)]
    return kept


def _by_account(fills: Mapping[str, int], accounts: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for order, wh in fills.items():
        found[accounts[order]] = found.get(accounts[order], 0) + wh
    return found


def _sums(trades: Rows, at: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in trades:
        found[row[at]] = found.get(row[at], 0) + row[2]
    return found
