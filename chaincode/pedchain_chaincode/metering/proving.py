# SPDX-License-Identifier: Apache-2.0
"""Proofs that a reading's interval lies under the certificate in force (rules C5), the roots that a
sample is drawn over, and what an auditor found of it (ADR 43)."""

from typing import Any

from pedchain_chaincode.documents import Document, found, refusals, save
from pedchain_chaincode.metering import adoption, days, keys, queries
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import calendar, proofs
from pedchain_fabric.shim import Context, Refusal


async def proof(ctx: Context, point_name: str, day: str, instant: int) -> Document:
    """proof/1 of a point's interval against the root of the day's certificate."""
    entry = await queries.registered(ctx, keys.point, point_name)
    certificate = await found(ctx, keys.certificate(ctx.stub, day))
    vault = await Vault.open(ctx)
    kept = await vault.load("totals", day, certificate["run"]) if vault else None
    if vault is None or kept is None:
        raise Refusal("not-found")
    district = await adoption.in_force(ctx, day)
    rows: list[Any] = await adoption.calendar_rows(ctx, district)
    roots = kept["roots"]
    intervals = await _printed(vault, entry["cell"], day, roots)
    with refusals():
        row = calendar.find(rows, day)
        made = proofs.make(
            intervals, roots, entry["document"]["id"], instant, row, district["grain"]
        )
    return {**made, "district": district["id"], "run": certificate["run"]}


async def leaves_of(ctx: Context, day: str, cell: int) -> Document:
    """{"cells": [cell...], "points": [[id, root, site]...]}: a cell's points in the order of their
    leaves, and which cells there are."""
    certificate = await found(ctx, keys.certificate(ctx.stub, day))
    vault = await Vault.open(ctx)
    kept = await vault.load("totals", day, certificate["run"]) if vault else None
    if vault is None or kept is None:
        raise Refusal("not-found")
    cells: list[Any] = sorted(kept["roots"], key=int)
    if str(cell) not in cells:
        return {"cells": cells, "points": []}
    intervals = await _printed(vault, cell, day, kept["roots"])
    roster = await found(ctx, keys.roster(ctx.stub, cell))
    points: list[Any] = [
        [name, point["root"], roster["points"][name]["site"]]
        for name, point in intervals["points"].items()
    ]
    return {"cells": cells, "points": points}


async def record(ctx: Context, fence: Fence, certificate: Document, body: Document) -> None:
    """Write what the client found; refuses `superseded` where it is of another certificate."""
    if any(body[name] != certificate[name] for name in ("run", "version", "root")):
        raise Refusal("superseded")
    client = ctx.client
    told = {
        **body,
        "district": fence.district,
        "auditor": client.msp_id,
        "identity": client.id,
        "at": ctx.stub.timestamp,
    }
    await save(ctx.stub, keys.sample(ctx.stub, body["day"], client.msp_id), told)


async def _printed(vault: Vault, cell: int, day: str, roots: Document) -> Document:
    """The cell's intervals that the printed root stands for: the newest, or those a held back run
    set aside."""
    names = [("intervals", cell, day), *(("intervals", cell, day, run) for run in days.RUNS)]
    for name in names:
        found = await vault.load(*name)
        if found is not None and proofs.cell_root(found) == roots.get(str(cell)):
            return found
    raise Refusal("close-under-way")
