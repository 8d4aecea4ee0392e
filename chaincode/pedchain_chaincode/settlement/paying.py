# SPDX-License-Identifier: Apache-2.0
"""Settling a measured session, in steps under 150 ms (rules K10, P1).

`weigh` looks up, for each account that traded, what its register measured. `reckon` settles every
trade at once, in memory, and keeps each trade's outcome; `pay` keeps what each account is due of it
(`outcome`), and with that the session is settled, for all or for none. Each account then takes its
own (`taking`).

    weighed  {rows: {account: [Wh | null, number, supplier class, side, deposit kept, district |
             null]}}   by shard
    settled  {trades: [[seller, buyer, Wh, settled, buyer pays, seller makes good, buyer makes
             good, why it was left out, price]], energy_only: [number of a trade]}

The origin of a trade's energy follows it (rules P2) unless an order says energy only: then no
district stands in `weighed`. It does not follow into another district, whose certificates are
another ledger's, nor into another zone (rules G4).

Two sessions that were cleared together are settled together (rules K8). A trade between them stands
in both, with the congestion rent as its last number.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.settlement import clearing, metered, outcome, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.coupled import CONGESTION
from pedchain_domain.market.delivery import Prices, Settled, settle_hour
from pedchain_domain.market.pairing import Trade
from pedchain_domain.market.position import Position
from pedchain_domain.market.tokenid import MONEY
from pedchain_fabric.shim import Refusal

WEIGHED, SETTLED = "weighed", "settled"
RECKON, PAY = "reckon", "pay"
RENT = 9  # where a settled trade's rent stands


class Party(NamedTuple):
    """An account that traded: its session, its Wh, and of its orders what payments rest on."""

    session: Document
    wh: int | None
    number: int
    supplier: str
    side: str
    kept: int
    origin: str | None = None  # the district where its energy's origin may go, or come from


Parties = dict[str, Party]


async def weigh(book: Book, session: Document, *, late: bool) -> Document:
    """One step of weighing; the session's next step. Refuses `not-attached` where a register was
    not shown, unless it is so `late` that nobody will show it any more."""
    name, step = session["id"], session["step"]
    shard = step["next"] if step["phase"] == "weigh" else 0
    held = await book.load(outcome.CLEARED, name, shard) or {"rows": {}}
    traded = {account: row["about"] for account, row in held["rows"].items() if _filled(row)}
    measured = await metered.energies(
        book, [about[2:5] for about in traded.values()], session["hour"]
    )
    found = dict(zip(traded, measured, strict=True))
    if not late and any(not was_shown for was_shown, _ in found.values()):
        raise Refusal("not-attached")
    weighed = {account: [wh, *_about(held["rows"][account])] for account, (_, wh) in found.items()}
    await book.save((WEIGHED, name, shard), {"rows": weighed})
    if shard + 1 < session["shards"]:
        return {"phase": "weigh", "next": shard + 1}
    return {"phase": RECKON}


def _about(row: Document) -> list[Any]:
    kept = sum(deposit for _, deposit in row["orders"].values())
    number, supplier, district, _, _, *energy_only = row["about"]
    return [number, supplier, row["side"], kept, None if energy_only else district]


async def reckon(book: Book, sessions: Sequence[Document]) -> None:
    """Settle every trade of a session, or of two coupled ones."""
    parties = await _parties(book, sessions)
    agreed: list[list[Any]] = []
    for session in sessions:
        held = await book.load("trades", session["id"]) or {"trades": []}
        agreed += [row for row in held["trades"] if not (agreed and _crosses(row))]
    trades = [Trade(*row[:3]) for row in agreed]
    prices = [_prices(parties, *row) for row in agreed]
    energies = {account: party.wh for account, party in parties.items()}
    settled = settle_hour(trades, energies, energies, prices)
    told = [_told(*each) for each in zip(settled, prices, strict=True)]
    for session in sessions:
        mine = _of(parties, session)
        rows_ = [row for row in told if row[0] in mine or row[1] in mine]
        apart = [at for at, row in enumerate(rows_) if not _follows(parties, row)]
        found = {"trades": rows_, **({"energy_only": apart} if apart else {})}
        await book.save((SETTLED, session["id"]), found)


async def pay(book: Book, sessions: Sequence[Document]) -> None:
    """Write what each account is due, and credit the rent."""
    parties = await _parties(book, sessions)
    told: list[list[Any]] = []
    for session in sessions:
        held = await book.load(SETTLED, session["id"])
        assert held is not None  # written by the step before
        told += [row for row in held["trades"] if not (told and _is_rented(row))]
    due = _due(parties, told)
    for session in sessions:
        owed = {account: due[account] for account in _of(parties, session)}
        origin = {"origin": _followed(parties, session, told)}
        await outcome.write(book, outcome.DUE, session["id"], owed, session["shards"], more=origin)
    if rent := sum(_rent(row) for row in told):
        await rows.give(book, CONGESTION, MONEY, rent)


async def _parties(book: Book, sessions: Sequence[Document]) -> Parties:
    parties: Parties = {}
    for session in sessions:
        weighed = await outcome.whole(book, WEIGHED, session)
        for account in sorted(weighed):
            parties[account] = Party(session, *weighed[account])
    return parties


def _of(parties: Parties, session: Document) -> dict[str, None]:
    name = session["id"]
    return {account: None for account, party in parties.items() if party.session["id"] == name}


def _crosses(row: list[Any]) -> bool:
    """Whether a trade is one between two zones, so that it stands in both sessions."""
    return len(row) > 4


def _is_rented(row: list[Any]) -> bool:
    """The same of a settled trade."""
    return len(row) > RENT


def _rent(row: list[Any]) -> int:
    return int(row[RENT]) if _is_rented(row) else 0


def _filled(row: Document) -> bool:
    return any(wh for wh, _ in row["orders"].values())


def _prices(
    parties: Parties, seller: str, buyer: str, _wh: int, agreed: int, sold: int | None = None
) -> Prices:
    """The buyer's class retail and the seller's class feed-in, as when their sessions opened; a
    class that had none then counts as the dearest and cheapest that deposits reckoned with. No
    retail is above what the seller's deposit reckoned with."""
    home, away = parties[seller].session, parties[buyer].session
    feed_in = home["quotes"].get(parties[seller].supplier, [0, 0])[1]
    retail = away["quotes"].get(parties[buyer].supplier, [away["ceiling"], 0])[0]
    return Prices(agreed, min(retail, home["ceiling"]), feed_in, sold)


