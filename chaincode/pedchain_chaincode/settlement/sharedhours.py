# SPDX-License-Identifier: Apache-2.0
"""The sharing of a community's hour, and an account's hours as they stand (rules S, P).

An hour is shared once its market is over, of what the market left (P1): each interval apart, from
registers that were shown and measured; what is not measured takes no part. Sharing is billing: it
moves no tokens, it writes what each member owes.

    shared/1      {schema, community, hour, terms, price, factors: {account: ppm}, members}
    correction/1  {schema, community, hour, members}     by run FINAL; it takes shared/1's place
    members       {account: [received, given Wh, pays, receives µcur]}
    position      {sold, bought, shared_in, shared_out, community}     of an account's hour

A correction divides the hour anew among the same members, of what the market left: that stays as
it was settled, and a member of whom the market took more than run FINAL knows stays as shared.
"""

from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, load, refusals
from pedchain_chaincode.settlement import keys, limits, metered, outcome
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.community import MEMBER, digest, keys_of, shares
from pedchain_domain.market import sharing
from pedchain_domain.market.position import Position
from pedchain_domain.market.session import State, session_id
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_fabric.shim import Refusal

_OVER = (str(State.SETTLED), str(State.VOID))


class Member(NamedTuple):
    """A member's hour: Wh by interval that take part, and its position without sharing."""

    account: str
    factor_ppm: int
    fed_in: list[int]
    drawn: list[int]
    position: Position


async def over(book: Book, terms: Document, hour: int) -> None:
    """Refuse `market-open` while the hour's session is neither settled nor void."""
    with refusals():
        name = session_id(Carrier(terms["carrier"]), terms["zone"], hour)
    session = await load(book.stub, keys.session(book.stub, name))
    if session is not None and session["state"] not in _OVER:
        raise Refusal("market-open")


async def members(book: Book, terms: Document, hour: int) -> list[Member]:
    """The hour of all who were members then, by account, without those that shared it elsewhere.
    Refuses `not-attached` where a register was not shown."""
    owner = book.tag("community", terms["id"])
    names = await book.ids(MEMBER, owner, limits.EVER_MEMBERS)
    held = [one for one in await book.held(MEMBER, owner, names) if shares(one, hour)]
    if len(held) > limits.MEMBERS or len(names) == limits.EVER_MEMBERS:
        raise Refusal("too-many", "members")
    shared = await book.load_many(
        [("position", one["account"], terms["carrier"], hour) for one in held]
    )
    return sorted(
        [
            await _member(book, terms, hour, one["account"], one["factor_ppm"], final=False)
            for one, position in zip(held, shared, strict=True)
            if position is None
        ]
    )


async def same_members(book: Book, terms: Document, shared: Document) -> list[Member]:
    """The members of an hour that was shared, by what run FINAL knows of them."""
    factors = shared["factors"]
    return [
        await _member(book, terms, shared["hour"], name, factors[name], final=True)
        for name in sorted(factors)
    ]


async def _member(
    book: Book, terms: Document, hour: int, name: str, factor: int, *, final: bool
) -> Member:
    carrier = terms["carrier"]
    account = await book.load("account", name)
    if account is None:
        raise Refusal("unknown-account")
    sold, bought = await outcome.traded(book, account, carrier, hour)
    fed_in, fed_left = await _left(book, account, carrier, "feeds", hour, sold, final=final)
    drawn, drawn_left = await _left(book, account, carrier, "draws", hour, bought, final=final)
    with refusals():
        position = Position(fed_in, drawn, sold=sold, bought=bought)
    return Member(
        name,
        factor,
        [sharing.participating(wh, factor) for wh in fed_left],
        [sharing.participating(wh, factor) for wh in drawn_left],
        position,
    )


async def _left(
    book: Book,
    account: Document,
    carrier: str,
    way: str,
    hour: int,
    taken: int,
    *,
    final: bool,
) -> tuple[int, list[int]]:
    """An hour's Wh, and by interval what the market left of it."""
    was_shown, energies = await metered.intervals(book, account, carrier, way, hour, final=final)
    if not was_shown:
        raise Refusal("not-attached")
    if final and taken > sum(energies or []):
        _, energies = await metered.intervals(book, account, carrier, way, hour)
    with refusals():
        return sum(energies or []), sharing.left_over(energies or [], taken)


