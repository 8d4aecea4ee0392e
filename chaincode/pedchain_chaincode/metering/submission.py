# SPDX-License-Identifier: Apache-2.0
"""SubmitReadings: every record verified again, kept in one private document, counted in public.

It reads the fence and the devices' entries, or their cells' rosters, and nothing else that others
write, so any number of batches of any gateway can be in flight. What needs a view of other batches
(duplicates, conflicts, gaps, monotonicity) is judged when the period is folded.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, refusals, save
from pedchain_chaincode.metering import keys, names
from pedchain_chaincode.metering.batchdoc import KEPT, SENT, BatchDocument, Row, root
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain import batch, columns, ocmf, readings, registers
from pedchain_domain.columns import Columns
from pedchain_domain.limits import ID_LENGTH
from pedchain_domain.reasons import DomainError, Reason, status_of
from pedchain_domain.text import integer, is_id
from pedchain_fabric.shim import Context, Refusal

STORED = (Reason.RECORDED, Reason.NOT_CERTIFIABLE, Reason.CONFLICT)
CELL_DIGITS = 9
MIXED = "mixed"
"""The shard of a batch whose records belong to several: every shard reads it."""


class Ground(NamedTuple):
    """What all records of a batch are judged against; `latest` is the last instant they may tell
    of."""

    domain: tuple[str, str]
    grain: int
    latest: int


class Candidate(NamedTuple):
    """One record of the batch as it was received and read, and its device's entry."""

    received: bytes
    record: ocmf.Record | Reason
    entry: Document | None


class Outcome(NamedTuple):
    """The answer for one position; `row` and `cell` where the record is authentic."""

    reason: Reason
    row: Row | None = None
    cell: int = 0


async def submit(ctx: Context, fence: Fence, period: int) -> bytes:
    """File the batch in the transient map; one status byte per position of it."""
    if period != fence.period:
        raise Refusal("period-sealed" if period < fence.period else "period-not-open")
    salt, sent, cells = _transient(ctx)
    with refusals():
        records = batch.decode(sent)
    if len(records) > limits.BATCH_RECORDS or sum(map(len, records)) > limits.BATCH_BYTES:
        raise Refusal("too-large")
    outcomes = settle(await _judged(ctx, fence, records, cells))
    await _keep(ctx, fence, salt, sent, records, outcomes)
    return bytes(status_of(outcome.reason) for outcome in outcomes)


def _transient(ctx: Context) -> tuple[bytes, bytes, list[int]]:
    """Salt, packed records, and the cells in which the gateway expects the devices."""
    salt = ctx.stub.transient.get("salt", b"")
    sent = ctx.stub.transient.get("records", b"")
    if len(salt) != limits.SALT_BYTES:
        raise Refusal("salt-missing")
    if not sent:
        raise Refusal("malformed-batch")
    return salt, sent, _cells(ctx.stub.transient.get("cells", b""))


def _cells(text: bytes) -> list[int]:
    """Ascending numbers with commas between. What they say is no claim: a device that does not
    stand there is looked up by itself."""
    if not text:
        return []
    parts = text.split(b",") if text.isascii() else []
    numbers = [integer(part.decode(), CELL_DIGITS) for part in parts]
    found = [number for number in numbers if number is not None and number >= 0]
    ascending = all(one < two for one, two in pairwise(found))
    if not 0 < len(found) == len(numbers) <= limits.BATCH_CELLS or not ascending:
        raise Refusal("malformed-batch", "cells")
    return found


async def _judged(
    ctx: Context, fence: Fence, records: Sequence[bytes], cells: Sequence[int]
) -> list[Outcome]:
    """Read the records, look up the devices, judge; in the order of the batch."""
    parsed = await ctx.in_slices(_parsed, records)
    told = dict.fromkeys(one.device for one in parsed if not isinstance(one, Reason))
    if len(told) > limits.DEVICES_UNTOLD and not cells:
        raise Refusal("too-large", "cells")
    entries = await names.devices(ctx, [name for name in told if _is_id(name)], cells)
    latest = ctx.stub.timestamp + limits.CLOCK_TOLERANCE
    ground = Ground((fence.network, ctx.stub.channel_id), fence.grain, latest)
    candidates = [
        Candidate(received, one, None if isinstance(one, Reason) else entries.get(one.device))
        for received, one in zip(records, parsed, strict=True)
    ]
    return await ctx.in_slices(lambda some: judge(some, ground), candidates)


def _parsed(records: Sequence[bytes]) -> list[ocmf.Record | Reason]:
    return [_read(received) for received in records]


def _read(received: bytes) -> ocmf.Record | Reason:
    try:
        return ocmf.parse(received)
    except DomainError as error:
        return error.reason


