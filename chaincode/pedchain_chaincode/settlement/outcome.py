# SPDX-License-Identifier: Apache-2.0
"""A session's outcome by account, in a few documents for all of them.

    cleared  {rows: {account: {side, about, orders: {order: [Wh, deposit kept]}}}}
    due      {rows: {account: {money, energy: [[producer number, Wh]], sold, bought, energy_only?}},
              origin: {district: Wh}}
             where the producer is of another zone, its number follows; `energy_only` is what of
             `sold` or `bought` goes without its origin, `origin` what all sold with theirs

Which document an account stands in follows from its name; how many there are the session says.
"""

import zlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.settlement import keys
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.market.session import State, session_id
from pedchain_domain.market.tokenid import Carrier, Product
from pedchain_fabric.shim import Refusal

CLEARED, DUE = "cleared", "due"
_BEFORE = (str(State.OPEN), str(State.CLOSED))


async def write(
    book: Book,
    kind: str,
    session: str,
    rows: Mapping[str, Any],
    shards: int,
    some: range | None = None,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write rows by account, in as many documents, `more` in each; or those of `some`
    documents."""
    found: dict[int, Document] = {shard: {} for shard in (range(shards) if some is None else some)}
    for account in sorted(rows):
        found[shard_of(account, shards)][account] = rows[account]
    for shard, part in found.items():
        await book.save((kind, session, shard), {"rows": part, **more})


async def whole(book: Book, kind: str, session: Document) -> Document:
    """Rows of all accounts. Refuses `not-found` once they were purged."""
    if session["purged"]:
        raise Refusal("not-found", "purged")
    names = [(kind, session["id"], shard) for shard in range(session["shards"])]
    found: Document = {}
    for part in await book.load_many(names):
        found.update(part["rows"] if part is not None else {})
    return found


async def of(book: Book, account: str, session: Document) -> Document:
    """What came of one account: {cleared: row | null, due: row | null}. Refuses `not-found` once
    it was purged."""
    if session["purged"]:
        raise Refusal("not-found", "purged")
    if not session["shards"] or session["state"] == State.VOID:
        return {CLEARED: None, DUE: None}
    shard = shard_of(account, session["shards"])
    parts = await book.load_many([(kind, session["id"], shard) for kind in (CLEARED, DUE)])
    rows = [part["rows"].get(account) if part is not None else None for part in parts]
    return {CLEARED: rows[0], DUE: rows[1]}


async def dues(book: Book, session: Document, accounts: Sequence[str]) -> dict[str, Document]:
    """What some accounts are due, by account. Refuses `not-found` once that was purged."""
    if session["purged"]:
        raise Refusal("not-found", "purged")
    if not session["shards"]:
        return {}
    where = sorted(dict.fromkeys(shard_of(one, session["shards"]) for one in accounts))
    found: Document = {}
    for part in await book.load_many([(DUE, session["id"], shard) for shard in where]):
        found.update(part["rows"] if part is not None else {})
    return {account: found[account] for account in accounts if account in found}


async def followed(
    book: Book, account: Document, feeds: bool, held: Sequence[Document | None]
) -> list[tuple[int, int] | None]:
    """Wh that an account sold, or bought, in sessions together with their origin, and what all
    sellers of its district did; None for a session that is not settled, or was purged."""
    settled = {
        one["id"]: (DUE, one["id"], shard_of(account["id"], one["shards"]))
        for one in held
        if one is not None and one["state"] == State.SETTLED and one["shards"]
    }
    parts = dict(zip(settled, await book.load_many(list(settled.values())), strict=True))
    found: list[tuple[int, int] | None] = []
    for session in held:
        part = None if session is None else parts.get(session["id"])
        row = None if part is None else part["rows"].get(account["id"])
        if part is None or row is None:
            found.append(None)
            continue
        wh = row["sold"] if feeds else row["bought"]
        whole = part.get("origin", {}).get(account["district"], 0)
        found.append((wh - row.get("energy_only", 0) if wh and whole else 0, whole))
    return found


async def traded(book: Book, account: Document, carrier: str, hour: int) -> tuple[int, int]:
    """Wh an account has settled as sold and bought in an hour (rules P1)."""
    place = account["places"].get(carrier)
    if place is None:
        return 0, 0
    name = session_id(Carrier(carrier), place["zone"], hour)
    session = await load(book.stub, keys.session(book.stub, name))
    due = None if session is None else (await of(book, account["id"], session))[DUE]
    return (0, 0) if due is None else (due["sold"], due["bought"])


async def supply(book: Book, promise: Product) -> int | None:
    """What stands of a producer's promise, Wh, once its session is cleared; None before, while it
    is what its orders minted, and for quarters, which no session trades."""
    if promise.quarter is not None:
        return None
    name = session_id(promise.carrier, promise.zone, promise.start)
    session = await load(book.stub, keys.session(book.stub, name))
    if session is None or session["state"] in _BEFORE:
        return None
    if session["state"] == State.VOID:
        return 0
    kept = 0
    for account, row in (await whole(book, CLEARED, session)).items():
        if row["side"] == "ask" and row["about"][0] == promise.producer:
            if session["state"] == State.SETTLED:
                due = (await of(book, account, session))[DUE]
                kept += due["sold"] if due is not None else 0
            else:
                kept += sum(wh for wh, _ in row["orders"].values())
    return kept


def shard_of(account: str, shards: int) -> int:
    """The document of so many that an account stands in."""
    return zlib.crc32(account.encode()) % shards
