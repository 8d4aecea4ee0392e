# SPDX-License-Identifier: Apache-2.0
"""An order's life and money (rules D2, D8, D10 to D13).

    public   {order: order/1, state, notice, parts: {district: W}, plant, guaranteed, reduced,
              escrow, collateral, districts: {district: {phase, root?, sites?, accuracy?, ordered?:
              Wh of an interval, contributed?}}, result?}
    private  in the book, by order and district: {digest, storage?: by step of measuring {site:
             point}, state?, step?, sums?}, paid/1 {order, after, paid: µcur}

    ISSUED -> ACCEPTED -> SETTLED; ISSUED -> REVOKED, LAPSED; ACCEPTED -> REVOKED, LAPSED
    phases of a district: open, freezing, frozen, dispatched, measuring, measured, paid

The issuer's escrow is locked when it signs the order, since only it can sign for its money, and the
provider's collateral when it accepts. Settled are subtotals: what stands of a district's sums in
the book, for series of so few sites are nobody's business (rules C2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from pedchain_chaincode.documents import Document, refusals, save
from pedchain_chaincode.flexibility import keys, limits
from pedchain_chaincode.settlement import accounts, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.state import restore
from pedchain_domain import fields
from pedchain_domain.flexibility import delivery, remuneration
from pedchain_domain.flexibility import order as rules
from pedchain_domain.flexibility.delivery import Interval
from pedchain_domain.flexibility.escrow import Release, Terms, release
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.flexibility.remuneration import HISTORY
from pedchain_domain.instants import DAY, format_day
from pedchain_domain.market.tokenid import MONEY
from pedchain_domain.numbers import PPM, split
from pedchain_fabric.shim import Refusal, Stub

PAGE: Final = 100
ISSUED, ACCEPTED, SETTLED = "ISSUED", "ACCEPTED", "SETTLED"
REVOKED, LAPSED = "REVOKED", "LAPSED"
OPEN, FREEZING, FROZEN, DISPATCHED = "open", "freezing", "frozen", "dispatched"
MEASURING, MEASURED, PAID = "measuring", "measured", "paid"
_ACCEPTANCE: Final[fields.Shape] = {
    "order": fields.identifier,
    "parts": lambda value: _parts(value),
    "plant": fields.flag,
    "guaranteed": fields.flag,
}


def _parts(value: object) -> bool:
    return isinstance(value, dict) and all(
        fields.identifier(name) and fields.positive(watts) for name, watts in value.items()
    )


def issued(book: Book, order: Any, issuer: str, clock: int) -> Document:
    """The order a debit's body holds, if its issuer may issue it now."""
    if not isinstance(order, dict):
        raise Refusal("malformed-document", "order")
    with refusals():
        rules.check(order)
        rules.check_time(order, clock)
    if order["issuer"] != issuer:
        raise Refusal("not-owner")
    if order["issuer"] == order["provider"]:
        raise Refusal("both-sides")
    if any(name not in book.setup.districts for name in order["districts"]):
        raise Refusal("unknown-district")
    if len(dict.fromkeys(order["districts"])) != len(order["districts"]):
        raise Refusal("malformed-document", "districts")
    return order


async def put_issued(book: Book, order: Document) -> None:
    """Lock the escrow and write the order. Refuses `unknown-account`, `insufficient-funds`."""
    for name in (order["provider"], order["supplier"]):
        if name is not None:
            await accounts.known(book, name)
    escrow = terms({"order": order, "guaranteed": False}).escrow
    await rows.change(book, order["issuer"], MONEY, -escrow)
    open_: Document = {"notice": None, "parts": {}, "districts": {}}
    flags = {"plant": False, "guaranteed": False, "reduced": False}
    locked = {"escrow": escrow, "collateral": 0}
    await put(book, {"order": order, "state": ISSUED, **open_, **flags, **locked})