def _is_id(name: str) -> bool:
    return is_id(name, ID_LENGTH)


def judge(candidates: Sequence[Candidate], ground: Ground) -> list[Outcome]:
    """Each record's verdict by itself: registered key, domain tag, time, capacity (rules R1, R4).

    All signatures of a slice are verified one after the other, which a processor's caches reward.
    """
    signed = list(_verified(candidates, ground))
    return [
        Outcome(refusal) if refusal is not None else _outcome(one, ground)
        for one, refusal in zip(candidates, signed, strict=True)
    ]


def _verified(candidates: Sequence[Candidate], ground: Ground) -> Iterator[Reason | None]:
    """Why each record is not authentic, or None."""
    signers = [_signer(one, ground) for one in candidates]
    for one, spki in zip(candidates, signers, strict=True):
        if isinstance(spki, Reason) or isinstance(one.record, Reason):
            yield spki if isinstance(spki, Reason) else Reason.UNKNOWN_DEVICE
            continue
        try:
            ocmf.verify(one.record, ocmf.load_key(spki))
        except ocmf.OcmfError as error:
            yield error.reason
        else:
            yield None


def _signer(candidate: Candidate, ground: Ground) -> str | Reason:
    record, entry = candidate.record, candidate.entry
    if isinstance(record, Reason):
        return record
    if entry is None:
        return Reason.UNKNOWN_DEVICE
    return readings.signer(record, entry["document"], ground.domain, ground.latest)


def _outcome(candidate: Candidate, ground: Ground) -> Outcome:
    """The outcome of an authentic record."""
    received, record, entry = candidate
    assert entry is not None
    assert not isinstance(record, Reason)
    verdict = readings.judged(received, record, entry["document"])
    if verdict.row is None or _spikes(verdict.row[5], entry["p_max_w"], ground.grain):
        return Outcome(Reason.SPIKE)
    return Outcome(verdict.status, verdict.row, entry["cell"])


def _spikes(found: Columns, power_w: int, grain: int) -> bool:
    """Whether a register rises faster within the record than its point can (rules R4)."""
    if len(found[columns.TIMES]) < 2:
        return False
    least = registers.cap(power_w, grain, grain)  # of any two readings, however near or far
    for role in columns.roles(found):
        values = found[role]
        if None not in values and max(b - a for a, b in pairwise(values)) <= least:
            continue
        steepest: dict[int, int] = {}
        for (since, start), (instant, whole) in pairwise(columns.knots(found, role)):
            seconds = max(grain, instant - since)
            steepest[seconds] = max(steepest.get(seconds, 0), whole - start)
        if any(rise > registers.cap(power_w, each, grain) for each, rise in steepest.items()):
            return True
    return False


def settle(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Mark repetitions inside the batch: equal payload is a duplicate, another one a conflict.

    A conflicting record is kept as evidence; the fold decides that neither counts.
    """
    seen: dict[tuple[str, int], list[str]] = {}
    settled = []
    for outcome in outcomes:
        if outcome.row is None:
            settled.append(outcome)
            continue
        device, counter, digest = outcome.row[:3]
        digests = seen.setdefault((device, counter), [])
        if digest in digests:
            settled.append(Outcome(Reason.DUPLICATE))
        elif digests:
            settled.append(Outcome(Reason.CONFLICT, outcome.row, outcome.cell))
        else:
            settled.append(outcome)
        digests.append(digest)
    return settled


async def _keep(
    ctx: Context,
    fence: Fence,
    salt: bytes,
    sent: bytes,
    records: Sequence[bytes],
    outcomes: Sequence[Outcome],
) -> None:
    """Write the private document and the public marker, if anything is kept."""
    kept = [(r, o) for r, o in zip(records, outcomes, strict=True) if o.row is not None]
    if not kept:
        return
    rows: dict[str, list[Row]] = {}
    for _, outcome in kept:
        assert outcome.row is not None
        rows.setdefault(str(outcome.cell), []).append(outcome.row)
    whole = len(kept) == len(records)
    received = [record for record, _ in kept]
    document = BatchDocument(
        salt, rows, SENT if whole else KEPT, sent if whole else batch.frame(received)
    )
    shards = sorted({outcome.cell % fence.shards for _, outcome in kept})
    shard = str(shards[0]) if len(shards) == 1 else MIXED
    stub = ctx.stub
    transaction = stub.transaction_id
    await stub.put_private(keys.COLLECTION, keys.batch(stub, transaction), document.encode())
    marker: Document = {"records": len(kept), "root": root(salt, received).hex()}
    await save(stub, keys.batch_marker(stub, fence.period, shard, transaction), marker)
