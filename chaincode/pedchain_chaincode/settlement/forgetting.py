# SPDX-License-Identifier: Apache-2.0
"""Private documents of sessions and shared hours at the end of their retention (rules Y).

What stays is public: the session with its states and what was printed of it; and each account's own
balance. Nothing that somebody has still to take is purged.
"""

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import clearing, limits, outcome, sessions
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.market.tokenid import HOUR
from pedchain_fabric.shim import Refusal


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
