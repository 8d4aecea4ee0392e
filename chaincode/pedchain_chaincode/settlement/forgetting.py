# SPDX-License-Identifier: Apache-2.0
"""Private documents at the end of their retention (rules Y): of sessions, of shared hours, what
registers measured, and debits as they were signed, a period of them after the other.

What stays is public: the session with its states and what was printed of it; and each account's own
balance and counter. Nothing that somebody has still to take is purged.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.settlement import clearing, keys, limits, outcome, sessions
from pedchain_chaincode.settlement.book import Book
from pedchain_domain import canonical, fields
from pedchain_domain.market.tokenid import HOUR
from pedchain_fabric.shim import Refusal, Stub

HOURLY = ("metered", "final", "side")


class Place(NamedTuple):
    """The name of a document about an hour."""

    kind: str
    whose: str
    what: str
    hour: int


async def purge(book: Book, session: Document, clock: int) -> Document:
    """Purge; the session afterwards. Refuses `wrong-state` before it is over and while something
    of it was not taken, `too-early` within the retention."""
    name = session["id"]
    if session["state"] not in sessions.OVER or session["purged"]:
        raise Refusal("wrong-state", session["state"])
    if clock < session["times"]["ends"] + limits.RETENTION:
        raise Refusal("too-early")
    for side in clearing.SIDES:
        if await book.ids(side, name, 1):
            raise Refusal("wrong-state", "take")
    kinds = (outcome.CLEARED, outcome.DUE, "weighed")
    shards = [(kind, name, shard) for kind in kinds for shard in range(session["shards"])]
    chunks = [("chunk", name, number) for number in range(session["chunks"])]
    for document in [*shards, *chunks, ("trades", name), ("settled", name)]:
        await book.purge(document)
    return {**session, "shards": 0, "chunks": 0, "purged": True}


async def hour(book: Book, terms: Document, shared: Document, clock: int) -> None:
    """Purge a shared hour: what each member had of it, its position, and what its registers
    measured. Refuses `too-early` within the retention."""
    at = shared["hour"]
    over(at, clock)
    names: list[tuple[str | int, ...]] = [
        ("shared", terms["id"], at),
        ("correction", terms["id"], at),
    ]
    for member in sorted(shared["factors"]):
        names.append(("position", member, terms["carrier"], at))
        account = await book.load("account", member)
        if account is not None:
            names += _measured(account, terms["carrier"], at)
    for name in dict.fromkeys(names):
        await book.purge(name)


def over(at: int, clock: int) -> None:
    """Refuse `too-early` for an hour, UTC s, within its retention."""
    if clock < at + HOUR + limits.RETENTION:
        raise Refusal("too-early")


def _measured(account: Document, carrier: str, at: int) -> list[tuple[str | int, ...]]:
    place = account["places"].get(carrier) or {}
    points = [place[way]["point"] for way in ("feeds", "draws") if place.get(way)]
    where = [(account["district"], point, at) for point in points]
    return [(kind, *place) for place in where for kind in ("metered", "final")]


def places_of(data: bytes) -> list[Place]:
    """Hours to be forgotten: [metered | final, district, point, hour] of what registers measured,
    [side, owner, carrier, hour] of which side owners stood on."""
    with refusals():
        found = canonical.decode(data)
    if not isinstance(found, list) or len(found) > limits.PAGE or not all(map(_is_place, found)):
        raise Refusal("malformed-document", "places")
    rows: list[Any] = found
    return [Place(*row) for row in rows]


def _is_place(one: object) -> bool:
    if not isinstance(one, list) or len(one) != 4 or one[0] not in HOURLY:
        return False
    return fields.identifier(one[1]) and fields.identifier(one[2]) and fields.count(one[3])


async def measured(book: Book, places: Sequence[Place], clock: int) -> None:
    """Purge hours; `too-early` for one within its retention."""
    for place in places:
        over(place.hour, clock)
        await book.purge(place)


def next_period(document: Document, clock: int) -> Document:
    """The setup with another period of debits begun. Refuses `too-early` soon after the last."""
    begun: list[int] = list(document.get("periods", []))
    if begun and clock < begun[-1] + limits.PERIOD:
        raise Refusal("too-early")
    return {**document, "periods": [*begun, clock]}


async def debits(book: Book, period: int, transactions: Sequence[str], clock: int) -> None:
    """Purge debits of a period that ended before the retention. Refuses `too-early`."""
    ends = book.setup.periods
    if not 0 <= period < len(ends) or clock < ends[period] + limits.RETENTION:
        raise Refusal("too-early")
    for transaction in transactions:
        await book.stub.purge_private(keys.COLLECTION, keys.debit(book.stub, period, transaction))


async def debits_kept(stub: Stub, period: int, after: str) -> list[str]:
    """Transactions whose debits are kept of a period, behind `after`."""
    found: list[str] = []
    async with stub.private_partial_composite(keys.COLLECTION, "debit", [str(period)]) as results:
        async for item in results:
            name = stub.split_composite_key(item.key)[1][1]
            if name > after:
                found.append(name)
            if len(found) == limits.PAGE:
                break
    return found
