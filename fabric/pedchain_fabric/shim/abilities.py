# SPDX-License-Identifier: Apache-2.0
"""What the peer at the other end can do beyond the oldest protocol; it says so in READY."""

from dataclasses import dataclass

from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim.limits import BATCH_FLOOR
from pedchain_fabric.wire.messages import parse


@dataclass(frozen=True, slots=True)
class Abilities:
    """The most writes in one batch and keys in one multiple read; 0 where the peer has neither."""

    write_batch: int = 0
    multiple_keys: int = 0

    @classmethod
    def from_ready(cls, payload: bytes) -> "Abilities":
        """Read READY's payload.

        Peers before v3.1 send none, and what we cannot read counts as none, as in the Go shim:
        without either, every write and read is a message of its own.
        """
        try:
            offered = parse(ChaincodeAdditionalParams, payload)
        except WireError:
            return cls()
        return cls(
            write_batch=_size(offered.use_write_batch, offered.max_size_write_batch),
            multiple_keys=_size(offered.use_get_multiple_keys, offered.max_size_get_multiple_keys),
        )


def _size(offered: bool, size: int) -> int:
    return max(size, BATCH_FLOOR) if offered else 0
