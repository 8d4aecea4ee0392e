# SPDX-License-Identifier: Apache-2.0
"""Which policy each write of a transaction needs, and whether it is met.

Fabric core/common/validation/statebased (v20.go, validator_keylevel.go, vpmanagerimpl.go):
a key's own policy comes first, then its collection's, then the definition's; the definition's is
checked in any case if no other was. A transaction that only writes to one organisation's
implicit collection therefore needs that organisation alone.
"""

from collections.abc import Iterator, Sequence

from pedchain_fabric.embedded.ledger import keymetadata
from pedchain_fabric.embedded.ledger.definitions import Definitions
from pedchain_fabric.embedded.ledger.policies import PolicyEvaluator
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.versioned import hashed_space
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.rwset import Namespace

# Collection ("" for public state), space of the state, key.
Written = tuple[str, str, bytes]


class EndorsementCheck:
    """Checks the transactions of one block, in order."""

    def __init__(self, state: State, definitions: Definitions, policies: PolicyEvaluator) -> None:
        self._state = state
        self._definitions = definitions
        self._policies = policies
        self._repoliced: set[tuple[str, bytes]] = set()

    def holds(self, namespace: Namespace, policy: bytes, signed: Sequence[SignedData]) -> bool:
        """Whether the endorsements suffice for what is done to one namespace.

        `policy` is the definition's own. If they do, later transactions of the block may not
        write keys whose metadata this one changes.
        """
        met: set[str] = set()  # collections whose policy is met; "" is the definition's own
        key_policy_met = False
        for collection, space, key in _written(namespace):
            if (space, key) in self._repoliced:
                return False
            own = self._key_policy(space, key)
            if own:
                if not self._policies.signature_policy_satisfied(own, signed):
                    return False
                key_policy_met = True
            elif not self._collection_met(namespace.name, collection, policy, signed, met):
                return False
        if not met and not key_policy_met and not self._policies.satisfied(policy, signed):
            return False
        self._repoliced.update((space, key) for _, space, key in _repoliced(namespace))
        return True

    def _key_policy(self, space: str, key: bytes) -> bytes:
        row = self._state.get(space, key)
        if row is None or not row.metadata:
            return b""
        return keymetadata.unpack(row.metadata).get(keymetadata.POLICY, b"")

    def _collection_met(
        self,
        chaincode: str,
        collection: str,
        policy: bytes,
        signed: Sequence[SignedData],
        met: set[str],
    ) -> bool:
        """Whether the policy of the collection holds, or of the definition for public state."""
        if collection in met:
            return True
        needed: bytes | None = policy
        if collection:
            needed = self._definitions.collection_policy(chaincode, collection)
        if needed is None or not self._policies.satisfied(needed, signed):
            return False
        met.add(collection)
        return True


def _written(namespace: Namespace) -> Iterator[Written]:
    """Every key whose value or metadata is written."""
    for write in namespace.writes:
        yield "", namespace.name, write.key.encode()
    for collection in namespace.collections:
        space = hashed_space(namespace.name, collection.name)
        for hashed in collection.writes:
            yield collection.name, space, hashed.key_hash
    yield from _repoliced(namespace)


def _repoliced(namespace: Namespace) -> Iterator[Written]:
    """Every key whose metadata is written."""
    for noted in namespace.metadata_writes:
        yield "", namespace.name, noted.key.encode()
    for collection in namespace.collections:
        space = hashed_space(namespace.name, collection.name)
        for marked in collection.metadata_writes:
            yield collection.name, space, marked.key_hash
