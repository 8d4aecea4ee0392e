# SPDX-License-Identifier: Apache-2.0
"""Every bound and default of the client, in one place."""

from dataclasses import dataclass

from pedchain_fabric.wire.limits import MESSAGE_BYTES_MAX

CHECKPOINT_BYTES_MAX = 4096
PROFILE_BYTES_MAX = 1024 * 1024
BLOCK_NUMBER_MAX = 2**64 - 1

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    # A peer refuses pings more often than once a minute.
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # gRPC's own two minutes would keep us away long after a peer is back.
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each step may take, in seconds. Fabric itself would wait for ever."""

    evaluate: float = 5.0
    endorse: float = 15.0
    submit: float = 5.0
    commit_status: float = 60.0
