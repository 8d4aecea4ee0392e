# SPDX-License-Identifier: Apache-2.0
"""What a peer in memory committed, transaction by transaction, as the auditor sees it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pedchain_audit.decisions import Act
from pedchain_audit.world import World
from pedchain_fabric.shim.testing import MemoryPeer, Outcome
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.rwset import KvWrite, Namespace, Version, hash_key
from tests.unit.chaincode.district import DSO, METERING

Change = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class History:
    """All committed transactions with who made them."""

    outcomes: list[tuple[Outcome, str]] = field(default_factory=list)

    @classmethod
    def of(cls, peer: MemoryPeer) -> "History":
        """Notes what the peer commits from now on."""
        found = cls()
        submit, commit = peer.submit, peer.commit
        clients: list[bytes] = []

        async def noted(*call: Any, **options: Any) -> bytes:
            clients.append(options.get("creator", DSO))
            return await submit(*call, **options)

        def kept(outcome: Outcome) -> int:
            found.outcomes.append((outcome, Identity.from_creator(clients[-1]).msp_id))
            return commit(outcome)

        peer.submit = noted  # type: ignore[method-assign]  # the one place all calls pass
        peer.commit = kept  # type: ignore[method-assign]  # the one place all writes pass
        return found

    def play(self) -> Iterator[tuple[Outcome, Act, World]]:
        """Each transaction with the state before it."""
        world = World()
        for number, (outcome, msp_id) in enumerate(self.outcomes):
            seconds = outcome.timestamp_ns // 1_000_000_000
            yield outcome, Act(msp_id, outcome.transaction_id, seconds), world
            world.apply(outcome.namespaces, Version(number, 0))


def private_values(outcome: Outcome) -> dict[bytes, bytes]:
    """The district's private values by the hash of their key."""
    return {
        hash_key(write.key): write.value
        for namespace in outcome.private_namespaces
        for collection in namespace.collections
        for write in collection.writes
        if namespace.name == METERING and write.value
    }


def altered(namespace: Namespace, kind: str, change: Change) -> Namespace:
    """The namespace with its public documents of a kind changed on their way."""

    def write_of(write: KvWrite) -> KvWrite:
        if write.deletes or not write.key.startswith("\x00"):
            return write
        if compositekey.split(write.key)[0] != kind:
            return write
        document = change(json.loads(write.value))
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return replace(write, value=text.encode())

    return replace(namespace, writes=tuple(write_of(write) for write in namespace.writes))
