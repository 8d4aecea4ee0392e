# SPDX-License-Identifier: Apache-2.0
"""What is chosen at notice, cell by cell: who can be asked, and each site's days (D3 to D7, D15).

    freezing  {after, period, able: {site: [W, ppm, cell, asked Wh]}, leaves: {site: hex},
               placebo: {day: [[Wh], [Wh]]}, passed: {site: why}, digests: {cell: digest}}
    frozen    {sites: {site: {days, salt}}}                                     by cell
    plan      {period, watts: {site: W}, cells, devices, accounts: {site: ...}, digests, passed}
    busy      {sites: {site: [[order, day, start, end, Wh]]}}                   of the district

Settlement keeps the digest of what each step left, so that the next one works on that and nothing
else. The last step asks as many sites as the order takes (`plan`); nobody is added afterwards.
"""

from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, load, refusals
from pedchain_chaincode.flexibility import consent, limits
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.metering import adoption, keys
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain import calendar, terms
from pedchain_domain.calendar import Day, shifted
from pedchain_domain.flexibility import accuracy, baseline, commitment, dispatch, enrolment, history
from pedchain_domain.flexibility import order as orders
from pedchain_domain.flexibility.dispatch import Able
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.flexibility.remuneration import POOL_PPM
from pedchain_domain.merkle import root
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import hex_bytes
from pedchain_fabric.shim import Context, Refusal


class Wanted(NamedTuple):
    """An order as a district sees it: its part of the power, and the days and places it is judged
    by."""

    order: Document
    power_w: int
    is_plant: bool
    framed: history.Frame
    notice_day: str
    rule: baseline.Rule

    @property
    def direction(self) -> Direction:
        """Which way consumption is to go."""
        return Direction(self.order["direction"])

    @property
    def interval_wh(self) -> int:
        """Wh of an interval of the district's part."""
        return orders.energy({**self.order, "power_w": self.power_w})


async def wanted(ctx: Context, asked: Document) -> Wanted:
    """The order of a call {order, notice, power_w, plant}. Refuses `outside-day`, `unknown-day`,
    `bad-quantity` for a grain that is not the district's."""
    order = asked["order"]
    district = await adoption.newest(ctx)
    rows: list[Any] = await adoption.calendar_rows(ctx, district)
    event = calendar.day_at(rows, order["start"])
    notice = calendar.day_at(rows, asked["notice"])
    if event is None or notice is None:
        raise Refusal("unknown-day")
    if district["grain"] != order["grain"]:
        raise Refusal("bad-quantity", "grain")
    with refusals():
        framed = history.frame(order, asked["notice"], event)
        rule = baseline.rule(order["rule"], Direction(order["direction"]))
    return Wanted(order, asked["power_w"], asked["plant"], framed, notice["day"], rule)


async def freeze(ctx: Context, fence: Fence, asked: Document) -> Document:
    """One step over some cells. {more: true, digest} or, at the end, {more: false, digest of the
    plan, root, sites, accuracy}."""
    store, want = await Store.open(ctx), await wanted(ctx, asked)
    state = await _state(store, fence, want, asked["digest"])
    layout = await load(ctx.stub, keys.layout(ctx.stub))
    count = len(layout["cells"]) if layout else 0
    cells = range(state["after"], min(state["after"] + limits.FREEZE_CELLS, count))
    busy = await _busy(store)
    guarded = await consent.protected(store)
    for cell in cells:
        await _cell(store, want, cell, state, busy, guarded)
    state["after"] = cells.stop
    if cells.stop < count:
        return {"more": True, "digest": await store.save(("freezing", want.order["id"]), state)}
    return await _plan(store, want, state, busy)


async def _state(store: Store, fence: Fence, want: Wanted, expected: str | None) -> Document:
    """What the last step left, or a beginning."""
    name = want.order["id"]
    if expected is not None:
        found, digest = await store.held("freezing", name)
        if digest != expected:
            raise Refusal("not-certified", "freezing")
        return found
    if await store.load("plan", name) is not None:
        raise Refusal("already-registered")
    begun: Document = {"after": 0, "period": fence.period}
    return begun | {name: {} for name in ("able", "leaves", "placebo", "passed", "digests")}


async def _busy(store: Store) -> dict[str, list[list[Any]]]:
    found = await store.load("busy")
    return {} if found is None else dict(found["sites"])


async def _cell(
    store: Store, want: Wanted, cell: int, state: Document, busy: Document, guarded: list[str]
) -> None:
    """Choose the days of a cell's sites, and add what they would have been on placebo days."""
    enrolled = await consent.enrolled(store, cell)
    fitting: dict[str, Document] = {}
    for site in sorted(enrolled):
        fits = _enrolment(want, enrolled[site])
        why = _passed(want, fits, busy.get(site, []), site in guarded)
        if why is None and fits is not None:
            fitting[site] = fits
        elif fits is not None:
            state["passed"][site] = why
    if not fitting:
        return
    shared = await _history(store, want, cell)
    sites: dict[str, Document] = {}
    for site, fits in fitting.items():
        kept = _days(want, site, shared, busy.get(site, []))
        if kept is None:
            state["passed"][site] = str(Reason.TOO_FEW_DAYS)
            continue
        days, placebo = kept
        salt = store.fresh("leaf", want.order["id"], site)
        sites[site] = {"days": days, "salt": salt}
        state["leaves"][site] = commitment.leaf(site, days, hex_bytes(salt)).hex()
        asked = sum(row[4] for row in busy.get(site, []))
        able = [_capacity(want, fits), fits["available"], cell, asked]
        state["able"][site] = [*able, fits["device"], fits["account"]]
        _add(state["placebo"], placebo)
    name = ("frozen", want.order["id"], cell)
    state["digests"][str(cell)] = await store.save(name, {"sites": sites})


