# SPDX-License-Identifier: Apache-2.0
"""Settling a measured session, in steps (rules K10, P1).

`weigh` looks up, for each account that traded, what its register measured. `reckon` settles every
trade at once, in memory, and keeps each trade's outcome and what each account is due (`outcome`);
with it the session is settled, for all or for none. Each account then takes its own (`taking`).

    weighed  {rows: {account: Wh | null}}     by shard, as what was cleared
    settled  {trades: [[seller, buyer, Wh, settled, buyer pays, seller makes good, buyer makes
             good, why it was left out, price]]}
"""

from collections.abc import Mapping
from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import clearing, metered, outcome
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.market.delivery import Prices, Settled, settle_hour
from pedchain_domain.market.pairing import Trade
from pedchain_domain.market.position import Position
from pedchain_fabric.shim import Refusal

Accounts = dict[str, Document]


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


async def reckon(book: Book, session: Document) -> None:
    """Settle every trade, and write what each account is due."""
    name = session["id"]
    energies = await outcome.whole(book, "weighed", session)
    cleared = await outcome.whole(book, outcome.CLEARED, session)
    accounts = {account: cleared[account] for account in sorted(energies)}
    held = await book.load("trades", name) or {"trades": []}
    trades = [Trade(*row[:3]) for row in held["trades"]]
    prices = [_prices(session, accounts, *row) for row in held["trades"]]
    settled = settle_hour(trades, energies, energies, prices)
    told = [_told(one, price) for one, price in zip(settled, prices, strict=True)]
    await book.save(("settled", name), {"trades": told})
    due = _due(accounts, energies, settled)
    await outcome.write(book, outcome.DUE, name, due, session["shards"])


def _filled(row: Document) -> bool:
    return any(wh for wh, _ in row["orders"].values())


def _prices(
    session: Document, accounts: Accounts, seller: str, buyer: str, _wh: int, agreed: int
) -> Prices:
    """The buyer's class retail and the seller's class feed-in, as when the session opened; a class
    that had none then counts as the dearest and cheapest that deposits reckoned with."""
    quotes = session["quotes"]
    retail = quotes.get(accounts[buyer]["about"][1], [session["ceiling"], 0])[0]
    feed_in = quotes.get(accounts[seller]["about"][1], [0, 0])[1]
    return Prices(agreed, retail, feed_in)


def _told(one: Settled, prices: Prices) -> list[Any]:
    reason = None if one.reason is None else str(one.reason)
    paid = [one.buyer_pays, one.seller_makes_good, one.buyer_makes_good]
    return [*one.trade, one.settled, *paid, reason, prices.trade]


def _due(
    accounts: Accounts, energies: Mapping[str, int | None], settled: list[Settled]
) -> dict[str, Document]:
    """What each account gets; never less than nothing once its deposit is back."""
    found: dict[str, Document] = {
        account: {"money": 0, "energy": [], "sold": 0, "bought": 0} for account in accounts
    }
    for one in settled:
        seller, buyer = found[one.trade.seller], found[one.trade.buyer]
        seller["money"] += one.to_seller
        seller["sold"] += one.settled
        buyer["money"] -= one.to_seller
        buyer["bought"] += one.settled
        if one.settled:
            buyer["energy"].append([accounts[one.trade.seller]["about"][0], one.settled])
    for account, due in found.items():
        wh = energies[account] or 0
        sells = accounts[account]["side"] == clearing.ASK
        Position(fed_in=wh if sells else 0, drawn=0 if sells else wh).traded(
            sold=due["sold"], bought=due["bought"]
        )
        kept = sum(deposit for _, deposit in accounts[account]["orders"].values())
        if kept + due["money"] < 0:
            raise Refusal("insufficient-funds", "deposit")
    return found