def _told(one: Settled, prices: Prices) -> list[Any]:
    reason = None if one.reason is None else str(one.reason)
    paid = [one.buyer_pays, one.seller_makes_good, one.buyer_makes_good]
    told = [*one.trade, one.settled, *paid, reason, prices.trade]
    return told if prices.sold is None else [*told, one.rent]


def _follows(parties: Parties, row: list[Any]) -> bool:
    """Whether the origin of a trade's energy goes with it."""
    seller, buyer = parties[row[0]], parties[row[1]]
    same = seller.session is buyer.session and seller.origin == buyer.origin
    return same and seller.origin is not None


def _followed(parties: Parties, session: Document, told: list[list[Any]]) -> dict[str, int]:
    """Wh sold in a session together with their origin, by district."""
    found: dict[str, int] = {}
    for row in told:
        seller = parties[row[0]]
        if seller.origin is not None and seller.session is session and _follows(parties, row):
            found[seller.origin] = found.get(seller.origin, 0) + row[3]
    return {district: found[district] for district in sorted(found)}


def _due(parties: Parties, told: list[list[Any]]) -> dict[str, Document]:
    """What each account gets; never less than nothing once its deposit is back."""
    found: dict[str, Document] = {
        account: {"money": 0, "energy": [], "sold": 0, "bought": 0} for account in parties
    }
    for row in told:
        seller, buyer = found[row[0]], found[row[1]]
        settled, pays, seller_owes, buyer_owes = row[3:7]
        paid = pays + buyer_owes - seller_owes
        seller["money"] += paid - _rent(row)
        seller["sold"] += settled
        buyer["money"] -= paid
        buyer["bought"] += settled
        if settled:
            buyer["energy"].append(_energy(parties[row[0]], parties[row[1]], settled))
        if settled and not _follows(parties, row):
            for each in (seller, buyer):
                each["energy_only"] = each.get("energy_only", 0) + settled
    for account, party in parties.items():
        due, wh = found[account], party.wh or 0
        sells = party.side == clearing.ASK
        fed_in, drawn = (wh, 0) if sells else (0, wh)
        with refusals():
            Position(fed_in, drawn, sold=due["sold"], bought=due["bought"])
        if party.kept + due["money"] < 0:
            raise Refusal("insufficient-funds", "deposit")
    return found


def _energy(seller: Party, buyer: Party, settled: int) -> list[int]:
    """Whose promise the buyer gets and how much of it; its zone where that is another."""
    zone = seller.session["zone"]
    found = [seller.number, settled]
    return found if zone == buyer.session["zone"] else [*found, zone]
