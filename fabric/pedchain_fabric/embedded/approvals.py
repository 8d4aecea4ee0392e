# SPDX-License-Identifier: Apache-2.0
"""What one peer can run on a channel: defined, approved by its organisation, installed here.

Source: core/chaincode/lifecycle/cache.go. Fabric keeps a cache; we read the hashes of the
organisation's implicit collection, again after each change.
"""

import hashlib
from dataclasses import dataclass

from fabric_protos.peer.lifecycle.db_pb2 import StateData

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.ledger import Definition, Simulator
from pedchain_fabric.embedded.ledger.lifecycle import (
    CHAINCODE_SOURCES,
    NAMESPACE,
    NAMESPACES,
    implicit_collection,
)
from pedchain_fabric.embedded.store import PackageStore
from pedchain_fabric.embedded.system.lifecycle.records import (
    LOCAL_PACKAGE,
    PARAMETERS,
    Hash,
    Record,
    package_fields,
    parameters_of,
)
from pedchain_fabric.wire.messages import serialize


@dataclass(frozen=True, slots=True)
class LocalChaincode:
    """A definition as one peer sees it; `package_id` is None where nothing is installed."""

    definition: Definition
    approved: bool
    package_id: str | None

    @property
    def runnable(self) -> bool:
        """Whether this peer offers itself as an endorser."""
        return self.approved and self.package_id is not None


class Approvals:
    """One peer's view of one channel's chaincode."""

    def __init__(self, channel: Channel, msp_id: str, packages: PackageStore) -> None:
        self._channel = channel
        self._ledger = channel.ledger
        self._msp_id = msp_id
        self._packages = packages
        self._read_at: tuple[int, int] = (-1, -1)
        self._known: dict[str, LocalChaincode | None] = {}

    def get(self, name: str) -> LocalChaincode | None:
        """The chaincode of that name, None if the channel has no such definition."""
        now = (self._channel.lifecycle_revision, len(self._packages))
        if now != self._read_at:
            self._read_at = now
            self._known.clear()
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def all(self) -> list[LocalChaincode]:
        """Every definition of the channel."""
        found = (self.get(definition.name) for definition in self._ledger.definitions())
        return [chaincode for chaincode in found if chaincode is not None]

    def references(self, package_id: str) -> list[LocalChaincode]:
        """The definitions this package serves."""
        return [chaincode for chaincode in self.all() if chaincode.package_id == package_id]

    def _read(self, name: str) -> LocalChaincode | None:
        definition = self._ledger.definition(name)
        if definition is None:
            return None
        with self._ledger.simulator("", self._msp_id) as simulator:
            hash_of = _hashes(simulator, implicit_collection(self._msp_id))
            private_name = f"{name}#{definition.sequence}"
            record = Record(NAMESPACES, private_name, PARAMETERS)
            if record.mismatches(parameters_of(definition).fields(), hash_of):
                return LocalChaincode(definition, False, None)
            return LocalChaincode(definition, True, self._package(private_name, hash_of))

    def _package(self, private_name: str, hash_of: Hash) -> str | None:
        source = Record(CHAINCODE_SOURCES, private_name, LOCAL_PACKAGE)
        if source.mismatches(package_fields(""), hash_of) == [LOCAL_PACKAGE]:
            return None
        wanted = hash_of(source.field("PackageID"))
        for package_id in self._packages.ids():
            encoded = serialize(StateData(String=package_id))
            if hashlib.sha256(encoded).digest() == wanted:
                return package_id
        return None


def _hashes(simulator: Simulator, collection: str) -> Hash:
    def hash_of(key: str) -> bytes | None:
        return simulator.get_private_hash(NAMESPACE, collection, key)

    return hash_of
