# SPDX-License-Identifier: Apache-2.0
"""Reading a sealed period's batches, some per step, in the order of their transaction ids.

Markers are ranged (public, so the range is checked at commit), private documents are read by
explicit key. Where a step's budget ends, `Cursor` says from where the next one goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pedchain_chaincode import limits
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.batchdoc import BatchDocument, Row
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.submission import MIXED
from pedchain_domain.columns import TIMES
from pedchain_fabric.shim import Context, Refusal

BUCKETS = "0123456789abcdef"
READ_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """Every batch up to transaction `after` of bucket number `bucket` has been read."""

    bucket: int = 0
    after: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A step's rows by cell, what they cost, its batches, a salt of one of these, and where to go
    on (None: the end)."""

    rows: dict[int, list[Row]]
    cost: int
    transactions: list[str]
    salt: bytes
    cursor: Cursor | None


async def collect(ctx: Context, fence: Fence, period: int, shard: int, cursor: Cursor) -> Gathered:
    """Read batches from the cursor on until a budget is used up or the period ends."""
    rows: dict[int, list[Row]] = {}
    transactions: list[str] = []
    salt, cost = b"", 0
    for bucket in range(cursor.bucket, len(BUCKETS)):
        after = cursor.after if bucket == cursor.bucket else ""
        waiting, is_all = await _transactions(ctx, fence, period, shard, bucket, after)
        reached = waiting[-1] if waiting else after
        while waiting:
            chunk, waiting = waiting[:READ_TOGETHER], waiting[READ_TOGETHER:]
            for transaction, document in zip(chunk, await _read(ctx, chunk), strict=True):
                salt = salt or document.salt
                transactions.append(transaction)
                cost += _take(document, fence, shard, rows)
                full = len(transactions) >= limits.GATHER_DOCUMENTS
                if full or cost >= limits.GATHER_COST:
                    return Gathered(rows, cost, transactions, salt, Cursor(bucket, transaction))
        if not is_all:
            return Gathered(rows, cost, transactions, salt, Cursor(bucket, reached))
    return Gathered(rows, cost, transactions, salt, None)


def _take(document: BatchDocument, fence: Fence, shard: int, rows: dict[int, list[Row]]) -> int:
    """Add the shard's rows of a batch; what they cost."""
    cost = 0
    for name in sorted(document.rows, key=int):
        cost += len(document.rows[name])
        if int(name) % fence.shards == shard:
            rows.setdefault(int(name), []).extend(document.rows[name])
            cost += cost_of(document.rows[name])
    return cost


def cost_of(rows: Sequence[Row]) -> int:
    """What rows cost a step: a row as much as ten instants in another."""
    return sum(10 + len(row[5][TIMES]) for row in rows)


async def _transactions(
    ctx: Context, fence: Fence, period: int, shard: int, bucket: int, after: str
) -> tuple[list[str], bool]:
    """The next transaction ids of a bucket's batches beyond `after`, ascending, and whether these
    are all. The scan begins behind `after` and is bounded, however long the period was."""
    stub = ctx.stub
    shards = [str(shard)] if fence.shards == 1 else [str(shard), MIXED]
    found: list[str] = []
    last: list[str] = []
    for name in shards:
        mine: list[str] = []
        prefix = [str(period), name, BUCKETS[bucket]]
        behind = [after] if after else []
        async with stub.partial_composite("batch", prefix, after=behind) as results:
            async for item in results:
                mine.append(stub.split_composite_key(item.key)[1][-1])
                if len(mine) == limits.GATHER_MARKERS:
                    last.append(mine[-1])
                    break
        found += mine
    # Beyond the end of a scan that was cut short the other list may have what it lacks.
    return sorted(one for one in found if not last or one <= min(last)), not last


async def _read(ctx: Context, transactions: Sequence[str]) -> list[BatchDocument]:
    wanted = [keys.batch(ctx.stub, transaction) for transaction in transactions]
    values = await ctx.stub.get_privates(keys.COLLECTION, wanted)
    documents = [BatchDocument.decode(value) for value in values if value is not None]
    if len(documents) != len(wanted):
        raise Refusal("private-data-missing")
    return documents
