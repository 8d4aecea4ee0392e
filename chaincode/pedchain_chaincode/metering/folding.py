# SPDX-License-Identifier: Apache-2.0
"""FoldShard: a sealed period's records of one shard, judged and filed by delivery day.

Two phases, both in steps. `gather` reads batches and, unless the whole period fits into one step,
leaves their rows as private segments by cell. `fold` takes cell after cell, all its rows at once,
so that what counts does not depend on the order in which batches arrived. Written per cell and
period: head (counters used), trail (what became of each record), and per day a fold (registers)
and the day's index (periods filed, outermost registers).

Public state `fold`: {"phase", "bucket", "after", "steps", "batches"}, the last a hash chain over
all batches so far; in the vault `segments`: which steps left rows of which cell, and their cost.
"""

import hashlib
from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load, save
from pedchain_chaincode.metering import adoption, keys
from pedchain_chaincode.metering.batchdoc import Row
from pedchain_chaincode.metering.gather import Cursor, Gathered, collect, cost_of
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import fold as folds
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal

MORE, DONE = b"more", b"done"
START = {"phase": "gather", "bucket": 0, "after": "", "steps": 0}


async def fold_shard(ctx: Context, fence: Fence, period: int, shard: int) -> bytes:
    """One step; `done` once the shard's fold of the period is complete."""
    if not 0 <= shard < fence.shards:
        raise Refusal("unknown-shard")
    if not 1 <= period < fence.period:
        raise Refusal("period-not-sealed")
    folded = await _folded(ctx, shard)
    through = folded["through"]
    if period <= through:
        return DONE
    if period != through + 1:
        raise Refusal("previous-period-open")
    ctx.stub.start_write_batch()
    key = keys.fold(ctx.stub, period, shard)
    state = await load(ctx.stub, key) or {**START, "batches": folded["batches"]}
    if state["phase"] == "gather":
        finished = await _gather(ctx, fence, period, shard, state)
    else:
        finished = await _fold(ctx, fence, period, shard)
    if finished:
        state["phase"] = "done"
        reached = {"through": period, "batches": state["batches"]}
        await save(ctx.stub, keys.folded(ctx.stub, shard), reached)
    await save(ctx.stub, key, state)
    return DONE if finished else MORE


async def _folded(ctx: Context, shard: int) -> Document:
    return await load(ctx.stub, keys.folded(ctx.stub, shard)) or {"through": 0, "batches": ""}


async def _gather(ctx: Context, fence: Fence, period: int, shard: int, state: Document) -> bool:
    """Read some batches. Fold at once if that was all of a small period, else leave segments."""
    gathered = await collect(ctx, fence, period, shard, Cursor(state["bucket"], state["after"]))
    for transaction in gathered.transactions:
        state["batches"] = _chained(state["batches"], transaction)
    if not gathered.rows and gathered.cursor is None and not state["steps"]:
        return True
    vault = await Vault.open(ctx) or await Vault.create(ctx, gathered.salt)
    is_all = gathered.cursor is None and not state["steps"]
    if is_all and gathered.cost <= limits.DIRECT_COST:
        days = await _days(ctx)
        for cell in sorted(gathered.rows):
            await fold_cell(vault, fence, period, cell, gathered.rows[cell], days)
        return True
    await _leave(vault, period, shard, state["steps"], gathered)
    state["steps"] += 1
    if gathered.cursor is None:
        state["phase"] = "fold"
    else:
        state["bucket"], state["after"] = gathered.cursor.bucket, gathered.cursor.after
    return False


def _chained(batches: str, transaction: str) -> str:
    """The hash of the list of batches with one more, whatever the steps were (rules C1)."""
    return hashlib.sha256(f"{batches}{transaction}".encode()).hexdigest()


async def _leave(vault: Vault, period: int, shard: int, step: int, gathered: Gathered) -> None:
    """Write a step's rows as segments, one per cell."""
    left = await vault.load("segments", period, shard) or {"cells": {}}
    marks = []
    for cell in sorted(gathered.rows):
        rows = gathered.rows[cell]
        salt = derive_salt("segment", [row[3] for row in rows])
        await vault.save(("segment", period, cell, step), {"salt": salt, "rows": rows})
        left["cells"].setdefault(str(cell), []).append([step, cost_of(rows)])
        marks.append(salt)
    if marks:
        left["salt"] = derive_salt("segments", marks)
        await vault.save(("segments", period, shard), left)


