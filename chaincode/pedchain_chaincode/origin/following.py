# SPDX-License-Identifier: Apache-2.0
"""Certificates of origin that go with the energy (rules P2): what a site sold or shared with its
origin ends in the name of that session's or community's buyers, and the rest is the owner's.

Settlement is asked, by run F, once an hour can be sold and shared no more. `FollowDay` does it for
a cell's day, due and by anyone; what was done stands in the issue and in the certificates:

    issue/1  followed  {hour: {pool: Wh}}     of the hours done; nothing went with an empty one
    gc/1     followed  {pool: Wh}             its `wh` is the rest; without rest it has ended
    pools/1  {day, hours: {hour: {pool: Wh}}}     all cells

Until then a certificate cannot be moved, unless nothing of its hour was given. A claim leaves room
for all that came with its origin, whether certificates stood behind it or not. Certificates of a
storage are made by their owner, later, and do not follow. Where no definition `settlement` is,
nothing is sold or shared.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.calling import answer_if_defined
from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.folding import DONE, MORE
from pedchain_chaincode.origin import keys as own
from pedchain_chaincode.origin.book import Book
from pedchain_chaincode.origin.ground import SiteDay, intervals, row_of
from pedchain_domain import canonical, origin, origincert
from pedchain_domain import roster as rosters
from pedchain_domain.market.following import along
from pedchain_fabric.shim import Refusal

SETTLEMENT = "settlement"
WAITS = b"waits"
FEEDS, DRAWS = "feeds", "draws"
Rows = list[list[Any]]
Given = dict[int, Rows | str]
"""By hour the rows [pool, Wh, whole], or why more can still be given."""


async def follow_day(book: Book, state: Document, day: str, cell: int) -> bytes:
    """A step for a cell's day: `more`, `done`, or `waits` where hours of it can still be given.
    Refuses `previous-day-open` for a day that is not issued."""
    if not state.get("first", "~") <= day <= state.get("last", ""):
        raise Refusal("previous-day-open")
    roster = await load(book.ctx.stub, keys.roster(book.ctx.stub, cell))
    if roster is None:
        raise Refusal("not-found", "cell")
    roster = rosters.on(roster, (await row_of(book.ctx, day))["day"])
    sites = sorted(roster["sites"])
    issues = await book.vault.load_many([("issue", site, day) for site in sites])
    held = await intervals(book.vault, cell, day)
    pools = await book.vault.load("pools", day) or {"hours": {}}
    budget, later = limits.ISSUE_CERTIFICATES, False
    book.ctx.stub.start_write_batch()
    for site, issue in zip(sites, issues, strict=True):
        open_ = {} if issue is None else _untouched(issue)
        if issue is None or not open_:
            continue
        if budget <= 0:
            await _keep(book, day, pools)
            return MORE
        given = await _given(book, FEEDS, origin.points_of(site, roster, held), sorted(open_))
        over = {hour: rows for hour, rows in given.items() if not isinstance(rows, str)}
        later = later or len(over) < len(open_)
        if over:
            budget -= await _site(book, issue, over, pools)
    await _keep(book, day, pools)
    if later:
        return WAITS
    await book.ctx.stub.put_state(own.followed(book.ctx.stub, day, cell), canonical.encode({}))
    return DONE


def waits(certificate: Document) -> bool:
    """Whether a certificate is as it was issued, so that it may have to go with the energy."""
    first = certificate["source"] == origincert.GENERATION and "parent" not in certificate
    return first and "followed" not in certificate


async def movable(book: Book, found: SiteDay, hour: int) -> None:
    """Refuse `market-open`, `too-early` for a certificate whose hour can still be given,
    `not-followed` for one of which something was and that has not gone with it yet."""
    given = (await _given(book, FEEDS, found.points, [hour]))[hour]
    if isinstance(given, str):
        raise Refusal(given)
    if given:
        raise Refusal("not-followed")


async def came(book: Book, found: SiteDay, hour: int) -> int:
    """Wh of a site's hour that came with their origin. Refuses `market-open`, `too-early` while
    more can."""
    taken = (await _given(book, DRAWS, found.points, [hour]))[hour]
    if isinstance(taken, str):
        raise Refusal(taken)
    return sum(wh for _, wh, _ in taken)


def _untouched(issue: Document) -> dict[int, list[str]]:
    """By hour not done yet, the points certificates were issued for."""
    found: dict[int, list[str]] = {}
    for point, hour, grid, _, account in issue["rows"]:
        if grid and account is not None and str(hour) not in issue.get("followed", {}):
            found.setdefault(hour, []).append(point)
    return found


async def _given(
    book: Book, way: str, points: Sequence[origin.Point], hours: Sequence[int]
) -> Given:
    """What settlement says of a site's registers, whichever of them an account sells or uses by,
    all of them together."""
    registers = [[point.id, role] for point in points for role in sorted(point.registers)]
    asked = [canonical.encode(list(hours)), canonical.encode(registers)]
    told: Any = await answer_if_defined(
        book.ctx, SETTLEMENT, "sharing:GetFollowing", book.fence.district, way, *asked
    )
    given: Given = {hour: [] for hour in hours}
    for point in sorted(told or {}):
        for hour, rows in zip(hours, told[point], strict=True):
            given[hour] = _both(given[hour], rows)
    return given


def _both(one: Rows | str, other: Rows | str) -> Rows | str:
    if isinstance(one, str):
        return one
    return other if isinstance(other, str) else [*one, *other]


async def _site(book: Book, issue: Document, over: Mapping[int, Rows], pools: Document) -> int:
    """Let a site's certificates of some hours go with what was given; how many there are."""
    names = [
        (str(hour), origincert.first_id(origin.issue_of(issue["salt"], point, hour)), account)
        for point, hour, grid, _, account in issue["rows"]
        if hour in over and grid and account is not None
    ]
    held = await book.read_many([(account, name) for _, name, account in names])
    kept = dict(issue.get("followed", {}))
    for hour, rows in over.items():
        mine = [
            one
            for (at, *_), one in zip(names, held, strict=True)
            if at == str(hour) and one is not None and "followed" not in one
        ]
        given: dict[str, int] = {}
        for pool, wh, _ in rows:
            given[pool] = given.get(pool, 0) + wh
        parts = along([one["wh"] for one in mine], given)
        for one, part in zip(mine, parts, strict=True):
            fresh = book.fresh("followed", one["id"])
            await book.put({**origincert.followed(one, part), "salt": fresh})
        kept[str(hour)] = _sum(parts)
        whole = pools["hours"].setdefault(str(hour), {})
        for pool, wh in kept[str(hour)].items():
            whole[pool] = whole.get(pool, 0) + wh
    await book.vault.save(("issue", issue["site"], issue["day"]), {**issue, "followed": kept})
    return len(names) + 1


def _sum(parts: Sequence[dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        for pool, wh in part.items():
            found[pool] = found.get(pool, 0) + wh
    return found


async def _keep(book: Book, day: str, pools: Document) -> None:
    hours = {hour: parts for hour, parts in pools["hours"].items() if parts}
    kept = {"schema": "pools/1", "salt": book.fresh("pools", day), "day": day, "hours": hours}
    await book.vault.save(("pools", day), kept)
