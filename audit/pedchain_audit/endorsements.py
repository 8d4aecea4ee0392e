# SPDX-License-Identifier: Apache-2.0
"""Step 4: the endorsements satisfy every policy that the writes of a transaction had to meet.

A key's own policy comes first, then its collection's, then its chaincode's; the chaincode's is
asked in any case where no policy was (Fabric: core/common/validation/statebased/v20.go and
validator_keylevel.go). Policies are those in force before the block.
"""

from collections.abc import Iterator, Sequence

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope

from pedchain_audit.policies import chaincode_policy, collection_policy, definition
from pedchain_audit.signatures import Signatures, endorsed
from pedchain_audit.world import VALIDATION_PARAMETER, Place, World
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.policytree import Policy, SignatureRule
from pedchain_fabric.wire.rwset import Namespace
from pedchain_fabric.wire.transaction import TransactionParts

#: Identities whose endorsement signatures are good, each once.
Endorsers = Sequence[Identity]
#: Whether a definition's (name, sequence), or its collection's, policy was satisfied by whom, under
#: one configuration of the channel.
Known = dict[tuple[str, int, str, tuple[Identity, ...]], bool]


def writes(namespace: Namespace) -> Iterator[Place]:
    """Places a transaction writes in one namespace, value or metadata."""
    for write in namespace.writes:
        yield namespace.name, "", write.key
    for collection in namespace.collections:
        for trace in collection.writes:
            yield namespace.name, collection.name, trace.key_hash
    yield from metadata_places([namespace])


def metadata_places(namespaces: Sequence[Namespace]) -> Iterator[Place]:
    """Places whose key-level policy a transaction changes."""
    for namespace in namespaces:
        for change in namespace.metadata_writes:
            yield namespace.name, "", change.key
        for collection in namespace.collections:
            for hidden in collection.metadata_writes:
                yield namespace.name, collection.name, hidden.key_hash


class EndorsementCheck:
    """The policies of one block's transactions, on the state before it.

    `changed` collects places whose own policy an earlier endorsed transaction of the block
    changes: later writers of such a place are invalid whatever their endorsements.
    """

    def __init__(
        self, world: World, config: ChannelConfig, signatures: Signatures, known: Known
    ) -> None:
        self.signatures = signatures
        self.known = known
        self.world = world
        self.config = config
        self.changed: set[Place] = set()

    def satisfied(self, transaction: TransactionParts, namespaces: Sequence[Namespace]) -> bool:
        """Whether every namespace that is written, and the one that was called, is endorsed."""
        endorsers = self.signatures.signers(self.config.msps, endorsed(transaction))
        called = transaction.chaincode_name
        named = {each.name: each for each in namespaces if each.is_written or each.name == called}
        named.setdefault(called, Namespace(called))
        satisfied = all(self._namespace(each, endorsers) for each in named.values())
        if satisfied:
            self.changed.update(metadata_places(namespaces))
        return satisfied

    def _namespace(self, namespace: Namespace, endorsers: Endorsers) -> bool:
        asked: dict[str, bool] = {}
        some_checked = False
        for place in writes(namespace):
            if place in self.changed:
                return False
            own = self._key_policy(place)
            if own is not None:
                if not own.satisfied_by_identities(endorsers):
                    return False
            elif not self._level(place, endorsers, asked):
                return False
            some_checked = True
        return some_checked or self._asked(namespace.name, "", endorsers)

    def _level(self, place: Place, endorsers: Endorsers, asked: dict[str, bool]) -> bool:
        """The policy of the place's collection, or of its chaincode; asked once each."""
        namespace, collection, _ = place
        if collection not in asked:
            asked[collection] = self._asked(namespace, collection, endorsers)
        return asked[collection]

    def _key_policy(self, place: Place) -> Policy | None:
        cell = self.world.cell(place[0], place[2], place[1])
        raw = dict(cell.metadata).get(VALIDATION_PARAMETER) if cell else None
        if not raw:
            return None
        return SignatureRule(parse(SignaturePolicyEnvelope, raw), self.config.msps)

    def _asked(self, name: str, collection: str, endorsers: Endorsers) -> bool:
        """The same few policies are asked of the same few endorsers again and again."""
        found = definition(self.world, name)
        asked = (name, found.sequence if found else 0, collection, tuple(endorsers))
        if asked not in self.known:
            policy = (
                collection_policy(self.world, self.config, name, collection)
                if collection
                else chaincode_policy(self.world, self.config, name)
            )
            satisfied = policy is not None and policy.satisfied_by_identities(endorsers)
            self.known[asked] = satisfied
        return self.known[asked]
