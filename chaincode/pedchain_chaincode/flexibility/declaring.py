# SPDX-License-Identifier: Apache-2.0
"""What a site declares ahead: its schedule of a day, its days of absence (rules D4).

    schedule  {days: {day: {values: [Wh], at, period}}}    by site and month
    absent    {sites: {site: [[first, last]]}}             by cell

Each is signed by the site's device and comes before the day it speaks of: a schedule made
afterwards would always come true, and an absence chosen afterwards would choose the days of a
baseline. A day's schedule is declared once.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.flexibility import consent, limits, signing
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.metering import adoption
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain import calendar
from pedchain_domain.calendar import Day
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim import Context, Refusal

Absences = dict[str, list[list[str]]]
Schedules = dict[str, Document]


async def declare(ctx: Context, fence: Fence) -> None:
    """Keep transient `declaration`, a paper schedule/1 or absence/1 of a site's device."""
    paper = signing.paper(ctx, "declaration")
    body, store = paper["document"], await Store.open(ctx)
    with refusals():
        papers.declaration(body)
    entry = await consent.site(ctx, body["site"])
    await signing.by_devices(ctx, fence, [paper])
    if body["schema"] == "schedule/1":
        await _schedule(ctx, store, fence, body)
    else:
        await _absence(ctx, store, entry["cell"], body)


async def _schedule(ctx: Context, store: Store, fence: Fence, body: Document) -> None:
    row = await _ahead(ctx, body["day"])
    if len(body["values"]) != (row["end"] - row["start"]) // fence.grain:
        raise Refusal("malformed-document", "values")
    name = ("schedule", body["site"], body["day"][:7])
    held = await store.load(*name) or {"days": {}}
    if body["day"] in held["days"]:
        raise Refusal("already-registered")
    told = {"values": body["values"], "at": ctx.stub.timestamp, "period": fence.period}
    await store.save(name, {"days": {**held["days"], body["day"]: told}})


async def _absence(ctx: Context, store: Store, cell: int, body: Document) -> None:
    first, last = await _ahead(ctx, body["first"]), await _ahead(ctx, body["last"])
    if last["start"] < first["start"]:
        raise Refusal("malformed-document", "last")
    sites = await absences(store, cell)
    fresh = [*sites.get(body["site"], []), [body["first"], body["last"]]]
    if len(fresh) > limits.ABSENCES:
        raise Refusal("too-many")
    await store.save(("absent", cell), {"sites": {**sites, body["site"]: fresh}})


async def _ahead(ctx: Context, day: str) -> Day:
    """A day that has not begun by the transaction's own time. Refuses `unknown-day`, `too-late`."""
    rows: list[Any] = await adoption.calendar_rows(ctx, await adoption.newest(ctx))
    with refusals():
        row = calendar.find(rows, day)
    if ctx.stub.timestamp >= row["start"]:
        raise Refusal("too-late")
    return row


async def absences(store: Store, cell: int) -> Absences:
    """A cell's declared absences by site: first and last days."""
    found = await store.load("absent", cell)
    return {} if found is None else dict(found["sites"])


def is_absent(absences_: Sequence[Sequence[str]], day: str) -> bool:
    """Whether a site said it would be away on a day."""
    return any(first <= day <= last for first, last in absences_)


async def schedules(
    store: Store, sites: Sequence[str], days: Sequence[str]
) -> dict[str, Schedules]:
    """What sites declared for the months these days lie in, by site and day."""
    months = sorted(dict.fromkeys(day[:7] for day in days))
    names = [("schedule", site, month) for site in sites for month in months]
    found: dict[str, Schedules] = {site: {} for site in sites}
    for (_, site, _), held in zip(names, await store.load_many(names), strict=True):
        found[site].update({} if held is None else held["days"])
    return found
