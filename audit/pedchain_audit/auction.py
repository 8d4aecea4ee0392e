# SPDX-License-Identifier: Apache-2.0
"""Step 9, sessions: cleared and settled anew from the orders, the ticks and what was measured."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pedchain_audit.errors import Broken
from pedchain_audit.operatorsbook import Book, Document
from pedchain_domain.market import coupling, deposit
from pedchain_domain.market.clearing import Cleared, Line, clear
from pedchain_domain.market.delivery import Prices, Settled, settle_hour
from pedchain_domain.market.pairing import Trade, across, at_offers, pair
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


def begun(session: Document) -> None:
    """Raises `SettlementError` unless a new session is one in which nothing happened yet."""
    told = [session.get(name) for name in ("price", "volume", "flow", "partner", "curves")]
    if session["state"] != State.OPEN or any(one is not None for one in told):
        raise SettlementError("a session begins with an outcome")


def moved(before: Document, after: Document, clock: int) -> None:
    """Raises `SettlementError` unless a session's step was due; `DomainError` says why not."""
    clears = (before["state"], after["state"]) == ("CLOSED", "CLEARED")
    if not clears and before["partner"] != after["partner"]:
        raise SettlementError("a session changed its partner")
    if before["state"] == after["state"]:
        return
    step = STEPS.get((before["state"], after["state"]))
    if step is None:
        raise SettlementError(f"a session went from {before['state']} to {after['state']}")
    move(State(before["state"]), step, Times(**before["times"]), clock)
    fixed = ("id", "carrier", "zone", "hour", "times", "quotes", "ceiling", "pricing")
    if any(before[name] != after[name] for name in fixed):
        raise SettlementError("a session changed its terms")


@dataclass(slots=True)
class Zone:
    """A session's order lines, and what they came to."""

    session: Document
    asks: list[Line]
    bids: list[Line]
    accounts: dict[str, str]
    apart: dict[str, list[Any]]  # by account, whether its origin stays
    found: Cleared = field(default_factory=lambda: Cleared(None, {}, {}))

    @property
    def price(self) -> int:
        """The price of all, µcur per kWh; 0 where nothing trades."""
        return self.found.outcome.price if self.found.outcome else 0

    @property
    def members(self) -> set[str]:
        """Who has lines here."""
        return set(self.accounts.values())

    @property
    def sold(self) -> dict[str, int]:
        """Wh sold, by account."""
        return _by_account(self.found.asks, self.accounts)

    @property
    def bought(self) -> dict[str, int]:
        """Wh bought, by account."""
        return _by_account(self.found.bids, self.accounts)


def cleared(
    book: Book, session: Document, other: Document | None = None, limit: Document | None = None
) -> tuple[list[list[Any]], dict[str, dict[str, Any]], dict[str, list[Any]]]:
    """The trades [seller, buyer, Wh, price] that a session's lines make, by account and order
    [Wh, deposit kept], and by account what stands of its origin; `other` is the session it is
    coupled to, `limit` what may flow there."""
    zone = _zone(book, session)
    owed: dict[str, int] | None = None
    prices: dict[str, int] | None = None
    zones = [zone]
    if other is not None and limit is not None:
        zones.append(_zone(book, other))
        both = _together(zone, zones[1], limit)
        trades = [row for row in both if {row[0], row[1]} & zone.members]
    else:
        zone.found = clear(zone.bids, zone.asks)
        both = trades = [[*trade, zone.price] for trade in pair(zone.sold, zone.bought)]
    if session["pricing"] == "pay-as-offer":
        pairs = at_offers(zone.found, zone.asks)
        accounts = zone.accounts
        both = trades = [[accounts[t.seller], accounts[t.buyer], t.quantity, p] for t, p in pairs]
        prices = {line.id: line.limit for line in zone.asks}
        owed = {}
        for trade, at in pairs:
            owed[trade.buyer] = owed.get(trade.buyer, 0) + deposit.of_bid(trade.quantity, at)
    _printed(session, zones, both)
    return trades, _kept(zone, prices, owed), zone.apart


