# SPDX-License-Identifier: Apache-2.0
"""IssueDay: one certificate per generation point and UTC hour, from the intervals of run F.

Days are issued in order, cell after cell in steps; the public state `origin-issuing` says how far.
What a site's day gave is kept as issue/1, the sums behind the published totals in the vault:

    issue/1 {schema, salt, site, day, rows: [[point, hour, grid Wh, own Wh, account | null]],
             charged: [[hour, charged Wh, certified Wh]] | null, followed?}     (`following`)
"""

from typing import Any, NamedTuple

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load, save
from pedchain_chaincode.metering import adoption, days, keys
from pedchain_chaincode.metering.folding import DONE, MORE
from pedchain_chaincode.origin import keys as own
from pedchain_chaincode.origin import totals
from pedchain_chaincode.origin.accounts import holder_at
from pedchain_chaincode.origin.book import Book
from pedchain_chaincode.origin.ground import RUN, intervals, row_of
from pedchain_domain import calendar, origin, origincert, originstorage
from pedchain_domain import roster as rosters
from pedchain_domain.calendar import Day
from pedchain_fabric.shim import Refusal


class Rules(NamedTuple):
    """What all sites of the day are issued by."""

    day: Day
    district: Document


def check(state: Document, closing: Document, day: str) -> bool:
    """Whether the day is issued already. Refuses a day that run F has not closed, or that is not
    the next one."""
    if "last" in state and state["first"] <= day <= state["last"]:
        return True
    if not days.is_closed(closing, day, RUN):
        raise Refusal("run-missing")
    if "last" in state and day != calendar.shifted(state["last"], 1):
        raise Refusal("previous-day-open")
    if state.get("day", day) != day:
        raise Refusal("previous-day-open")
    return False


async def issue_day(book: Book, state: Document, day: str) -> bytes:
    """One step; `done` once every cell's certificates are issued and the totals stand."""
    ctx = book.ctx
    rules = Rules(await row_of(ctx, day), await adoption.in_force(ctx, day))
    sums = await book.vault.load("origin", day) if state.get("cell") else None
    sums = sums or totals.empty()
    layout = await load(ctx.stub, keys.layout(ctx.stub))
    count = len(layout["cells"]) if layout else 0
    cell, budget = int(state.get("cell", 0)), limits.ISSUE_CERTIFICATES
    ctx.stub.start_write_batch()
    while cell < count and budget > 0:
        budget -= await _cell(book, cell, rules, sums)
        cell += 1
    if cell < count:
        sums["salt"] = book.fresh("origin", day)
        await book.vault.save(("origin", day), sums)
        await save(ctx.stub, own.issuing(ctx.stub), {**state, "day": day, "cell": cell})
        return MORE
    await save(ctx.stub, own.issued(ctx.stub, day), totals.published(day, sums, rules.district))
    reached = {"first": state.get("first", day), "last": day}
    await save(ctx.stub, own.issuing(ctx.stub), reached)
    return DONE


async def _cell(book: Book, cell: int, rules: Rules, sums: Document) -> int:
    """Issue for the sites of a cell; what it cost, in documents."""
    roster = await load(book.ctx.stub, keys.roster(book.ctx.stub, cell))
    assert roster is not None
    roster = rosters.on(roster, rules.day["day"])
    held = await intervals(book.vault, cell, rules.day["day"])
    sites = [s for s in sorted(roster["sites"]) if _generates(roster["sites"][s])]
    wanted: list[Any] = [("holders", site) for site in sites]
    holders = await book.vault.load_many(wanted)
    cost = 1
    for site, held_by in zip(sites, holders, strict=True):
        points = origin.points_of(site, roster, held)
        about = roster["sites"][site]
        cost += await _site(book, about, points, held_by or {"rows": []}, rules, sums)
    return cost


def _generates(site: Document) -> bool:
    return site["plan"] in origin.GENERATING_PLANS


async def _site(
    book: Book,
    site: Document,
    points: list[origin.Point],
    holders: Document,
    rules: Rules,
    sums: Document,
) -> int:
    day, grain = rules.day, rules.district["grain"]
    found = origin.made(site["plan"], points, day, grain)
    salt = book.fresh("issue", site["id"], day["day"])
    rows: list[list[Any]] = []
    cost = 1
    for made in found:
        holder = holder_at(holders, made.hour)
        rows.append([*made, holder[0] if holder else None])
        if holder is not None and made.grid:
            what = {"zone": site["zone"], "hour": made.hour, "wh": made.grid}
            await book.put(_certificate(salt, made, holder, what))
            cost += 1
    charged = None
    if site["plan"] in origin.STORING_PLANS:
        charged = origin.charges(
            points, [m for m in found if holder_at(holders, m.hour)], day, grain
        )
        await _charge(book, site["id"], day["day"], charged)
        cost += 1
    totals.add(sums, rows)
    issue = {"schema": "issue/1", "salt": salt, "site": site["id"], "day": day["day"]}
    shown = None if charged is None else [list(each) for each in charged]
    await book.vault.save(
        ("issue", site["id"], day["day"]), {**issue, "rows": rows, "charged": shown}
    )
    return cost


def _certificate(
    salt: str, made: origin.Made, holder: tuple[str, bool], what: Document
) -> Document:
    issue = origin.issue_of(salt, made.point, made.hour)
    own_salt = origincert.first_salt(issue)
    return origincert.new(
        own_salt, issue, holder[0], holder[1], source=origincert.GENERATION, **what
    )


async def _charge(book: Book, site: str, day: str, rows: list[origin.Charge] | None) -> None:
    before = await book.vault.load("storage", site) or originstorage.empty()
    after = originstorage.charged(before, day, rows)
    kept = {**after, "site": site, "salt": book.fresh("storage", site)}
    await book.vault.save(("storage", site), kept)
