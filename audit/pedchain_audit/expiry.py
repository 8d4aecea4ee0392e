# SPDX-License-Identifier: Apache-2.0
"""Step 5, private values that expire: their hashes leave the state by themselves.

A value of a collection with a time to live of L blocks that was written in block N leaves with
block N + L + 1, unless it was written again since (Fabric: pvtstatepurgemgmt). It counts as no
write of that block: neither a conflict in it, nor part of its commit hash.
"""

from pedchain_audit.policies import definition
from pedchain_audit.world import Place, World
from pedchain_fabric.wire.rwset import Namespace, Version


class Expiry:
    """Hashes to leave, by the block they leave with."""

    def __init__(self) -> None:
        self._due: dict[int, list[tuple[Place, Version]]] = {}

    def written(self, world: World, namespaces: tuple[Namespace, ...], version: Version) -> None:
        """Notes what a valid transaction wrote that will not stay."""
        for each in namespaces:
            living = lives(world, each.name) if each.collections else {}
            for collection in each.collections:
                blocks = living.get(collection.name, 0)
                if not blocks:
                    continue
                due = self._due.setdefault(version.block + blocks + 1, [])
                due += [
                    ((each.name, collection.name, write.key_hash), version)
                    for write in collection.writes
                    if not write.deletes
                ]

    def leave(self, world: World, number: int) -> None:
        """What leaves with a block, after its writes."""
        for (namespace, collection, key), version in self._due.pop(number, []):
            if world.version(namespace, key, collection) == version:
                world.space(namespace, collection).drop(key)


def lives(world: World, name: str) -> dict[str, int]:
    """Collections whose values do not stay, with the blocks they live."""
    found = definition(world, name)
    return {
        each.name: each.block_to_live
        for each in (found.collections if found else ())
        if each.block_to_live
    }
