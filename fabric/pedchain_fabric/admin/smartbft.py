# SPDX-License-Identifier: Apache-2.0
"""The ordering service's consensus settings (SmartBFT).

Fabric reads the batch's count and bytes from the channel's `BatchSize`, not from here, and
does not use `BatchTimeout` at all under SmartBFT (orderer/consensus/smartbft/util.go); both are
still written consistently, so that no reader of the configuration is misled.
"""

from dataclasses import dataclass

from fabric_protos.orderer import configuration_pb2
from fabric_protos.orderer.smartbft import configuration_pb2 as smartbft_pb2

from pedchain_fabric.wire.durations import duration, milliseconds


@dataclass(frozen=True, slots=True)
class Batch:
    """How orderers cut blocks. `interval_ms` is the longest wait for a block's first message."""

    interval_ms: int = 10
    messages: int = 500
    preferred_bytes: int = 2 << 20
    absolute_bytes: int = 16 << 20

    def to_proto(self) -> configuration_pb2.BatchSize:
        """The channel's `BatchSize` value."""
        return configuration_pb2.BatchSize(
            max_message_count=self.messages,
            absolute_max_bytes=self.absolute_bytes,
            preferred_max_bytes=self.preferred_bytes,
        )


@dataclass(frozen=True, slots=True)
class Timers:
    """When consenters lose patience, in milliseconds.

    The defaults replace a dead leader in 2.3 s (Fabric's own take 22 s): a request not ordered
    is forwarded to the leader, then complained about, then a new view is elected.
    """

    forward_ms: int = 500
    complain_ms: int = 2_000
    auto_remove_ms: int = 180_000
    heartbeat_ms: int = 3_000
    view_change_ms: int = 4_000
    resend_ms: int = 1_000
    collect_ms: int = 1_000

    def __post_init__(self) -> None:
        """Refuse what SmartBFT's own validation would refuse only when an orderer starts."""
        if not self.forward_ms <= self.complain_ms <= self.auto_remove_ms:
            raise ValueError("forward <= complain <= auto_remove must hold")
        if self.resend_ms > self.view_change_ms:
            raise ValueError("resend <= view_change must hold")
        if min(self.forward_ms, self.heartbeat_ms, self.resend_ms, self.collect_ms) <= 0:
            raise ValueError("every timer must be above 0")


_INCOMING_BUFFER = 200
_REQUEST_POOL = 100_000
_HEARTBEAT_COUNT = 10


def options(batch: Batch, timers: Timers) -> smartbft_pb2.Options:
    """The metadata of the channel's `ConsensusType`. Leader rotation stays off: Fabric v3 refuses
    it (configverifier.go)."""
    made = smartbft_pb2.Options(
        incoming_message_buffer_size=_INCOMING_BUFFER,
        request_pool_size=_REQUEST_POOL,
        leader_heartbeat_count=_HEARTBEAT_COUNT,
    )
    put_batch(made, batch)
    put_timers(made, timers)
    return made


def put_batch(stored: smartbft_pb2.Options, batch: Batch) -> None:
    """Repeat the channel's batch in the options, and say how long it waits."""
    stored.request_batch_max_count = batch.messages
    stored.request_batch_max_bytes = batch.absolute_bytes
    stored.request_batch_max_interval = duration(batch.interval_ms)


def put_timers(stored: smartbft_pb2.Options, timers: Timers) -> None:
    """Write the timers into the options, leaving the rest."""
    stored.request_forward_timeout = duration(timers.forward_ms)
    stored.request_complain_timeout = duration(timers.complain_ms)
    stored.request_auto_remove_timeout = duration(timers.auto_remove_ms)
    stored.view_change_resend_interval = duration(timers.resend_ms)
    stored.view_change_timeout = duration(timers.view_change_ms)
    stored.leader_heartbeat_timeout = duration(timers.heartbeat_ms)
    stored.collect_timeout = duration(timers.collect_ms)


def timers_of(stored: smartbft_pb2.Options) -> Timers:
    """The timers a channel's options hold. Raises `ValueError` for what no orderer would take."""
    return Timers(
        forward_ms=milliseconds(stored.request_forward_timeout),
        complain_ms=milliseconds(stored.request_complain_timeout),
        auto_remove_ms=milliseconds(stored.request_auto_remove_timeout),
        heartbeat_ms=milliseconds(stored.leader_heartbeat_timeout),
        view_change_ms=milliseconds(stored.view_change_timeout),
        resend_ms=milliseconds(stored.view_change_resend_interval),
        collect_ms=milliseconds(stored.collect_timeout),
    )