def _enrolment(want: Wanted, entries: list[Document]) -> Document | None:
    """The enrolment with the order's provider that holds during it."""
    for one in entries:
        body = {**one["enrolment"], "to": one["to"]}
        if body["provider"] == want.order["provider"] and terms.holds(body, want.order["start"]):
            return body
    return None


def _passed(
    want: Wanted, body: Document | None, asked: list[list[Any]], is_protected: bool
) -> str | None:
    """Why a site is not asked."""
    start, end = want.order["start"], orders.end(want.order)
    if body is None:
        return "not-enrolled"
    if is_protected:
        return str(Reason.PROTECTED)
    if not enrolment.is_available(body, start, end):
        return "not-available"
    if _capacity(want, body) < orders.LEAST_SITE_W:
        return "too-small"
    if body["share_ppm"] > POOL_PPM:
        return "share-not-met"
    if any(row[2] < end and start < row[3] for row in asked):
        return str(Reason.OVERLAPS)
    return None


def _capacity(want: Wanted, body: Document) -> int:
    return int(body["down_w"] if want.direction is Direction.DOWN else body["up_w"])


async def _history(store: Store, want: Wanted, cell: int) -> list[Document]:
    """A cell's shared days before the notice, newest first."""
    days = [shifted(want.notice_day, -back) for back in range(1, history.DAYS_BACK + 1)]
    found = await store.load_many([("shared", cell, day) for day in days])
    return [one for one in found if one is not None]


def _days(
    want: Wanted, site: str, shared: list[Document], asked: list[list[Any]]
) -> tuple[list[str], dict[str, list[tuple[int, int]]]] | None:
    """A site's frozen days and its placebo days; None where there are too few."""
    ordered = [row[1] for row in asked]
    grain, places = want.framed.grain, want.framed.judged
    pasts = [
        history.past(
            _row(one), one["sites"][site], places, grain, ordered=one["day"]["day"] in ordered
        )
        for one in shared
        if site in one["sites"]
    ]
    try:
        found = history.chosen(want.rule, want.framed, want.notice_day, "", pasts)
    except DomainError:
        return None
    placebo = history.placebos(want.rule, want.framed, want.notice_day, "", pasts)
    return [one.day["day"] for one in found], placebo


def _row(shared: Document) -> Day:
    row: Day = shared["day"]
    return row


def _add(sums: Document, placebo: dict[str, list[tuple[int, int]]]) -> None:
    for day, pairs in placebo.items():
        base, measured = sums.get(day) or ([0] * len(pairs), [0] * len(pairs))
        sums[day] = (
            [a + b for a, (b, _) in zip(base, pairs, strict=True)],
            [a + wh for a, (_, wh) in zip(measured, pairs, strict=True)],
        )


async def _plan(store: Store, want: Wanted, state: Document, busy: Document) -> Document:
    """Ask as many sites as it takes, by what they are asked for already."""
    able, order = state["able"], want.order
    newest = sorted(state["placebo"], reverse=True)
    pairs = [list(zip(*state["placebo"][day], strict=True)) for day in newest]
    measured = accuracy.measure(pairs[: accuracy.LEAST_DAYS])
    found = accuracy.doubts(measured, want.interval_wh)
    if found and not order["low_accuracy"]:
        raise Refusal("low-accuracy", ",".join(str(doubt) for doubt in found))
    with refusals():
        part = {**order, "power_w": want.power_w}
        orders.check_size(part, {site: able[site][0] for site in able}, want.is_plant)
        asked = [
            Able(site, watts, ppm, burden)
            for site, (watts, ppm, _, burden, _, _) in sorted(able.items())
        ]
        watts = dispatch.dispatch(want.power_w, asked)
    await _remember(store, want, watts, busy)
    leaves = [hex_bytes(state["leaves"][site]) for site in sorted(state["leaves"], key=str.encode)]
    plan = {
        "period": state["period"],
        "watts": watts,
        "cells": {site: able[site][2] for site in watts},
        "devices": {site: able[site][4] for site in watts},
        "accounts": {site: able[site][5] for site in watts},
        "digests": state["digests"],
        "passed": state["passed"],
    }
    return {
        "more": False,
        "digest": await store.save(("plan", order["id"]), plan),
        "root": root(leaves).hex(),
        "sites": len(watts),
        "accuracy": {
            "days": measured.days,
            "bias_ppm": measured.bias_ppm,
            "rrmse_ppm": measured.rrmse_ppm,
            "doubts": [str(doubt) for doubt in found],
        },
    }


async def _remember(store: Store, want: Wanted, watts: dict[str, int], busy: Document) -> None:
    """Note who is asked, and forget what is too long ago to matter."""
    order, end = want.order, orders.end(want.order)
    energies = dispatch.energies(watts, want.interval_wh)
    kept = {
        site: [row for row in rows if row[3] + limits.REMEMBERED > order["start"]]
        for site, rows in busy.items()
    }
    for site in watts:
        row = [order["id"], want.framed.day["day"], order["start"], end]
        wh = energies[site] * order["count"]
        kept[site] = [*kept.get(site, []), [*row, wh]]
    await store.save(("busy",), {"sites": {site: rows for site, rows in kept.items() if rows}})
