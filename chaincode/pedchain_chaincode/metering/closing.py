# SPDX-License-Identifier: Apache-2.0
"""CloseDay: cell after cell to the district's day, then the certificate (rules C, blueprint 5).

Cells are closed in steps, their sums added up in the vault (public state `close` only says how far
it has come). A period sealed meanwhile starts the close again: all cells of a certificate rest on
the same periods. Days are closed in calendar order, each run by itself: P, then F, then FINAL.
"""

import hashlib
from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load, load_many, refusals, save
from pedchain_chaincode.metering import adoption, days, keys
from pedchain_chaincode.metering.cellday import Rules, close_cell
from pedchain_chaincode.metering.folding import DONE, MORE
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.publishing import publish
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import calendar, dayclose
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal


async def close_day(ctx: Context, fence: Fence, day: str, run: str) -> bytes:
    """One step; `done` once the run's certificate of the day is written."""
    state = await days.closing(ctx)
    if days.is_closed(state, day, run):
        return DONE
    district = await adoption.in_force(ctx, day)
    rows: list[Any] = await adoption.calendar_rows(ctx, district)
    with refusals():
        row = calendar.find(rows, day)
    days.check(state, row, run, ctx.stub.timestamp)
    batches = await _folded(ctx, fence)
    vault = await Vault.open(ctx)
    if vault is None:  # no period so far held a record
        raise Refusal("no-readings")
    ctx.stub.start_write_batch()
    factors = await adoption.factors_of(ctx, district)
    rules = Rules(row, district, factors, run, fence.period - 1)
    progress = await _cells(ctx, vault, rules)
    if progress is None:
        return MORE
    await publish(ctx, vault, rules, progress, batches)
    await days.advance(ctx, state, day, run)
    return DONE


async def _folded(ctx: Context, fence: Fence) -> str:
    """The hash of all batches so far; refuses unless every sealed period is folded."""
    if fence.period == 1:
        raise Refusal("no-readings")
    shards = [keys.folded(ctx.stub, shard) for shard in range(fence.shards)]
    digest = hashlib.sha256()
    for found in await load_many(ctx.stub, shards):
        if found is None or found["through"] != fence.period - 1:
            raise Refusal("not-folded")
        digest.update(found["batches"].encode())
    return digest.hexdigest()


async def _cells(ctx: Context, vault: Vault, rules: Rules) -> Document | None:
    """Close cells until the budget is used up: the sums once all are closed, else None."""
    stub, day, run = ctx.stub, rules.day["day"], rules.run
    key = keys.close(stub, day, run)
    place = await load(stub, key)
    if place is None or place["through"] != rules.through:
        place = {"through": rules.through, "cell": 0}
    sums = await vault.load("sums", day, run) if place["cell"] else None
    layout = await load(stub, keys.layout(stub))
    count = len(layout["cells"]) if layout else 0
    printed = await days.printed(vault, day, run)
    budget = limits.CLOSE_VALUES
    while place["cell"] < count and budget > 0:
        roster = await load(stub, keys.roster(stub, place["cell"]))
        assert roster is not None
        closed = await close_cell(vault, roster, rules, printed)
        sums = _added(sums, closed.partial, closed.changed)
        place["cell"] += 1
        budget -= closed.cost
    if sums is None:
        raise Refusal("no-readings")
    await save(stub, key, place)
    if place["cell"] == count:
        return sums
    await vault.save(("sums", day, run), sums)
    return None


def _added(sums: Document | None, partial: Document, changed: int) -> Document:
    total = dayclose.add(None if sums is None else sums["total"], partial)
    before = 0 if sums is None else int(sums["changed"])
    salt = derive_salt("sums", [total["salt"]])
    return {"salt": salt, "total": total, "changed": before + changed}
