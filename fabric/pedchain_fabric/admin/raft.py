# SPDX-License-Identifier: Apache-2.0
"""The ordering service's settings when its orderers only crash and never lie (etcdraft).

Raft cuts blocks by the channel's `BatchSize` and `BatchTimeout`, so `Batch` means there what it
says.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2

from pedchain_fabric.wire.durations import duration, milliseconds


@dataclass(frozen=True, slots=True)
class RaftTimers:
    """When consenters elect another leader: after `election_ticks` of `tick_ms` without a word.

    The defaults replace a dead leader in 1 to 2 s (Fabric's own take 5 to 10 s).
    """

    tick_ms: int = 100
    election_ticks: int = 10
    heartbeat_ticks: int = 1
    inflight_blocks: int = 5
    snapshot_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        """Refuse what an orderer refuses (orderer/consensus/etcdraft, VerifyConfigMetadata)."""
        if min(self.tick_ms, self.heartbeat_ticks, self.inflight_blocks) <= 0:
            raise ValueError("tick, heartbeat ticks and inflight blocks must be above 0")
        if self.election_ticks <= self.heartbeat_ticks:
            raise ValueError("heartbeat ticks < election ticks must hold")


def metadata(
    timers: RaftTimers, consenters: Iterable[etcdraft_pb2.Consenter]
) -> etcdraft_pb2.ConfigMetadata:
    """The metadata of the channel's `ConsensusType`: Raft keeps its consenters there."""
    return etcdraft_pb2.ConfigMetadata(
        consenters=consenters,
        options=etcdraft_pb2.Options(
            tick_interval=duration(timers.tick_ms),
            election_tick=timers.election_ticks,
            heartbeat_tick=timers.heartbeat_ticks,
            max_inflight_blocks=timers.inflight_blocks,
            snapshot_interval_size=timers.snapshot_bytes,
        ),
    )


def timers_of(stored: etcdraft_pb2.Options) -> RaftTimers:
    """The timers a channel's options hold. Raises `ValueError` for what no orderer would take."""
    return RaftTimers(
        tick_ms=milliseconds(stored.tick_interval),
        election_ticks=stored.election_tick,
        heartbeat_ticks=stored.heartbeat_tick,
        inflight_blocks=stored.max_inflight_blocks,
        snapshot_bytes=stored.snapshot_interval_size,
    )
