# SPDX-License-Identifier: Apache-2.0
"""Settling a measured session, in steps (rules K10, P1).

`weigh` goes through the lines that were filled and adds up, by account, its deposit and what its
registers measured. `reckon` settles every trade at once, in memory, and keeps each trade's outcome
and each account's balance of it. `pay` then credits account by account: deposit, less what it
owes, plus what it is owed; energy to buyers; of a promise not kept the rest is burnt. An account
is paid once, since its step changes the session.
"""

from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import clearing, limits, metered, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.market.delivery import Prices, Settled, settle_hour
from pedchain_domain.market.pairing import Trade
from pedchain_domain.market.position import Position
from pedchain_domain.market.session import product_of
from pedchain_domain.market.tokenid import MONEY
from pedchain_fabric.shim import Refusal

SIDES = clearing.SIDES
_WAYS = {"ask": "feeds", "bid": "draws"}


async def weigh(book: Book, session: Document, *, late: bool) -> Document:
    """One step of weighing; the session's next step. Refuses `not-attached` where a register was
    not shown, unless it is so `late` that nobody will show it any more."""
    name, step = session["id"], session["step"]
    if step["phase"] != "weigh":
        step = {"phase": "weigh", "side": SIDES[0], "after": "", "chunks": 0}
    side = step["side"]
    found = await book.ids(side, name, limits.LINES_WEIGHED, step["after"])
    lines = await book.held(side, name, found)
    weighed = [
        await _weighed(book, session, side, order, line, late)
        for order, line in zip(found, lines, strict=True)
    ]
    chunks = step["chunks"]
    if weighed:
        await book.save(("weighed", name, chunks), {"side": side, "lines": weighed})
        chunks += 1
    if len(found) == limits.LINES_WEIGHED:
        return {**step, "after": found[-1], "chunks": chunks}
    if side == SIDES[0]:
        return {"phase": "weigh", "side": SIDES[1], "after": "", "chunks": chunks}
    return {"phase": "reckon", "chunks": chunks}


async def _weighed(
    book: Book, session: Document, side: str, order: str, line: Document, late: bool
) -> Document:
    account = await book.load("account", line["account"])
    if account is None:
        raise Refusal("unknown-account")
    carrier, hour = session["carrier"], session["hour"]
    was_shown, wh = await metered.energy(book, account, carrier, _WAYS[side], hour)
    if not was_shown and not late:
        raise Refusal("not-attached")
    return {
        "order": order,
        "account": line["account"],
        "number": line["number"],
        "deposit": line["deposit"],
        "quantity": line["quantity"],
        "supplier": account["supplier"],
        "energy": wh,
    }


