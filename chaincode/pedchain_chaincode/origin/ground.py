# SPDX-License-Identifier: Apache-2.0
"""What a site's day was, as run F closed it: its points' intervals, and the day's rules."""

from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, load, refusals
from pedchain_chaincode.metering import adoption, days, keys
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import calendar, origin
from pedchain_domain import roster as rosters
from pedchain_domain.calendar import Day
from pedchain_fabric.shim import Context, Refusal

RUN = "F"


class SiteDay(NamedTuple):
    """A site's document, its points with their intervals, the day, and the grain in seconds."""

    site: Document
    points: list[origin.Point]
    day: Day
    grain: int


async def day_of(ctx: Context, hour: int) -> Day:
    """The market day an hour lies in. Refuses `unknown-day`."""
    rows: list[Any] = await adoption.calendar_rows(ctx, await adoption.newest(ctx))
    row = calendar.day_at(rows, hour)
    if row is None:
        raise Refusal("unknown-day")
    return row


async def row_of(ctx: Context, day: str) -> Day:
    """The calendar's row of a day. Refuses `unknown-day`."""
    rows: list[Any] = await adoption.calendar_rows(ctx, await adoption.newest(ctx))
    with refusals():
        return calendar.find(rows, day)


async def site_day(
    ctx: Context, vault: Vault, closing: Document, holder: Document, day: Day
) -> SiteDay:
    """The account's site on a day closed by run F. Refuses `run-missing`.

    Of the registry only the cell's roster is read, so that a block tells a dozen sites, not one.
    """
    if not days.is_closed(closing, day["day"], RUN):
        raise Refusal("run-missing")
    site, cell = holder["site"], holder["cell"]
    roster = await load(ctx.stub, keys.roster(ctx.stub, cell))
    held = await intervals(vault, cell, day["day"])
    assert roster is not None
    roster = rosters.on(roster, day["day"])
    district = await adoption.in_force(ctx, day["day"])
    points = origin.points_of(site, roster, held)
    return SiteDay(roster["sites"][site], points, day, district["grain"])


async def intervals(vault: Vault, cell: int, day: str) -> Document:
    """A cell's intervals as run F left them: a later run that changed them moved F's aside."""
    newest, aside = await vault.load_many([("intervals", cell, day), ("intervals", cell, day, RUN)])
    found = aside or newest
    if found is None:
        raise Refusal("private-data-missing")
    return found
