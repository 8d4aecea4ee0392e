# SPDX-License-Identifier: Apache-2.0
"""ShareDay: what enrolled sites measured on a day, copied to where the aggregator reads (D1, Y).

    shared  {day: row, run, grain, sites: {site: figure}}    by cell and day; see domain's `figure`

Only days a site consented to. Who has moved out since then has ended the consent: that is carried
over here, since here alone both are read. A later run's share takes the former's place. Public is
how far a day's sharing has come.
"""

from typing import Any

from pedchain_chaincode.documents import Document, load, save
from pedchain_chaincode.flexibility import consent, keys, limits
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.metering import adoption, days
from pedchain_chaincode.metering import keys as metering
from pedchain_chaincode.metering.folding import DONE, MORE
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.origin.ground import row_of
from pedchain_domain import roster as rosters
from pedchain_domain.calendar import Day, tolerance
from pedchain_domain.flexibility import figure
from pedchain_fabric.shim import Context, Refusal

_KINDS = ("GCP", "GEN", "HYB")


async def share_day(ctx: Context, closing: Document, state: Document, day: str) -> bytes:
    """One step; `done` once every cell's enrolled sites are shared as the newest run left them."""
    run = next((name for name in reversed(days.RUNS) if days.is_closed(closing, day, name)), None)
    if run is None:
        raise Refusal("run-missing")
    row, district = await row_of(ctx, day), await adoption.in_force(ctx, day)
    vault = await Vault.open(ctx)
    if vault is None:
        raise Refusal("no-readings")
    store = await Store.open(ctx)
    layout = await load(ctx.stub, metering.layout(ctx.stub))
    count = len(layout["cells"]) if layout else 0
    first = state["cell"] if state.get("run") == run and "cell" in state else 0
    cells = range(first, min(first + limits.SHARE_CELLS, count))
    for cell in cells:
        await _cell(store, vault, cell, row, {"run": run, "grain": district["grain"]})
    key = keys.share(ctx.stub, day)
    if cells.stop < count:
        await save(ctx.stub, key, {"run": run, "cell": cells.stop})
        return MORE
    await save(ctx.stub, key, {"run": run})
    return DONE


async def _cell(store: Store, vault: Vault, cell: int, row: Day, rules: Document) -> None:
    sites = await consent.enrolled(store, cell)
    after = {site: await consent.moved_out(vault, site, sites[site]) for site in sorted(sites)}
    if after != sites:
        await store.save(("enrolled", cell), {"sites": after})
    wanted = [
        site
        for site, entries in after.items()
        if any(consent.covers(one, row["start"], row["end"]) for one in entries)
    ]
    if not wanted:
        return
    roster = await load(store.ctx.stub, metering.roster(store.ctx.stub, cell))
    held = await vault.load("intervals", cell, row["day"])
    if roster is None or held is None:
        raise Refusal("private-data-missing")
    roster = rosters.on(roster, row["day"])
    filed = await _filed(vault, roster, cell, row, rules["grain"])
    figures = {site: _figure(site, roster, held, filed, row, rules["grain"]) for site in wanted}
    await store.save(("shared", cell, row["day"]), {"day": row, **rules, "sites": figures})


def _figure(
    site: str, roster: Document, held: Document, filed: Document, row: Day, grain: int
) -> Document:
    count = (row["end"] - row["start"]) // grain
    registers: dict[tuple[str, str], list[figure.Register]] = {}
    power, periods = 0, [0] * count
    for point, about in sorted(roster["points"].items()):
        if about["site"] != site or about["kind"] not in _KINDS:
            continue
        for role, (values, letters) in held["points"].get(point, {}).get("registers", {}).items():
            registers.setdefault((about["kind"], role), []).append((values, letters))
        power += about["p_max_w"] if about["kind"] == "GEN" else 0
        at = filed.get(point, {})
        last = [max(at.get(n, _NEVER), at.get(n + 1, _NEVER)) for n in range(count)]
        periods = [max(pair) for pair in zip(periods, last, strict=True)]
    found = figure.figure(roster["sites"][site]["plan"], registers, count)
    return {**found, "gw": power, "p": figure.filed(periods)}


_NEVER = 1 << 53
"""The period of a boundary nobody filed."""


async def _filed(
    vault: Vault, roster: Document, cell: int, row: Day, grain: int
) -> dict[str, dict[int, int]]:
    """By point and boundary the first period that filed it."""
    index = await vault.load("day", cell, row["day"])
    periods = sorted(index["periods"]) if index is not None else []
    found: dict[str, dict[int, int]] = {}
    near = tolerance(grain)
    for fold in await vault.load_many([("fold", cell, row["day"], period) for period in periods]):
        series: Any = {} if fold is None else fold["series"]
        for device, columns in series.items():
            if device not in roster["devices"]:
                continue
            at = found.setdefault(roster["devices"][device]["point"], {})
            for instant in columns["t"]:
                boundary = (instant - row["start"] + near) // grain
                if abs(instant - row["start"] - boundary * grain) <= near:
                    at.setdefault(boundary, fold["period"] if fold else _NEVER)
    return found
