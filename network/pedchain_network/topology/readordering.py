# SPDX-License-Identifier: Apache-2.0
"""The section `ordering`: consensus, how many faults it bears, batches and timers."""

from collections.abc import Callable
from typing import TypeVar

from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.raft import RaftTimers
from pedchain_fabric.admin.smartbft import Batch, Timers
from pedchain_fabric.wire.quorum import faults_tolerated
from pedchain_network import limits
from pedchain_network.topology.model import Ordering
from pedchain_network.topology.yamlnode import Fields, Value

T = TypeVar("T")

_HOUR_MS = 3_600_000
_BATCH = ("batch_interval_ms", "batch_messages")
_BATCH_BYTES = ("batch_preferred_bytes", "batch_bytes")
_TIMERS = ("forward_ms", "complain_ms", "heartbeat_ms", "view_change_ms", "resend_ms")
_MORE_TIMERS = ("auto_remove_ms", "collect_ms")
_RAFT = ("tick_ms", "election_ticks", "heartbeat_ticks", "inflight_blocks", "snapshot_bytes")
_MOST_TICKS = 10_000


def read(value: Value, orderers: int) -> Ordering:
    """How `orderers` agree. Raises `TopologyError`."""
    consensus = _consensus(value)
    if consensus is Consensus.RAFT:
        each = value.fields(("faults", *_BATCH), ("consensus", *_BATCH_BYTES, *_RAFT))
    else:
        optional = ("consensus", *_BATCH_BYTES, *_MORE_TIMERS)
        each = value.fields(("faults", *_BATCH, *_TIMERS), optional)
    faults = each.integer("faults", 0, limits.ORGANIZATIONS)
    _quorum(each["faults"], consensus, faults, orderers)
    batch = _batch(each)
    if consensus is Consensus.RAFT:
        return Ordering(consensus, faults, batch, raft=_valid(value, lambda: _raft(each)))
    return Ordering(consensus, faults, batch, timers=_valid(value, lambda: _timers(each)))


def _consensus(value: Value) -> Consensus:
    """Read before the other keys: which of those there may be depends on it."""
    found = value.field("consensus")
    if found is None:
        return Consensus.SMARTBFT
    try:
        return Consensus(found.text())
    except ValueError as error:
        known = " or ".join(Consensus)
        raise found.fail(f"unknown consensus {found.text()!r}", f"write {known}") from error


def _quorum(value: Value, consensus: Consensus, faults: int, orderers: int) -> None:
    """n >= 3f + 1 if they may lie: below that, f liars can make two halves disagree. Raft, whose
    orderers only stop, needs n >= 2f + 1."""
    if orderers < 1:
        raise value.fail("nobody orders", "let an organisation have an orderer")
    if consensus is Consensus.RAFT:
        tolerated, needed, rule = (orderers - 1) // 2, 2 * faults + 1, "2f+1"
    else:
        tolerated, needed, rule = faults_tolerated(orderers), 3 * faults + 1, "3f+1"
    if faults > tolerated:
        raise value.fail(
            f"{orderers} orderers tolerate {tolerated} faults, not {faults}: "
            f"{consensus} needs {rule}",
            f"add orderers up to {needed}, or lower `faults`",
        )


def _batch(each: Fields) -> Batch:
    default = Batch()
    preferred = each.integer("batch_preferred_bytes", 1 << 10, 99 << 20, default.preferred_bytes)
    absolute = each.integer("batch_bytes", 1 << 10, 99 << 20, default.absolute_bytes)
    if preferred > absolute:
        named = "batch_preferred_bytes" if "batch_preferred_bytes" in each.found else "batch_bytes"
        raise each[named].fail(
            f"{preferred} bytes preferred, but {absolute} at most", "order them so"
        )
    interval = each.integer("batch_interval_ms", 1, _HOUR_MS)
    messages = each.integer("batch_messages", 1, limits.BATCH_MESSAGES)
    return Batch(interval, messages, preferred, absolute)


def _timers(each: Fields) -> Timers:
    default = Timers()
    forward, complain, heartbeat, view_change, resend = (
        each.integer(name, 1, _HOUR_MS) for name in _TIMERS
    )
    return Timers(
        forward_ms=forward,
        complain_ms=complain,
        auto_remove_ms=each.integer("auto_remove_ms", 1, _HOUR_MS, default.auto_remove_ms),
        heartbeat_ms=heartbeat,
        view_change_ms=view_change,
        resend_ms=resend,
        collect_ms=each.integer("collect_ms", 1, _HOUR_MS, default.collect_ms),
    )


def _raft(each: Fields) -> RaftTimers:
    default = RaftTimers()
    return RaftTimers(
        tick_ms=each.integer("tick_ms", 1, _HOUR_MS, default.tick_ms),
        election_ticks=each.integer("election_ticks", 1, _MOST_TICKS, default.election_ticks),
        heartbeat_ticks=each.integer("heartbeat_ticks", 1, _MOST_TICKS, default.heartbeat_ticks),
        inflight_blocks=each.integer("inflight_blocks", 1, 1_000, default.inflight_blocks),
        snapshot_bytes=each.integer("snapshot_bytes", 1 << 10, 1 << 30, default.snapshot_bytes),
    )


def _valid(value: Value, make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as error:
        raise value.fail(str(error), "order the times so") from error
