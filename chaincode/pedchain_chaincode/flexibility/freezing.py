# SPDX-License-Identifier: Apache-2.0
"""What is chosen at notice, cell by cell: who can be asked, and each site's days (D3 to D7, D15).

    freezing  {after, period, able: {site: [W, ppm, cell, asked Wh]}, leaves: {site: hex},
               placebo: {day: [[Wh], [Wh]]}, passed: {site: why}, digests: {cell: digest},
               storage: {site: point}}
    frozen    {sites: {site: {days, salt, schedule?}}}                          by cell
    plan      {period, watts: {site: W}, cells, devices, accounts: {site: ...}, digests, passed}
    busy      {sites: {site: [[order, day, start, end, Wh]]}}                   of the district
    orders    {orders: [id]}                                                    by day of the event

Settlement keeps the digest of what each step left, so that the next one works on that and nothing
else. The last step asks as many sites as the order takes (`plan`); nobody is added afterwards.
"""

from typing import Any

from pedchain_chaincode.documents import Document, load, refusals
from pedchain_chaincode.flexibility import choosing, consent, limits
from pedchain_chaincode.flexibility.choosing import District
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.flexibility.wanted import Wanted, wanted
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain.flexibility import accuracy, commitment, dispatch
from pedchain_domain.flexibility import order as orders
from pedchain_domain.flexibility.dispatch import Able
from pedchain_domain.merkle import root
from pedchain_domain.text import hex_bytes
from pedchain_fabric.shim import Context, Refusal


async def freeze(ctx: Context, fence: Fence, asked: Document) -> Document:
    """One step over some cells. {more: true, digest} or, at the end, {more: false, digest of the
    plan, root, sites, accuracy, storage}."""
    store, want = await Store.open(ctx), await wanted(ctx, asked)
    state = await _state(store, fence, want, asked["digest"])
    layout = await load(ctx.stub, keys.layout(ctx.stub))
    count = len(layout["cells"]) if layout else 0
    cells = range(state["after"], min(state["after"] + limits.FREEZE_CELLS, count))
    district = District(await _busy(store), await consent.protected(store))
    for cell in cells:
        await _cell(ctx, store, want, cell, state, district)
    state["after"] = cells.stop
    if cells.stop < count:
        return {"more": True, "digest": await store.save(("freezing", want.order["id"]), state)}
    return await _plan(store, want, state, district.busy)


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
    kinds = ("able", "leaves", "placebo", "passed", "digests", "storage")
    return begun | {name: {} for name in kinds}


async def _busy(store: Store) -> dict[str, list[list[Any]]]:
    found = await store.load("busy")
    return {} if found is None else dict(found["sites"])


async def _cell(
    ctx: Context, store: Store, want: Wanted, cell: int, state: Document, district: District
) -> None:
    """Choose the days of a cell's sites, and add what they would have been on placebo days."""
    sites: dict[str, Document] = {}
    for site, found in (
        await choosing.cell(ctx, store, want, cell, state["period"], district)
    ).items():
        if isinstance(found, str):
            state["passed"][site] = found
            continue
        salt = store.fresh("leaf", want.order["id"], site)
        declared = {} if found.schedule is None else {"schedule": found.schedule}
        sites[site] = {"days": found.days, "salt": salt, **declared}
        leaf = commitment.leaf(site, found.days, hex_bytes(salt), found.schedule)
        state["leaves"][site] = leaf.hex()
        body, asked = found.enrolment, sum(row[4] for row in district.busy.get(site, []))
        able = [want.capacity(body), body["available"], cell, asked]
        state["able"][site] = [*able, body["device"], body["account"]]
        if found.storage is not None:
            state["storage"][site] = found.storage
        _add(state["placebo"], found.placebo)
    if sites:
        name = ("frozen", want.order["id"], cell)
        state["digests"][str(cell)] = await store.save(name, {"sites": sites})


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
        "storage": _storage(state["storage"], plan["cells"]),
        "accuracy": {
            "days": measured.days,
            "bias_ppm": measured.bias_ppm,
            "rrmse_ppm": measured.rrmse_ppm,
            "doubts": [str(doubt) for doubt in found],
        },
    }


def _storage(points: Document, cells: dict[str, int]) -> list[dict[str, str]]:
    """Where asked sites with a storage feed in, by step of measuring; empty where there is none."""
    ordered = sorted(dict.fromkeys(cells.values()))
    if not any(site in points for site in cells):
        return []
    found: list[dict[str, str]] = []
    for at in range(0, len(ordered), limits.MEASURE_CELLS):
        step = ordered[at : at + limits.MEASURE_CELLS]
        mine = sorted(site for site in cells if cells[site] in step and site in points)
        found.append({site: points[site] for site in mine})
    return found


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
    day = want.framed.day["day"]
    held = await store.load("orders", day)
    ids = [] if held is None else held["orders"]
    await store.save(("orders", day), {"orders": [*ids, order["id"]]})
    await store.save(("busy",), {"sites": {site: rows for site, rows in kept.items() if rows}})
