# SPDX-License-Identifier: Apache-2.0
"""Clearing a closed session, in steps under 150 ms (rules K6, K7).

`collect` reads the lines by their markers, asks then bids, and keeps them in chunks; nobody adds
any more, since every order reads the session. `draw` makes the curves to be printed. `match` clears
all at one price or, where the zone says so, each trade at its offer's, and pairs sellers with
buyers. `keep` clears again, which is quicker than to write down each line's fill and read it, and
keeps what came of it by account (`outcome`), some documents a step; with the last the session is
cleared. Each account then takes its own (`taking`), so that no step waits for anybody.

    chunk    {side, lines: [[account quantity order, Wh, limit]], about: {account: about}}
    trades   {price, trades: [[seller, buyer, Wh, price]]}

Two coupled sessions are matched together (rules K8). A trade between them stands in both, with a
fifth number: what its seller gets, where its buyer pays the fourth.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import limits
from pedchain_chaincode.settlement import outcome as outcomes
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.coupled import Pair
from pedchain_domain.market import coupling, curve, deposit
from pedchain_domain.market.clearing import Cleared, Line, clear
from pedchain_domain.market.pairing import across, at_offers, pair

ASK, BID = "ask", "bid"
SIDES = (ASK, BID)
UNIFORM, PAY_AS_OFFER = "uniform", "pay-as-offer"
MATCH, KEEP = "match", "keep"
Rows = list[list[Any]]


class Matched(NamedTuple):
    """A cleared session: what may be printed of it, the session it was cleared with, and in how
    many documents its outcome is."""

    price: int | None
    volume: int | None
    flow: int | None
    partner: str | None
    shards: int


class Collected(NamedTuple):
    """All lines of a session by side, their accounts by order, what is known by account."""

    lines: dict[str, list[Line]]
    accounts: dict[str, str]
    about: dict[str, list[Any]]


class Auction(NamedTuple):
    """A session with all its lines, cleared: its trades, and whether they may be printed."""

    session: Document
    found: Collected
    cleared: Cleared
    trades: Rows
    printed: bool
    partner: str | None

    @property
    def price(self) -> int | None:
        """The price of all, if there is one, µcur per kWh."""
        return self.cleared.outcome.price if self.cleared.outcome else None

    @property
    def offers(self) -> bool:
        """Whether each trade has its offer's price."""
        return bool(self.session["pricing"] == PAY_AS_OFFER)


async def prepare(book: Book, session: Document) -> Document:
    """One step towards the matching of a closed session; the session after it."""
    if session["step"]["phase"] == "draw":
        step = {**session["step"], "phase": MATCH}
        return {**session, "step": step, "curves": await draw(book, session)}
    return {**session, "step": await collect(book, session)}


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


async def match(book: Book, pair: Pair) -> list[Document]:
    """Clear all that was collected and write the trades; the sessions after it."""
    for auction in await _cleared(book, pair):
        price = None if auction.offers else auction.price
        document = {"price": price, "trades": auction.trades}
        await book.save(("trades", auction.session["id"]), document)
    return [{**each, "step": {**each["step"], "phase": KEEP}} for each in pair.sessions]


async def keep(book: Book, pair: Pair) -> tuple[list[Document], list[Matched]]:
    """Write by some accounts what came of their orders; the sessions after it, and as they are to
    be printed once all `is_kept`."""
    auctions = await _cleared(book, pair)
    steps = [{**each.session, "step": await _write(book, each)} for each in auctions]
    return steps, [_matched(each) for each in auctions]


def is_kept(session: Document) -> bool:
    """Whether what came of all accounts' orders is written."""
    step = session["step"]
    return bool(step["next"] == step["shards"])


async def _cleared(book: Book, pair: Pair) -> list[Auction]:
    found = [await _collected(book, session) for session in pair.sessions]
    return _alone(pair, found[0]) if len(found) == 1 else _coupled(pair, found)


def _alone(pair: Pair, found: Collected) -> list[Auction]:
    (session,) = pair.sessions
    cleared = clear(found.lines[BID], found.lines[ASK])
    if session["pricing"] == PAY_AS_OFFER:
        trades = _at_offers(cleared, found)
    else:
        trades = _at_one(cleared, found, cleared.outcome.price if cleared.outcome else 0)
    printed = all(curve.printable(_sums(trades, at)) for at in (0, 1))
    return [Auction(session, found, cleared, trades, printed, None)]


