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
it was settled, and a member of whom the market took more than run FINAL knows stays as shared. Who
let certificates of origin of the hour leave gives no more than it has given until then (`leaving`).
"""

from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.settlement import leaving, limits, metered, outcome
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.community import MEMBER, digest, keys_of, shares
from pedchain_domain.market import sharing
from pedchain_domain.market.position import Position
from pedchain_domain.market.tokenid import HOUR
from pedchain_fabric.shim import Refusal


class Member(NamedTuple):
    """A member's hour: Wh by interval that take part, and its position without sharing."""

    account: str
    factor_ppm: int
    fed_in: list[int]
    drawn: list[int]
    position: Position


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
    factors = {
        one["account"]: one["factor_ppm"]
        for one, position in zip(held, shared, strict=True)
        if position is None
    }
    return await _members(book, terms, hour, factors, final=False)


async def same_members(book: Book, terms: Document, shared: Document) -> list[Member]:
    """The members of an hour that was shared, by what run FINAL knows of them."""
    return await _members(book, terms, shared["hour"], shared["factors"], final=True)


async def _members(
    book: Book, terms: Document, hour: int, factors: Document, *, final: bool
) -> list[Member]:
    carrier, names = terms["carrier"], sorted(factors)
    accounts = await book.load_many([("account", name) for name in names])
    held = [account for account in accounts if account is not None]
    if len(held) < len(names):
        raise Refusal("unknown-account")
    bound = dict.fromkeys(await leaving.left(book, carrier, held, hour), 0)
    positions = [("position", name, carrier, hour) for name in bound]
    for name, position in zip(bound, await book.load_many(positions), strict=True):
        bound[name] = 0 if position is None else position["shared_out"]
    return [
        await _member(book, account, carrier, hour, factors[account["id"]], bound, final=final)
        for account in held
    ]


async def _member(
    book: Book,
    account: Document,
    carrier: str,
    hour: int,
    factor: int,
    bound: dict[str, int],
    *,
    final: bool,
) -> Member:
    """A member's hour; what it gives is `bound` where certificates of it left."""
    name = account["id"]
    sold, bought = await outcome.traded(book, account, carrier, hour)
    anew = final and name not in bound
    fed_in, fed_left = await _left(book, account, carrier, "feeds", hour, sold, final=anew)
    drawn, drawn_left = await _left(book, account, carrier, "draws", hour, bought, final=final)
    with refusals():
        position = Position(fed_in, drawn, sold=sold, bought=bought)
    given = [sharing.participating(wh, factor) for wh in fed_left]
    if name in bound:
        given = sharing.left_over(given, max(0, sum(given) - bound[name]))
    used = [sharing.participating(wh, factor) for wh in drawn_left]
    return Member(name, factor, given, used, position)


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
