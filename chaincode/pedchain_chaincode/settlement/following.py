# SPDX-License-Identifier: Apache-2.0
"""What settlement tells a district of energy whose origin goes with it (rules P2).

A settled session and a shared hour are a pool each, `market:<zone>` and `sharing:<community>`. Of
an account's hour each pool counts with

    [pool, Wh, whole]     the account's, and what all sellers of the district gave into it

by run F: a correction moves no certificates. In place of its rows an hour of which more can still
be sold has `market-open`, of which more can be shared `too-early`.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_chaincode.documents import Document, load_many
from pedchain_chaincode.settlement import community, keys, limits, outcome, sessions
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.clock import now
from pedchain_domain.market.following import ENERGY_ONLY
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_fabric.shim import Refusal

CARRIER = Carrier.ELECTRICITY  # heat has no certificates
OPEN, EARLY = "market-open", "too-early"
FEEDS, DRAWS = "feeds", "draws"
Rows = list[list[Any]]
Told = Rows | str


async def of_registers(
    book: Book, district: str, way: str, hours: Sequence[int], registers: Sequence[Any]
) -> dict[str, list[Told]]:
    """By `point role`, hour after hour, what counts of registers [[point, role]] that feed, or
    draw, for an account; others are left out."""
    names = [("register", district, point, role) for point, role in registers]
    found = {}
    for (point, role), one in zip(registers, await book.load_many(names), strict=True):
        account = None if one is None else await book.load("account", one["account"])
        place = None if account is None else account["places"].get(str(CARRIER))
        if account is not None and place and place[way] == {"point": point, "role": role}:
            found[f"{point} {role}"] = await of_account(book, account, way, hours)
    return found


async def of_account(book: Book, account: Document, way: str, hours: Sequence[int]) -> list[Told]:
    """What counts of an account's hours, one way. Refuses `too-late` for what may be purged."""
    zone, clock = account["places"][str(CARRIER)]["zone"], await now(book.ctx, book.setup)
    if any(clock >= hour + HOUR + limits.RETENTION for hour in hours):
        raise Refusal("too-late")
    names = [keys.session(book.stub, session_id(CARRIER, zone, hour)) for hour in hours]
    market = await load_many(book.stub, names)
    sold = await outcome.followed(book, account, way == FEEDS, market)
    shared = await _shared(book, account, way, hours)
    member = await community.member_of(book, account["id"], str(CARRIER))
    found: list[Told] = []
    for hour, session, traded, of in zip(hours, market, sold, shared, strict=True):
        if session is not None and session["state"] not in sessions.OVER:
            found.append(OPEN)
            continue
        later = of is None and member is not None and community.shares(member, hour)
        if clock < hour + HOUR or later:
            found.append(EARLY)
            continue
        rows = [[f"market:{zone}", *traded]] if traded is not None else []
        found.append([row for row in [*rows, *(of or [])] if row[1]])
    return found


async def _shared(
    book: Book, account: Document, way: str, hours: Sequence[int]
) -> list[Rows | None]:
    """What sharing counts with, hour after hour; None for an hour that was not shared."""
    name = str(account["id"])
    wanted = [("position", name, str(CARRIER), hour) for hour in hours]
    where = [one and one.get("community") for one in await book.load_many(wanted)]
    names = [("shared", str(of), at) for of, at in zip(where, hours, strict=True) if of]
    held = iter(await book.load_many(names))
    terms = {of: await community.terms_of(book, of) for of in dict.fromkeys(filter(None, where))}
    found: list[Rows | None] = []
    for of in where:
        shared = next(held) if of else None
        if shared is None:
            found.append(None)
            continue
        mine = shared["members"][account["id"]][way == FEEDS]  # [received, given, ...]
        whole = sum(row[1] for row in shared["members"].values())
        follows = terms[of].get("origin") != ENERGY_ONLY
        found.append([[f"sharing:{of}", mine, whole]] if follows else [])
    return found