def _coupled(pair: Pair, found: list[Collected]) -> list[Auction]:
    books = [coupling.Book(each.lines[BID], each.lines[ASK]) for each in found]
    cap = max(int(session["ceiling"]) for session in pair.sessions)
    made = coupling.couple(*books, there=pair.there, back=pair.back, cap=cap)
    cleared = [made.first, made.second]
    trades = _between(cleared, found, made.flow)
    printed = _printable(trades, found)
    partners = [session["id"] for session in reversed(pair.sessions)]
    return [
        Auction(session, each, one, _of(trades, each), printed, partner)
        for session, each, one, partner in zip(pair.sessions, found, cleared, partners, strict=True)
    ]


async def _write(book: Book, auction: Auction) -> Document:
    """The session's next step."""
    session, found = auction.session, auction.found
    shards, step = _shards(found), session["step"]
    begin = step.get("next", 0)
    some = range(begin, min(begin + limits.OUTCOMES_KEPT, shards))
    mine = [name for name in found.about if outcomes.shard_of(name, shards) in some]
    outcome: dict[str, Document] = {name: {} for name in mine}
    kept = _kept(auction)
    for side in SIDES:
        for line in found.lines[side]:
            account = found.accounts[line.id]
            row = outcome.get(account)
            if row is not None:
                row.setdefault("orders", {})[_order(line.id)] = kept[line.id]
                row |= {"side": side, "about": found.about[account]}
    await outcomes.write(book, outcomes.CLEARED, session["id"], outcome, shards, some)
    return {**step, "shards": shards, "next": some.stop}


def _shards(found: Collected) -> int:
    """In how many documents the outcome of all accounts stands."""
    return -(-len(found.about) // limits.ACCOUNTS_TOGETHER) or 1


def _matched(auction: Auction) -> Matched:
    """What may be printed of a cleared session."""
    cleared, shards = auction.cleared, _shards(auction.found)
    if not auction.printed:
        return Matched(None, None, None, auction.partner, shards)
    sold, bought = sum(cleared.asks.values()), sum(cleared.bids.values())
    flow = None if auction.partner is None else sold - bought
    price = None if auction.offers else auction.price
    return Matched(price, max(sold, bought), flow, auction.partner, shards)


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


def _between(cleared: Sequence[Cleared], found: Sequence[Collected], flow: int) -> Rows:
    """The trades of both zones, the exporting one's first."""
    order = (0, 1) if flow >= 0 else (1, 0)
    sold = [_by_account(cleared[at].asks, found[at].accounts) for at in order]
    bought = [_by_account(cleared[at].bids, found[at].accounts) for at in order]
    home = {account: at for at in order for account in found[at].accounts.values()}
    prices = [one.outcome.price if one.outcome else 0 for one in cleared]
    rows: Rows = []
    for trade in across(sold, bought):
        seller, buyer = home[trade.seller], home[trade.buyer]
        row = [*trade, prices[buyer]]
        rows.append(row if seller == buyer else [*row, prices[seller]])
    return rows


def _of(trades: Rows, found: Collected) -> Rows:
    """The trades that a zone's accounts have part in."""
    mine = dict.fromkeys(found.accounts.values())
    return [row for row in trades if row[0] in mine or row[1] in mine]


def _printable(trades: Rows, found: Sequence[Collected]) -> bool:
    """Whether what is printed of two zones tells of nobody: in both, and in each side of each."""
    sums = [_sums(trades, at) for at in (0, 1)]
    for each in found:
        mine = dict.fromkeys(each.accounts.values())
        parts = [{name: wh for name, wh in side.items() if name in mine} for side in sums[:2]]
        sums += [part for part in parts if part]
        if not any(parts):
            return False
    return all(map(curve.printable, sums))


def _kept(auction: Auction) -> dict[str, list[int]]:
    """Of each order its Wh traded, and what of its deposit a payment can still need."""
    session, found, cleared = auction.session, auction.found, auction.cleared
    price, offers = auction.price or 0, auction.offers
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