def _kept(
    zone: Zone, prices: dict[str, int] | None, owed: dict[str, int] | None
) -> dict[str, dict[str, Any]]:
    """By account and order [Wh, deposit kept]; without prices by line, at the price of all."""
    kept: dict[str, dict[str, Any]] = {}
    ceiling = zone.session["ceiling"]
    for order, wh in zone.found.asks.items():
        price = zone.price if prices is None else prices[order]
        left = deposit.of_offer(wh, price, ceiling) if wh else 0
        kept.setdefault(zone.accounts[order], {})[_id(order)] = [wh, left]
    for order, wh in zone.found.bids.items():
        left = deposit.of_bid(wh, zone.price) if owed is None else owed.get(order, 0)
        kept.setdefault(zone.accounts[order], {})[_id(order)] = [wh, left]
    return kept


def _zone(book: Book, session: Document) -> Zone:
    accounts: dict[str, str] = {}
    asks, bids = (_lines(book, side, session["id"], accounts) for side in ("ask", "bid"))
    apart = {
        one["account"]: one["about"][5:]
        for side in ("ask", "bid")
        for one in book.marked(side, session["id"]).values()
    }
    return Zone(session, asks, bids, accounts, apart)


def _together(zone: Zone, other: Zone, limit: Document) -> list[list[Any]]:
    """Clear two zones with limits between them (rules K8); the trades of both. What is left of the
    zone that gives, once its own buyers have theirs, goes to those of the other."""
    there, back = limit["there"], limit["back"]
    first, second = zone, other
    if zone.session["id"] > other.session["id"]:
        first, second, there, back = other, zone, back, there
    made = coupling.couple(
        coupling.Book(first.bids, first.asks),
        coupling.Book(second.bids, second.asks),
        there=there,
        back=back,
        cap=max(first.session["ceiling"], second.session["ceiling"]),
    )
    first.found, second.found = made.first, made.second
    gives, takes = (first, second) if made.flow >= 0 else (second, first)
    told = []
    for trade in across([gives.sold, takes.sold], [gives.bought, takes.bought]):
        seller, buyer = (gives if name in gives.members else takes for name in trade[:2])
        crosses = [] if seller is buyer else [seller.price]
        told.append([*trade, buyer.price, *crosses])
    return told


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


def _printed(session: Document, zones: list[Zone], trades: list[list[Any]]) -> None:
    """Price, volume and flow in public are the session's, and of enough accounts (rules C2)."""
    if session["volume"] is None:
        return
    found = zones[0].found
    sold, bought = sum(found.asks.values()), sum(found.bids.values())
    price = None if session["pricing"] == "pay-as-offer" or not found.outcome else zones[0].price
    flow = sold - bought if len(zones) > 1 else None
    told = (session["price"], session["volume"], session["flow"])
    if told != (price, max(sold, bought), flow):
        raise SettlementError("a session prints another price or volume than its orders make")
    for side in (0, 1):
        sums: dict[str, int] = {}
        for row in trades:
            sums[row[side]] = sums.get(row[side], 0) + row[2]
        parts = [{name: sums[name] for name in sums if name in zone.members} for zone in zones]
        for part in (sums, *(one for one in parts if one)):
            most = max(part.values(), default=0) * 100
            if len(part) < GROUP_ACCOUNTS or most > sum(part.values()) * GROUP_SHARE_PERCENT:
                raise SettlementError("a session prints what tells of a few")


