# SPDX-License-Identifier: Apache-2.0
"""Purge: private documents older than the retention leave every member's store (rules Y).

In steps: day after day cell by cell (intervals, folds, draws, prints, issues, claims, and the
debits of the time), then period after period the batches and trails whose readings are all of
purged days. Day totals and windows stay, without findings, so that a window can be checked from
them; certificates stay. Old enough is a day that ended the retention ago by the transaction's own
time, which no honest endorser takes far beyond its clock, and that run FINAL has closed.
"""

from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load, refusals, save
from pedchain_chaincode.metering import adoption, days
from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering.folding import DONE, MORE
from pedchain_chaincode.metering.gather import BUCKETS
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Name, Vault
from pedchain_chaincode.privacy import batches, keys
from pedchain_domain import calendar
from pedchain_domain.calendar import Day, shifted
from pedchain_domain.columns import TIMES
from pedchain_domain.instants import DAY
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal


async def due(ctx: Context, closing: Document, day: str) -> Day:
    """The day's row, once it may be purged. Refuses `too-early`, `run-missing`."""
    row = await day_row(ctx, day)
    if ctx.stub.timestamp < row["end"] + limits.RETENTION_DAYS * DAY:
        raise Refusal("too-early")
    if not days.is_closed(closing, day, "FINAL"):
        raise Refusal("run-missing")
    return row


async def day_row(ctx: Context, day: str) -> Day:
    """A day's row of the calendars adopted last."""
    rows: list[Any] = await adoption.calendar_rows(ctx, await adoption.newest(ctx))
    with refusals():
        return calendar.find(rows, day)


def exchanged_on(roster: Document, row: Day) -> list[str]:
    """The old devices of a day's meter exchanges."""
    return [one["old"] for one in roster["exchanges"] if row["start"] <= one["at"] < row["end"]]


async def purge(ctx: Context, fence: Fence, closing: Document, state: Document, row: Day) -> bytes:
    """One step of purging up to a day; `done` when nothing of it or before is left."""
    vault = await Vault.open(ctx)
    if vault is None:
        return DONE
    ctx.stub.start_write_batch()
    state = dict(state)
    first = shifted(state["day"], 1) if state["day"] else str(closing["FINAL"]["first"])
    if first <= row["day"]:
        await _cell(ctx, vault, await day_row(ctx, first), int(state["cell"]))
        layout = await load(ctx.stub, names.layout(ctx.stub))
        state["cell"] += 1
        if layout is None or state["cell"] >= len(layout["cells"]):
            await _totals(vault, first)
            state |= {"day": first, "cell": 0}
        await save(ctx.stub, keys.retention(ctx.stub), state)
        return MORE
    going_on = await _period(ctx, fence, vault, state, row["end"])
    await save(ctx.stub, keys.retention(ctx.stub), state)
    return MORE if going_on else DONE


async def _cell(ctx: Context, vault: Vault, row: Day, cell: int) -> None:
    """Purge a cell's documents of a day, and with the first cell the day's debits."""
    day = row["day"]
    index = await vault.load("day", cell, day)
    for period in index["periods"] if index else []:
        await vault.purge(("fold", cell, day, period))
    singles: list[Name] = [(kind, cell, day) for kind in ("day", "intervals", "draws")]
    runs: list[Name] = [
        (kind, cell, day, run) for kind in ("intervals", "prints") for run in days.RUNS
    ]
    for name in (*singles, *runs):
        await vault.purge(name)
    roster = await load(ctx.stub, names.roster(ctx.stub, cell))
    assert roster is not None
    for site in sorted(roster["sites"]):
        for kind in ("issue", "claims", "left", "released"):
            await vault.purge((kind, site, day))
    for device in exchanged_on(roster, row):
        await vault.purge(("exchange", device))
    if cell == 0:
        await vault.purge(("pools", day))
        await _debits(ctx, day)


async def _debits(ctx: Context, day: str) -> None:
    """Purge the debits that were made while a day was the last one issued."""
    stub = ctx.stub
    async for item in stub.partial_composite("origin-debit", [day]):
        transaction = stub.split_composite_key(item.key)[1][1]
        key = stub.create_composite_key("debit", [transaction])
        await stub.purge_private(names.COLLECTION, key)
        await stub.del_state(item.key)


async def _totals(vault: Vault, day: str) -> None:
    """Keep a day's totals without findings; its interim sums go."""
    for run in days.RUNS:
        await vault.purge(("sums", day, run))
        kept = await vault.load("totals", day, run)
        if kept is not None:
            parts: Document = {
                part: {**kept[part], "findings": []} for part in ("totals", "entered")
            }
            parts |= {"run": run, "salt": derive_salt("purged", [kept["salt"]])}
            await vault.replace(("totals", day, run), {**kept, **parts})
            await vault.mark_moved()


async def _period(ctx: Context, fence: Fence, vault: Vault, state: Document, end: int) -> bool:
    """Purge some batches of the oldest period; whether there may be more to do. A period with a
    reading of a day that is kept ends the purge: it goes with that day."""
    period = state["period"] + 1
    if period >= fence.period or not await _folded(ctx, fence, period):
        return False
    bucket = state["bucket"]
    waiting = await _batches(ctx, fence, period, bucket, state["after"])
    chunk = waiting[: limits.PURGE_BATCHES]
    for transaction in chunk:
        held = await batches.load(ctx.stub, transaction)
        if held is not None and _newest(held) > end:
            return False
    for transaction in chunk:
        await batches.purge(ctx.stub, transaction)
    if len(waiting) > len(chunk):
        state["after"] = chunk[-1]
        return True
    state |= {"bucket": bucket + 1, "after": ""}
    if bucket + 1 == len(BUCKETS):
        await _trails(ctx, fence, vault, period)
        state |= {"period": period, "bucket": 0}
    return True


def _newest(held: batches.Held) -> int:
    """The latest instant a batch read; an erased or uncertifiable record has none."""
    instants = [at for _, row in held.rows().values() for at in row[5][TIMES]]
    return max(instants, default=0)


async def _folded(ctx: Context, fence: Fence, period: int) -> bool:
    for shard in range(fence.shards):
        found = await load(ctx.stub, names.folded(ctx.stub, shard))
        if found is None or found["through"] < period:
            return False
    return True


async def _batches(ctx: Context, fence: Fence, period: int, bucket: int, after: str) -> list[str]:
    """Transactions of a period's batches in a bucket, beyond `after`."""
    stub = ctx.stub
    found: dict[str, None] = {}
    for shard in (*map(str, range(fence.shards)), "mixed"):
        async for item in stub.partial_composite("batch", [str(period), shard, BUCKETS[bucket]]):
            found[stub.split_composite_key(item.key)[1][-1]] = None
    return sorted(name for name in found if name > after)


async def _trails(ctx: Context, fence: Fence, vault: Vault, period: int) -> None:
    """Purge what folding a period left: trails, and segments that steps removed long ago."""
    layout = await load(ctx.stub, names.layout(ctx.stub))
    cells = range(len(layout["cells"]) if layout else 0)
    for cell in cells:
        await vault.purge(("trail", cell, period))
    for shard in range(fence.shards):
        fold = await load(ctx.stub, names.fold(ctx.stub, period, shard))
        for step in range(fold["steps"] if fold else 0):
            for cell in cells:
                if cell % fence.shards == shard:
                    await vault.purge(("segment", period, cell, step))
        if fold is not None and fold["steps"]:
            await vault.purge(("segments", period, shard))
