# SPDX-License-Identifier: Apache-2.0
"""Settling a measured session, in steps (rules K10, P1).

`weigh` looks up, for each account that traded, what its register measured. `reckon` settles every
trade at once, in memory, and keeps each trade's outcome and what each account is due (`outcome`);
with it the session is settled, for all or for none. Each account then takes its own (`taking`).

    weighed  {rows: {account: Wh | null}}     by shard, as what was cleared
    settled  {trades: [[seller, buyer, Wh, settled, buyer pays, seller makes good, buyer makes
             good, why it was left out, price]]}

Two sessions that were cleared together are settled together (rules K8). A trade between them stands
in both, with the congestion rent as its last number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import clearing, metered, outcome, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.coupled import CONGESTION
from pedchain_domain.market.delivery import Prices, Settled, settle_hour
from pedchain_domain.market.pairing import Trade
from pedchain_domain.market.position import Position
from pedchain_domain.market.tokenid import MONEY
from pedchain_fabric.shim import Refusal


@dataclass(frozen=True, slots=True)
class Party:
    """An account that traded: its session, what came of its orders there, and its Wh."""

    session: Document
    row: Document
    wh: int | None


Parties = dict[str, Party]


async def weigh(book: Book, session: Document, *, late: bool) -> Document:
    """One step of weighing; the session's next step. Refuses `not-attached` where a register was
    not shown, unless it is so `late` that nobody will show it any more."""
    name, step = session["id"], session["step"]
    shard = step["next"] if step["phase"] == "weigh" else 0
    held = await book.load(outcome.CLEARED, name, shard) or {"rows": {}}
    traded = {account: row["about"] for account, row in held["rows"].items() if _filled(row)}
    measured = await metered.energies(
        book, [about[2:] for about in traded.values()], session["hour"]
    )
    found = dict(zip(traded, measured, strict=True))
    if not late and any(not was_shown for was_shown, _ in found.values()):
        raise Refusal("not-attached")
    weighed = {account: wh for account, (_, wh) in found.items()}
    await book.save(("weighed", name, shard), {"rows": weighed})
    if shard + 1 < session["shards"]:
        return {"phase": "weigh", "next": shard + 1}
    return {"phase": "reckon"}


async def reckon(book: Book, sessions: Sequence[Document]) -> None:
    """Settle every trade of a session, or of two coupled ones, and write what each account is
    due."""
    parties: Parties = {}
    agreed: list[list[Any]] = []
    for session in sessions:
        parties |= await _parties(book, session)
        held = await book.load("trades", session["id"]) or {"trades": []}
        agreed += [row for row in held["trades"] if not (agreed and _crosses(row))]
    trades = [Trade(*row[:3]) for row in agreed]
    prices = [_prices(parties, *row) for row in agreed]
    energies = {account: party.wh for account, party in parties.items()}
    settled = settle_hour(trades, energies, energies, prices)
    told = [_told(*each) for each in zip(settled, prices, strict=True)]
    due = _due(parties, settled)
    for session in sessions:
        name, mine = session["id"], _of(parties, session)
        rows_ = [row for row in told if row[0] in mine or row[1] in mine]
        await book.save(("settled", name), {"trades": rows_})
        owed = {account: due[account] for account in mine}
        await outcome.write(book, outcome.DUE, name, owed, session["shards"])
    if rent := sum(one.rent for one in settled):
        await rows.give(book, CONGESTION, MONEY, rent)


async def _parties(book: Book, session: Document) -> Parties:
    weighed = await outcome.whole(book, "weighed", session)
    cleared = await outcome.whole(book, outcome.CLEARED, session)
    return {
        account: Party(session, cleared[account], weighed[account]) for account in sorted(weighed)
    }


def _of(parties: Parties, session: Document) -> list[str]:
    return [name for name, party in parties.items() if party.session["id"] == session["id"]]


def _crosses(row: list[Any]) -> bool:
    """Whether a trade is one between two zones, so that it stands in both sessions."""
    return len(row) > 4


def _filled(row: Document) -> bool:
    return any(wh for wh, _ in row["orders"].values())


def _prices(
    parties: Parties, seller: str, buyer: str, _wh: int, agreed: int, sold: int | None = None
) -> Prices:
    """The buyer's class retail and the seller's class feed-in, as when their sessions opened; a
    class that had none then counts as the dearest and cheapest that deposits reckoned with. No
    retail is above what the seller's deposit reckoned with."""
    home, away = parties[seller].session, parties[buyer].session
    feed_in = home["quotes"].get(_supplier(parties[seller]), [0, 0])[1]
    retail = away["quotes"].get(_supplier(parties[buyer]), [away["ceiling"], 0])[0]
    return Prices(agreed, min(retail, home["ceiling"]), feed_in, sold)


def _supplier(party: Party) -> str:
    return str(party.row["about"][1])


def _told(one: Settled, prices: Prices) -> list[Any]:
    reason = None if one.reason is None else str(one.reason)
    paid = [one.buyer_pays, one.seller_makes_good, one.buyer_makes_good]
    told = [*one.trade, one.settled, *paid, reason, prices.trade]
    return told if prices.sold is None else [*told, one.rent]


def _due(parties: Parties, settled: list[Settled]) -> dict[str, Document]:
    """What each account gets; never less than nothing once its deposit is back."""
    found: dict[str, Document] = {
        account: {"money": 0, "energy": [], "sold": 0, "bought": 0} for account in parties
    }
    for one in settled:
        seller, buyer = found[one.trade.seller], found[one.trade.buyer]
        seller["money"] += one.to_seller
        seller["sold"] += one.settled
        buyer["money"] -= one.from_buyer
        buyer["bought"] += one.settled
        if one.settled:
            buyer["energy"].append(_energy(parties, one))
    for account, due in found.items():
        party = parties[account]
        wh = party.wh or 0
        sells = party.row["side"] == clearing.ASK
        Position(fed_in=wh if sells else 0, drawn=0 if sells else wh).traded(
            sold=due["sold"], bought=due["bought"]
        )
        kept = sum(deposit for _, deposit in party.row["orders"].values())
        if kept + due["money"] < 0:
            raise Refusal("insufficient-funds", "deposit")
    return found


def _energy(parties: Parties, one: Settled) -> list[int]:
    """Whose promise the buyer gets and how much of it; its zone where that is another."""
    seller, buyer = parties[one.trade.seller], parties[one.trade.buyer]
    zone = seller.session["zone"]
    found = [seller.row["about"][0], one.settled]
    return found if zone == buyer.session["zone"] else [*found, zone]