def settled(
    book: Book,
    session: Document,
    measured: Measured,
    clock: int,
    other: Document | None = None,
) -> tuple[list[list[Any]], dict[str, Document], int, int, "Origin"]:
    """The trades as settled, what each account is due, how many hours were compared with the
    audit's own closing, the congestion rent, µcur, and what goes without its origin; `other` is
    the session it was cleared with."""
    both = sorted((session, *([other] if other else [])), key=lambda each: str(each["id"]))
    rows = _agreed(book, both)
    trades = [Trade(*row[:3]) for row in rows]
    zones = {one["zone"]: one for one in both}
    homes = {name: zones[_zone_of(book, name, session)] for row in rows for name in row[:2]}
    mine = {name for name, home in homes.items() if home["id"] == session["id"]}
    energies: dict[str, int | None] = {}
    compared = 0
    for way, at in (("feeds", 0), ("draws", 1)):
        for name in sorted({row[at] for row in rows}):
            energies[name], same = energy(book, name, session, way, measured, clock)
            compared += same * (name in mine)
    prices = [_prices(book, homes, row) for row in rows]
    told: list[list[Any]] = []
    due = {name: _nothing() for name in sorted(mine)}
    rent, origin = 0, Origin([], {})
    kept = _apart(book, both)
    for one, price in zip(settle_hour(trades, energies, energies, prices), prices, strict=True):
        rent += one.rent
        if mine & {one.trade.seller, one.trade.buyer}:
            _origin(origin, book, one, len(told), homes, kept, mine, due)
            told.append(_told(one, price))
        if one.trade.seller in mine:
            due[one.trade.seller]["money"] += one.to_seller
            due[one.trade.seller]["sold"] += one.settled
        if one.trade.buyer in mine:
            row = due[one.trade.buyer]
            row["money"] -= one.from_buyer
            row["bought"] += one.settled
            home = homes[one.trade.seller]["zone"]
            zone = [] if home == session["zone"] else [home]
            if one.settled:
                number = _account(book, one.trade.seller)["number"]
                row["energy"].append([number, one.settled, *zone])
    return told, due, compared, rent, origin


def _apart(book: Book, sessions: list[Document]) -> set[str]:
    """Who keeps the origin in sessions that were cleared together."""
    return {
        who
        for session in sessions
        for shard in range(session["shards"])
        for who, row in (book.named("cleared", session["id"], shard) or {"rows": {}})[
            "rows"
        ].items()
        if row["about"][5:]
    }


def _origin(
    origin: "Origin",
    book: Book,
    one: Settled,
    number: int,
    homes: dict[str, Document],
    kept: set[str],
    mine: set[str],
    due: dict[str, Document],
) -> None:
    """Count a trade to what goes with its origin, or without (rules P2)."""
    seller, buyer = one.trade.seller, one.trade.buyer
    district = _account(book, seller)["district"]
    same = homes[seller]["id"] == homes[buyer]["id"]
    if same and not kept & {seller, buyer} and _account(book, buyer)["district"] == district:
        origin.whole[district] = origin.whole.get(district, 0) + one.settled
        return
    origin.energy_only.append(number)
    for name in (seller, buyer):
        if name in mine and one.settled:
            due[name]["energy_only"] = due[name].get("energy_only", 0) + one.settled


def _agreed(book: Book, sessions: list[Document]) -> list[list[Any]]:
    """The trades of sessions that were cleared together, each once."""
    found: list[list[Any]] = []
    for session in sessions:
        held = book.named("trades", session["id"]) or {"trades": []}
        found += [row for row in held["trades"] if len(row) == 4 or row not in found]
    return found


def _zone_of(book: Book, name: str, session: Document) -> int:
    zone: int = _account(book, name)["places"][session["carrier"]]["zone"]
    return zone


def _told(one: Settled, price: Prices) -> list[Any]:
    reason = None if one.reason is None else str(one.reason)
    paid = [one.buyer_pays, one.seller_makes_good, one.buyer_makes_good]
    rent = [] if price.sold is None else [one.rent]
    return [*one.trade, one.settled, *paid, reason, price.trade, *rent]


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


def _prices(book: Book, homes: dict[str, Document], row: list[Any]) -> Prices:
    seller, buyer = _account(book, row[0]), _account(book, row[1])
    home, away = homes[row[0]], homes[row[1]]
    retail = away["quotes"].get(buyer["supplier"], [away["ceiling"], 0])[0]
    feed_in = home["quotes"].get(seller["supplier"], [0, 0])[1]
    return Prices(row[3], min(retail, home["ceiling"]), feed_in, *row[4:])


def _account(book: Book, name: str) -> Document:
    found = book.named("account", name)
    if found is None:
        raise SettlementError("a trade of an account nobody registered")
    return found


class Origin(NamedTuple):
    """Of a session the numbers of trades of energy only, and Wh sold with origin by district."""

    energy_only: list[int]
    whole: dict[str, int]


def _nothing() -> Document:
    return {"money": 0, "energy": [], "sold": 0, "bought": 0}