async def accept(book: Book, found: Document, body: Document, clock: int) -> None:
    """The provider takes an order on with its districts' parts, and locks its collateral; this is
    the notice."""
    with refusals():
        fields.check(body, _ACCEPTANCE)
        rules.check_time(found["order"], clock)
        rules.check_notice(found["order"], found["order"]["start"] - clock)
        for watts in body["parts"].values():
            rules.energy({**found["order"], "power_w": watts})
    order, parts = found["order"], body["parts"]
    if sorted(parts) != sorted(order["districts"]) or sum(parts.values()) != order["power_w"]:
        raise Refusal("bad-quantity", "parts")
    if order["product"] == rules.TEST:
        await _tested(book, order)
    said = {name: body[name] for name in ("plant", "guaranteed")}
    collateral = terms({**found, **said}).collateral
    await rows.change(book, order["provider"], MONEY, -collateral)
    districts = {name: {"phase": OPEN} for name in sorted(parts)}
    accepted = {"state": ACCEPTED, "notice": clock, "parts": parts, **said}
    await put(book, {**found, **accepted, "districts": districts, "collateral": collateral})
    told = {"districts": sorted(parts), "notice": clock, "product": order["product"]}
    await save(book.stub, _live(book, order), told)


async def _tested(book: Book, order: Document) -> None:
    """Note a test dispatch. Refuses `too-many` for a provider's second of the month (rules D11)."""
    name, month = ("flex-tests", order["provider"]), format_day(order["start"] // DAY)[:7]
    held = await book.load(*name)
    months = [] if held is None else held["months"]
    if month in months:
        raise Refusal("too-many", "test")
    await book.save(name, {"months": [*months, month][-HISTORY:]})


async def give_back(book: Book, found: Document, state: str) -> None:
    """End an order without a settlement: both sides get back what they locked."""
    order = found["order"]
    await _credit(book, order["issuer"], found["escrow"])
    await _credit(book, order["provider"], found["collateral"])
    if found["state"] == ACCEPTED:
        await book.stub.del_state(_live(book, order))
    await put(book, {**found, "state": state})


def _live(book: Book, order: Document) -> str:
    return keys.live(book.stub, format_day(order["start"] // DAY), order["id"])


async def ahead(stub: Stub, clock: int, day: str, after: str) -> list[list[Any]]:
    """Accepted orders [day, id, {districts, notice, product}] by the day they begin on, a page
    behind an order, or from the day before today on."""
    behind = [day, after] if day else [format_day(clock // DAY - 1)]
    found: list[list[Any]] = []
    async for row in stub.partial_composite("flex-live", [], after=behind):
        found.append([*stub.split_composite_key(row.key)[1], restore(row.value)])
        if len(found) == PAGE:
            break
    return found


def is_frozen(found: Document) -> bool:
    """Whether some district has begun to choose who is asked."""
    return any(one["phase"] != OPEN for one in found["districts"].values())


def has_lapsed(found: Document, clock: int) -> bool:
    """Whether an order can no longer come to its end: not accepted, not dispatched everywhere in
    time, or not settled long after."""
    order = found["order"]
    if found["state"] == ISSUED:
        return clock > int(order["start"]) - int(order["notice_s"])
    late = any(one["phase"] in (OPEN, FREEZING, FROZEN) for one in found["districts"].values())
    return (late and clock >= order["start"]) or clock >= rules.end(order) + limits.LAPSE


def phase(found: Document, district: str, *expected: str) -> Document:
    """A district of an order. Refuses `unknown-district`, `wrong-state`."""
    part: Document | None = found["districts"].get(district)
    if part is None:
        raise Refusal("unknown-district")
    if part["phase"] not in expected:
        raise Refusal("wrong-state", part["phase"])
    return part


async def kept(
    book: Book, order: str, districts: Sequence[str], kind: str = "flex"
) -> list[Document]:
    """What the book keeps of districts' steps. Refuses `private-data-missing`: a peer that lacks
    one must not settle as if it were nothing."""
    held = await book.load_many([(kind, order, name) for name in districts])
    found = [one for one in held if one is not None]
    if len(found) != len(districts):
        raise Refusal("private-data-missing")
    return found


async def put(book: Book, found: Document) -> None:
    """Write an order as it stands."""
    await save(book.stub, keys.order(book.stub, found["order"]["id"]), found)


async def put_part(book: Book, found: Document, district: str, part: Mapping[str, Any]) -> None:
    """Write an order with a district's new phase."""
    await put(book, {**found, "districts": {**found["districts"], district: dict(part)}})


async def finish(book: Book, found: Document) -> None:
    """Settle an order from the subtotals of its districts: all that was locked is released, users'
    pools apart, which each district divides. Refuses `not-measured`."""
    order = found["order"]
    if any(one["phase"] != MEASURED for one in found["districts"].values()):
        raise Refusal("not-measured")
    names = sorted(found["districts"])
    sums = [one["sums"] for one in await kept(book, order["id"], names)]
    contributed = {name: found["districts"][name]["contributed"] for name in names}
    made = judged(found, sums, contributed)
    available = await _availability(book, order, made)
    whole = sum(contributed.values())
    freed = release(terms(found), made.result, available, made.unclaimed, whole)
    await _pay(book, found, freed)
    told = {
        **made.told,
        "availability": available,
        "supplier": freed.supplier,
        "users": freed.users,
        "pools": made.pools,
    }
    outcomes = [list(one) for one in made.result.outcomes]
    await book.save(("flex-outcome", order["id"]), {"outcomes": outcomes})
    await book.stub.del_state(_live(book, order))
    await put(book, {**found, "state": SETTLED, "result": told})


class Judged(NamedTuple):
    """What of an order's Wh was delivered, its users' pool by district, and what of it nobody
    contributed to."""

    ordered: int
    result: delivery.Result
    pools: dict[str, int]
    unclaimed: int

    @property
    def told(self) -> Document:
        """What is public of it."""
        return {
            "delivered_wh": sum(one.delivered for one in self.result.outcomes),
            "deficiency_wh": sum(one.deficiency for one in self.result.outcomes),
            "pay": self.result.pay,
            "penalty": self.result.penalty,
        }


def judged(
    found: Document, sums: Sequence[Sequence[Sequence[int]]], contributed: Mapping[str, int]
) -> Judged:
    """An order by its districts' sums [[baseline, measured]] and contributions, Wh. A reduced one
    asks for what its portfolios were asked."""
    order, priced = found["order"], terms(found)
    if found["reduced"]:
        rest = sum(part["ordered"] for part in found["districts"].values())
        priced = replace(priced, ordered=[rest] * len(priced.ordered))
    intervals = [
        Interval(sum(b for b, _ in row), sum(f for _, f in row), ordered)
        for row, ordered in zip(zip(*sums, strict=True), priced.ordered, strict=True)
    ]
    result = delivery.settle(
        priced.direction, intervals, order["price"], order["penalty"], priced.worth
    )
    pools, unclaimed = split(priced.pool(result, sum(contributed.values())), contributed)
    return Judged(sum(priced.ordered), result, pools, unclaimed)


def terms(found: Document) -> Terms:
    """An order's prices, as it was accepted; availability at its most."""
    order = found["order"]
    ordered = [rules.energy(order)] * int(order["count"])
    seconds = int(order["count"]) * int(order["grain"])
    most = remuneration.availability(order["availability"], order["power_w"], seconds, PPM)
    return Terms(
        Direction(order["direction"]),
        ordered,
        order["price"],
        order["toe_price"],
        most,
        guaranteed=found["guaranteed"],
        firm=rules.is_firm(order),
    )


def reduce(found: Document, clock: int) -> Document:
    """The order, asking for no more than what is asked of who acknowledged when it begins. Refuses
    `too-late`, `wrong-state` until all were asked and once it is reduced (rules D3)."""
    if clock >= found["order"]["start"]:
        raise Refusal("too-late")
    if found["reduced"] or any(one["phase"] != DISPATCHED for one in found["districts"].values()):
        raise Refusal("wrong-state")
    return {**found, "reduced": True}


async def _availability(book: Book, order: Document, made: Judged) -> int:
    """Pay for standing ready, by what the provider's last orders brought (rules D11)."""
    name = ("flex-history", order["provider"])
    held = await book.load(*name)
    history = [] if held is None else held["rows"]
    believed = remuneration.reliability([row[0] for row in history], [row[1] for row in history])
    brought = [made.ordered, sum(one.delivered for one in made.result.outcomes)]
    await book.save(name, {"rows": [*history, brought][-HISTORY:]})
    seconds = int(order["count"]) * int(order["grain"])
    return remuneration.availability(order["availability"], order["power_w"], seconds, believed)


async def _pay(book: Book, found: Document, freed: Release) -> None:
    """Credit provider, issuer and supplier. Together with the users' pool that is all."""
    order = found["order"]
    assert freed.total == found["escrow"] + found["collateral"]
    await _credit(book, order["provider"], freed.provider + freed.collateral)
    await _credit(book, order["issuer"], freed.operator)
    await _credit(book, order["supplier"], freed.supplier)


async def credit_users(book: Book, parts: list[Any]) -> None:
    """Credit users' parts [[account, µcur]]."""
    for account, amount in parts:
        await _credit(book, account, amount)


async def _credit(book: Book, account: str | None, amount: int) -> None:
    if account is not None and amount:
        await rows.give(book, account, MONEY, amount)
