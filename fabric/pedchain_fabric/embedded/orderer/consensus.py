# SPDX-License-Identifier: Apache-2.0
"""What the kinds of consensus have in common for a chain that all orderers of the process share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.embedded.orderer.blocks import End
from pedchain_fabric.embedded.orderer.pool import Cut, Request
from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import SigningIdentity, load_certificate

CACHED_COMPARISONS = 1_000


@dataclass(frozen=True, slots=True)
class Member:
    """An orderer of the process: SmartBFT knows it by its identity, Raft by its TLS certificate."""

    identity: SigningIdentity
    tls_certificate: bytes


@dataclass(frozen=True, slots=True)
class Turn:
    """The moment a block is made: the configuration in force, the chain's end, and the consenters
    that take part, by number."""

    config: ChannelConfig
    end: End
    present: Mapping[int, Member]


class Consensus(Protocol):
    """How one kind of ordering service takes requests, cuts batches and signs blocks."""

    def number(self, config: ChannelConfig, member: Member) -> int | None:
        """Which of the channel's consenters the orderer is; None: it only follows."""
        ...

    def size(self, config: ChannelConfig) -> int:
        """How many consenters the channel has."""
        ...

    def quorum(self, config: ChannelConfig) -> int:
        """How many consenters must take part."""
        ...

    def request(self, envelope: bytes) -> Request:
        """The request an envelope makes. Raises WireError."""
        ...

    def pool_size(self, config: ChannelConfig) -> int:
        """How many requests may wait."""
        ...

    def cut(self, config: ChannelConfig) -> Cut:
        """When a batch is full."""
        ...

    def interval(self, config: ChannelConfig) -> float:
        """How long a batch waits to be full, in seconds."""
        ...

    def invalid(self, before: ChannelConfig, wanted: Config) -> str:
        """Why the new consensus metadata are invalid; empty if they are not."""
        ...

    def refusal(self, wanted: Config) -> str:
        """Why the consenters would not order the configuration; empty if they would."""
        ...

    def block(self, at: Turn, envelopes: Sequence[bytes]) -> Block:
        """The next block, signed."""
        ...


@lru_cache(CACHED_COMPARISONS)
def same_key(one: bytes, other: bytes) -> bool:
    """Whether both PEM texts hold certificates of one key; what cannot be read is none.

    A consenter that renews a certificate and keeps its key stays the same one: Raft's orderers
    compare so (etcdraft/consenter.go), SmartBFT's from Fabric 3.1.2 on (IsChannelMember).
    """
    try:
        keys = [load_certificate(each).public_key() for each in (one, other)]
    except (IdentityError, ValueError, UnsupportedAlgorithm):
        return False
    return keys[0] == keys[1]