async def _fold(ctx: Context, fence: Fence, period: int, shard: int) -> bool:
    """Fold cells from their segments until the budget is used up; whether none is left."""
    vault = await Vault.open(ctx)
    assert vault is not None
    left = await vault.load("segments", period, shard)
    if left is None:
        return True
    days = await _days(ctx)
    budget = limits.FOLD_COST
    for name in sorted(left["cells"], key=int):
        cost = sum(part for _, part in left["cells"][name])
        if cost > budget and budget < limits.FOLD_COST:
            break
        segments = [("segment", period, int(name), step) for step, _ in left["cells"].pop(name)]
        found = await vault.load_held(segments)
        rows = [row for segment in found for row in segment["rows"]]
        await fold_cell(vault, fence, period, int(name), rows, days)
        for segment_name in segments:
            await vault.remove(segment_name)
        budget -= cost
    if left["cells"]:
        await vault.save(("segments", period, shard), left)
        return False
    await vault.remove(("segments", period, shard))
    return True


async def _days(ctx: Context) -> list[Any]:
    return await adoption.calendar_rows(ctx, await adoption.newest(ctx))


async def fold_cell(
    vault: Vault, fence: Fence, period: int, cell: int, rows: list[Row], days: list[Any]
) -> None:
    """Judge all rows of a cell's period and file them by day."""
    head = await vault.load("head", cell) or folds.empty_head(cell)
    # By device, counter, payload, record: salts and seeds too are the same in any order of arrival.
    rows = sorted(rows, key=lambda row: row[:4])
    earlier = folds.late(rows, head)[-limits.TRAILS_KNOWN :]
    known = folds.known(await vault.load_held([("trail", cell, p) for p in earlier]))
    folded = folds.fold(rows, head, days, period=period, shard=cell, grain=fence.grain, known=known)
    await vault.save(("head", cell), folded.head)
    await vault.save(("trail", cell, period), folded.trail)
    for day in sorted(folded.folds):
        await vault.save(("fold", cell, day, period), folded.folds[day])
    await _index(vault, cell, period, folded)
    await _where(vault, cell, period, folded.trail)


async def _where(vault: Vault, cell: int, period: int, trail: Document) -> None:
    """Note, by counters, in which periods' trails records of a device stand: how GetRecord finds
    one of any age in a few reads."""
    touched: dict[int, dict[str, list[int]]] = {}
    for device, entries in trail["devices"].items():
        for counter, *_ in entries:
            devices = touched.setdefault(counter // limits.COUNTERS_TOGETHER, {})
            devices.setdefault(device, []).append(counter)
    buckets = sorted(touched)
    held = await vault.load_many([("where", cell, bucket) for bucket in buckets])
    for bucket, found in zip(buckets, held, strict=True):
        noted = {} if found is None else dict(found["devices"])
        for device, counters in touched[bucket].items():
            spans = [*noted.get(device, []), [period, min(counters), max(counters)]]
            noted[device] = spans[-limits.PERIODS_NOTED :]
        salt = derive_salt("where", [trail["salt"], str(bucket)])
        await vault.save(("where", cell, bucket), {"salt": salt, "devices": noted})


async def _index(vault: Vault, cell: int, period: int, folded: folds.Folded) -> None:
    """Add the period to the index of each day it filed readings for."""
    touched = sorted(folded.folds)
    indexes = await vault.load_many([("day", cell, day) for day in touched])
    for day, index in zip(touched, indexes, strict=True):
        edges = folded.edges[day]
        before = [index["edges"]] if index else []
        document = {
            "salt": derive_salt("day", [edges["salt"]]),
            "periods": [*(index["periods"] if index else []), period],
            "edges": folds.merge_edges([*before, edges]),
        }
        await vault.save(("day", cell, day), document)
