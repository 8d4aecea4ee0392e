# SPDX-License-Identifier: Apache-2.0
"""The two places `_lifecycle` keeps things: public state, and each organisation's collection."""

from dataclasses import dataclass

from pedchain_fabric.embedded.ledger import Simulator
from pedchain_fabric.embedded.ledger.lifecycle import NAMESPACE, implicit_collection

_LAST = "\x7f"
"""Names are ASCII: a range up to this covers every name with a prefix (ledger_shim.go)."""


@dataclass(frozen=True, slots=True)
class PublicState:
    """Public state of `_lifecycle`."""

    simulator: Simulator

    def get(self, key: str) -> bytes | None:
        """The committed value."""
        return self.simulator.get_state(NAMESPACE, key)

    def put(self, key: str, value: bytes) -> None:
        """Writes a value."""
        self.simulator.put_state(NAMESPACE, key, value)

    def delete(self, key: str) -> None:
        """Deletes a key."""
        self.simulator.delete_state(NAMESPACE, key)

    def names(self, prefix: str) -> list[tuple[str, bytes]]:
        """What follows the prefix in each key, and its value."""
        rows = self.simulator.range(NAMESPACE, prefix, prefix + _LAST)
        return [(row.key.removeprefix(prefix), row.value) for row in rows]


@dataclass(frozen=True, slots=True)
class OrganizationState:
    """One organisation's implicit collection of `_lifecycle`."""

    simulator: Simulator
    msp_id: str

    @property
    def _collection(self) -> str:
        return implicit_collection(self.msp_id)

    def get(self, key: str) -> bytes | None:
        """The committed value; only for this organisation's own peer."""
        return self.simulator.get_private(NAMESPACE, self._collection, key)

    def put(self, key: str, value: bytes) -> None:
        """Writes a value."""
        self.simulator.put_private(NAMESPACE, self._collection, key, value)

    def delete(self, key: str) -> None:
        """Deletes a key."""
        self.simulator.delete_private(NAMESPACE, self._collection, key)

    def hash_of(self, key: str) -> bytes | None:
        """SHA-256 of the value; anyone may see it."""
        return self.simulator.get_private_hash(NAMESPACE, self._collection, key)

    def names(self, prefix: str) -> list[tuple[str, bytes]]:
        """What follows the prefix in each key, and its value."""
        rows = self.simulator.private_range(NAMESPACE, self._collection, prefix, prefix + _LAST)
        return [(row.key.removeprefix(prefix), row.value) for row in rows]
