# SPDX-License-Identifier: Apache-2.0
"""Step 9, sessions: cleared and settled anew from the orders, the ticks and what was measured."""

from collections.abc import Callable, Iterable
from typing import Any

from pedchain_audit.errors import Broken
from pedchain_audit.operatorsbook import Book, Document
from pedchain_domain.market import deposit
from pedchain_domain.market.clearing import Cleared, Line, clear
from pedchain_domain.market.delivery import Prices, settle_hour
from pedchain_domain.market.pairing import Trade, at_offers, pair
from pedchain_domain.market.session import State, Step, Times, move

#: What a register measured in an hour by the audit's own closings: district, point, role, hour to
#: Wh by interval and whether all of it is measured. Nothing where the audit has not closed it.
Measured = Callable[[str, str, str, int], list[tuple[list[int], bool]]]
STEPS = {
    ("OPEN", "CLOSED"): Step.CLOSE,
    ("OPEN", "VOID"): Step.VOID,
    ("CLOSED", "VOID"): Step.VOID,
    ("CLOSED", "CLEARED"): Step.CLEAR,
    ("CLEARED", "MEASURED"): Step.MEASURE,
    ("MEASURED", "SETTLED"): Step.SETTLE,
}
LATE_S = 60 * 86_400
GROUP_ACCOUNTS, GROUP_SHARE_PERCENT = 15, 15  # rules C2


class SettlementError(Broken):
    """What was written does not follow from what it rests on; the text tells what."""

    check = "settlement"


def moved(before: Document, after: Document, clock: int) -> None:
    """Raises `SettlementError` unless a session's step was due; `DomainError` says why not."""
    if before["state"] == after["state"]:
        return
    step = STEPS.get((before["state"], after["state"]))
    if step is None:
        raise SettlementError(f"a session went from {before['state']} to {after['state']}")
    move(State(before["state"]), step, Times(**before["times"]), clock)
    fixed = ("id", "carrier", "zone", "hour", "times", "quotes", "ceiling", "pricing")
    if any(before[name] != after[name] for name in fixed):
        raise SettlementError("a session changed its terms")


def cleared(book: Book, session: Document) -> tuple[list[list[Any]], dict[str, dict[str, Any]]]:
    """The trades [seller, buyer, Wh, price] that a session's lines make, and by account and order
    [Wh, deposit kept]."""
    accounts: dict[str, str] = {}
    asks, bids = (_lines(book, side, session["id"], accounts) for side in ("ask", "bid"))
    found = clear(bids, asks)
    price = found.outcome.price if found.outcome else 0
    if session["pricing"] == "pay-as-offer":
        pairs = at_offers(found, asks)
        trades = [[accounts[t.seller], accounts[t.buyer], t.quantity, at] for t, at in pairs]
        owed: dict[str, int] = {}
        for trade, at in pairs:
            owed[trade.buyer] = owed.get(trade.buyer, 0) + deposit.of_bid(trade.quantity, at)
        prices = {line.id: line.limit for line in asks}
    else:
        sold, bought = (_by_account(part, accounts) for part in (found.asks, found.bids))
        trades = [[*trade, price] for trade in pair(sold, bought)]
        owed = {order: deposit.of_bid(wh, price) for order, wh in found.bids.items()}
        prices = dict.fromkeys(found.asks, price)
    kept: dict[str, dict[str, Any]] = {}
    for order, wh in found.asks.items():
        left = deposit.of_offer(wh, prices[order], session["ceiling"])
        kept.setdefault(accounts[order], {})[_id(order)] = [wh, left if wh else 0]
    for order, wh in found.bids.items():
        kept.setdefault(accounts[order], {})[_id(order)] = [wh, owed.get(order, 0)]
    _printed(session, found, trades)
    return trades, kept


def _lines(book: Book, side: str, session: str, accounts: dict[str, str]) -> list[Line]:
    """A side's lines, named by account, quantity and order; whose they are goes to `accounts`."""
    found = []
    for order, one in book.marked(side, session).items():
        name = f"{one['account']} {one['quantity']:010d} {order}"
        accounts[name] = one["account"]
        found.append(Line(name, one["quantity"], one["limit"]))
    return sorted(found)


def _id(name: str) -> str:
    return name.split(" ")[-1]