def divide(terms: Document, found: list[Member]) -> dict[str, list[int]]:
    """Each member's hour: [received, given Wh, pays, receives µcur]; DomainError `counted-twice`
    where a position would not add up."""
    sums: dict[str, list[int]] = {member.account: [0, 0, 0, 0] for member in found}
    count = max((len(part) for one in found for part in (one.fed_in, one.drawn)), default=0)
    for at in range(count):
        shared = sharing.share(_at(found, 2, at), _at(found, 3, at), keys_of(terms))
        money = sharing.pay(shared, terms["price"])
        for name, row in sums.items():
            row[0] += shared.received.get(name, 0)
            row[1] += shared.given.get(name, 0)
            row[2] += money[name].pays if name in money else 0
            row[3] += money[name].receives if name in money else 0
    for member in found:
        received, given = sums[member.account][:2]
        member.position.shared(out=given, into=received)
    return sums


def _at(found: list[Member], field: int, at: int) -> dict[str, int]:
    rows: list[tuple[str, Any]] = [(member.account, member[field]) for member in found]
    return {name: parts[at] for name, parts in rows if at < len(parts)}


async def write(book: Book, terms: Document, hour: int, found: list[Member]) -> None:
    """Share the hour: the members' rows and their positions."""
    document = {
        "schema": "shared/1",
        "community": terms["id"],
        "hour": hour,
        "terms": digest(terms),
        "price": terms["price"],
        "factors": {member.account: member.factor_ppm for member in found},
        "members": await _positions(book, terms, hour, found),
    }
    await book.save(("shared", terms["id"], hour), document)


async def correct(book: Book, terms: Document, hour: int, found: list[Member]) -> None:
    """Put what run FINAL makes of a shared hour in its place."""
    members_ = await _positions(book, terms, hour, found)
    document = {"schema": "correction/1", "community": terms["id"], "hour": hour}
    await book.save(("correction", terms["id"], hour), {**document, "members": members_})


async def _positions(
    book: Book, terms: Document, hour: int, found: list[Member]
) -> dict[str, list[int]]:
    """The members' rows, their positions written."""
    with refusals():
        sums = divide(terms, found)
    for member in found:
        received, given = sums[member.account][:2]
        position = {
            "sold": member.position.sold,
            "bought": member.position.bought,
            "shared_in": received,
            "shared_out": given,
            "community": terms["id"],
        }
        await book.save(("position", member.account, terms["carrier"], hour), position)
    return sums


async def hours(book: Book, account: str, carrier: str, start: int) -> list[Document]:
    """A day of an account from `start`: by hour what its registers measured, its position, and
    what sharing made of it; hours of which nothing is known are left out."""
    holder = await book.load("account", account)
    if holder is None:
        raise Refusal("unknown-account")
    found = []
    at = range(start, start + limits.HOURS * HOUR, HOUR)
    measured = await metered.day(book, holder, carrier, at)
    positions = await book.load_many([("position", account, carrier, hour) for hour in at])
    for hour, (fed_in, drawn), written in zip(at, measured, positions, strict=True):
        position = written or await _traded(book, holder, carrier, hour)
        if position is None and fed_in is None and drawn is None:
            continue
        row: Document = {"hour": hour, "fed_in": fed_in, "drawn": drawn, "position": position}
        if position is not None and "community" in position:
            name = (position["community"], hour)
            names = [("shared", *name), ("correction", *name)]
            shared, corrected = await book.load_many(names)
            row["shared"] = None if shared is None else shared["members"][account]
            row["corrected"] = None if corrected is None else corrected["members"][account]
        found.append(row)
    return found


async def _traded(book: Book, holder: Document, carrier: str, hour: int) -> Document | None:
    """The position of an hour that was not shared; None where it was not traded either, or that
    was purged."""
    try:
        sold, bought = await outcome.traded(book, holder, carrier, hour)
    except Refusal:
        return None  # it was purged
    return {"sold": sold, "bought": bought} if sold or bought else None