async def reckon(book: Book, session: Document) -> Document:
    """Settle every trade; the session's next step."""
    name = session["id"]
    about: dict[str, dict[str, Document]] = {side: {} for side in SIDES}
    for number in range(session["step"]["chunks"]):
        chunk = await book.load("weighed", name, number) or {"side": SIDES[0], "lines": []}
        for line in chunk["lines"]:
            _merge(about[chunk["side"]], line)
    held = await book.load("trades", name) or {"price": 0, "trades": []}
    trades = [Trade(*row) for row in held["trades"]]
    sellers, buyers = about["ask"], about["bid"]
    settled = settle_hour(
        trades,
        {account: sellers[account]["energy"] for account in sorted(sellers)},
        {account: buyers[account]["energy"] for account in sorted(buyers)},
        [_prices(session, held["price"], sellers, buyers, trade) for trade in trades],
    )
    await book.save(("settled", name), {"trades": [_told(one) for one in settled]})
    results = _results(session, about, settled)
    for at in range(0, len(results), limits.ACCOUNTS_PAID):
        chunk_ = {"accounts": results[at : at + limits.ACCOUNTS_PAID]}
        await book.save(("due", name, at // limits.ACCOUNTS_PAID), chunk_)
    return {"phase": "pay", "next": 0, "chunks": -(-len(results) // limits.ACCOUNTS_PAID)}


async def pay(book: Book, session: Document) -> Document:
    """Pay one chunk of accounts; the session's next step."""
    name, step = session["id"], session["step"]
    due = await book.load("due", name, step["next"]) or {"accounts": []}
    for one in due["accounts"]:
        await _pay(book, session, one)
    following = step["next"] + 1
    if following < step["chunks"]:
        return {**step, "next": following}
    return {"phase": "settled"}


async def _pay(book: Book, session: Document, due: Document) -> None:
    ends = 0
    for order in due["orders"]:
        await book.drop(due["side"], session["id"], order)
        ends += await clearing.ended(book, due["account"], order)
    account = due["account"]
    await rows.give(book, account, MONEY, due["money"], frees=due["deposit"], ends=ends)
    for number, wh in due["energy"]:
        await rows.give(book, account, product_of(session["id"]).minted_by(number).token, wh)
    if due["burnt"]:
        promise = product_of(session["id"]).minted_by(due["number"])
        await rows.supplied(book, promise.token, -due["burnt"])
    position = {"sold": due["sold"], "bought": due["bought"]}
    await book.save(("position", account, session["carrier"], session["hour"]), position)


def _merge(found: dict[str, Document], line: Document) -> None:
    former = found.setdefault(line["account"], {**line, "deposit": 0, "quantity": 0, "orders": []})
    former["deposit"] += line["deposit"]
    former["quantity"] += line["quantity"]
    former["orders"].append(line["order"])


def _prices(
    session: Document,
    agreed: int,
    sellers: dict[str, Document],
    buyers: dict[str, Document],
    trade: Trade,
) -> Prices:
    """The buyer's class retail and the seller's class feed-in, as when the session opened; a class
    that had none then counts as the dearest and cheapest that deposits reckoned with."""
    quotes = session["quotes"]
    retail = quotes.get(buyers[trade.buyer]["supplier"], [session["ceiling"], 0])[0]
    feed_in = quotes.get(sellers[trade.seller]["supplier"], [0, 0])[1]
    return Prices(agreed, retail, feed_in)


def _told(one: Settled) -> list[Any]:
    reason = None if one.reason is None else str(one.reason)
    paid = [one.buyer_pays, one.seller_makes_good, one.buyer_makes_good]
    return [*one.trade, one.settled, *paid, reason]


def _results(
    session: Document, about: dict[str, dict[str, Document]], settled: list[Settled]
) -> list[Document]:
    """What each account gets, by side and account."""
    found: list[Document] = []
    for side in SIDES:
        mine: dict[str, list[Settled]] = {}
        for one in settled:
            party = one.trade.seller if side == "ask" else one.trade.buyer
            mine.setdefault(party, []).append(one)
        found += [
            _result(side, about, account, mine.get(account, [])) for account in sorted(about[side])
        ]
    return found


def _result(
    side: str, about: dict[str, dict[str, Document]], account: str, mine: list[Settled]
) -> Document:
    line, sells = about[side][account], side == "ask"
    wh = sum(one.settled for one in mine)
    in_all = sum(one.to_seller for one in mine)
    used = {"sold" if sells else "bought": wh}
    metered_wh = {"fed_in": line["energy"] or 0, "drawn": 0}
    if not sells:
        metered_wh = {"fed_in": 0, "drawn": line["energy"] or 0}
    position = Position(**metered_wh).traded(**used)
    money = line["deposit"] + (in_all if sells else -in_all)
    if money < 0:
        raise Refusal("insufficient-funds", "deposit")
    sellers = about["ask"]
    energy = [] if sells else [(sellers[o.trade.seller]["number"], o.settled) for o in mine]
    return {
        "side": side,
        "account": account,
        "number": line["number"],
        "orders": line["orders"],
        "deposit": line["deposit"],
        "money": money,
        "energy": [list(row) for row in energy if row[1]],
        "burnt": line["quantity"] - wh if sells else 0,
        "sold": position.sold,
        "bought": position.bought,
    }