def _by_account(fills: dict[str, int], accounts: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for order, wh in fills.items():
        found[accounts[order]] = found.get(accounts[order], 0) + wh
    return found


def _printed(session: Document, found: Cleared, trades: list[list[Any]]) -> None:
    """A price or volume in public is the session's, and of enough accounts (rules C2)."""
    if session["volume"] is None:
        return
    outcome = found.outcome
    told = (session["price"], session["volume"])
    price = None if session["pricing"] == "pay-as-offer" or not outcome else outcome.price
    if outcome is None or told != (price, outcome.volume):
        raise SettlementError("a session prints another price or volume than its orders make")
    for side in (0, 1):
        sums: dict[str, int] = {}
        for row in trades:
            sums[row[side]] = sums.get(row[side], 0) + row[2]
        most = max(sums.values()) * 100
        if len(sums) < GROUP_ACCOUNTS or most > outcome.volume * GROUP_SHARE_PERCENT:
            raise SettlementError("a session prints what tells of a few")


def settled(
    book: Book, session: Document, measured: Measured, clock: int
) -> tuple[list[list[Any]], dict[str, Document], int]:
    """The trades as settled, what each account is due, and how many hours were compared with the
    audit's own closing."""
    held = book.named("trades", session["id"]) or {"trades": []}
    rows = held["trades"]
    trades = [Trade(*row[:3]) for row in rows]
    energies: dict[str, int | None] = {}
    compared = 0
    for way, at in (("feeds", 0), ("draws", 1)):
        for name in sorted({row[at] for row in rows}):
            energies[name], same = energy(book, name, session, way, measured, clock)
            compared += same
    prices = [_prices(book, session, row) for row in rows]
    told, due = [], {name: _nothing() for name in energies}
    for one, price in zip(settle_hour(trades, energies, energies, prices), prices, strict=True):
        reason = None if one.reason is None else str(one.reason)
        paid = [one.buyer_pays, one.seller_makes_good, one.buyer_makes_good]
        told.append([*one.trade, one.settled, *paid, reason, price.trade])
        seller, buyer = due[one.trade.seller], due[one.trade.buyer]
        seller["money"] += one.to_seller
        buyer["money"] -= one.to_seller
        seller["sold"] += one.settled
        buyer["bought"] += one.settled
        if one.settled:
            buyer["energy"].append([_account(book, one.trade.seller)["number"], one.settled])
    return told, due, compared


def energy(
    book: Book, name: str, session: Document, way: str, measured: Measured, clock: int
) -> tuple[int | None, int]:
    """An account's Wh of the hour, None if not measured, and 1 if that is what the audit's own
    closing says. Raises `SettlementError` where it is not, or was not shown in time."""
    account = _account(book, name)
    register = account["places"][session["carrier"]][way]
    where = (account["district"], register["point"])
    shown = book.named("metered", *where, session["hour"])
    if shown is None:
        if clock < session["times"]["ends"] + LATE_S:
            raise SettlementError("a session settles before all was shown")
        return None, 0
    parts, whole = shown["registers"].get(register["role"], [[], False])
    same = compare(shown, where, session["hour"], measured)
    return (sum(parts) if whole else None), same


def compare(shown: Document, where: tuple[str, str], hour: int, measured: Measured) -> int:
    """1 if all shown registers are what the audit closed, 0 where it closed nothing."""
    same = 0
    for role, (parts, whole) in shown["registers"].items():
        own = measured(*where, role, hour)
        if not own:
            continue
        if (parts, whole) not in own:
            raise SettlementError("an hour that was shown is not what the readings make")
        same = 1
    return same


def equal(made: object, written: object, what: str) -> None:
    """Raises `SettlementError` unless what was made anew is what was written."""
    if made != written:
        raise SettlementError(f"{what}: not what follows from what it rests on")


def rows(parts: Iterable[Document]) -> dict[str, Any]:
    """Rows by account of a session's documents of one kind."""
    return {name: row for part in parts for name, row in part["rows"].items()}


def _prices(book: Book, session: Document, row: list[Any]) -> Prices:
    quotes = session["quotes"]
    seller, buyer = _account(book, row[0]), _account(book, row[1])
    retail = quotes.get(buyer["supplier"], [session["ceiling"], 0])[0]
    return Prices(row[3], retail, quotes.get(seller["supplier"], [0, 0])[1])


def _account(book: Book, name: str) -> Document:
    found = book.named("account", name)
    if found is None:
        raise SettlementError("a trade of an account nobody registered")
    return found


def _nothing() -> Document:
    return {"money": 0, "energy": [], "sold": 0, "bought": 0}
