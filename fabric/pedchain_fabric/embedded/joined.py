# SPDX-License-Identifier: Apache-2.0
"""The channels one node has joined, and how it joins another."""

from collections.abc import Iterator
from typing import Protocol

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.store import Store


class JoinRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The node cannot join with that block."""


class Channels(Protocol):
    """The process's channels."""

    def open(self, genesis: Block) -> Channel:
        """The channel this block begins, created if it is the first. Raises JoinRefused."""
        ...


class Joined:
    """What this node serves. It outlives the process."""

    def __init__(self, node: str, store: Store) -> None:
        self._node = node
        self._store = store
        self._channels: dict[str, Channel] = {}

    def __iter__(self) -> Iterator[Channel]:
        return iter(list(self._channels.values()))

    def get(self, name: str) -> Channel | None:
        """The channel, None if this node has not joined it."""
        return self._channels.get(name)

    def add(self, channel: Channel) -> None:
        """Joins, durably."""
        self._store.join(self._node, channel.name)
        self._channels[channel.name] = channel

    def remove(self, name: str) -> None:
        """Leaves, durably."""
        self._store.leave(self._node, name)
        self._channels.pop(name, None)

    def restore(self, channels: dict[str, Channel]) -> list[Channel]:
        """Takes up again what was joined before the process ended."""
        found = [channels[name] for name in self._store.joined(self._node) if name in channels]
        self._channels = {channel.name: channel for channel in found}
        return found
