# SPDX-License-Identifier: Apache-2.0
"""Where chaincode's policies on the ledger name an organisation.

Who is named cannot leave: a policy that needs him could never be met again, and a definition
that names an organisation outside the channel is refused (peer/lifecycle, checkOrgsInChannel).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fabric_protos.common.common_pb2 import Block, HeaderType
from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import CollectionConfig
from fabric_protos.peer.lifecycle.lifecycle_pb2 import QueryChaincodeDefinitionResult
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.block import validation_codes
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.rwsettypes import Entries, Namespace
from pedchain_fabric.wire.transaction import parse_envelope
from pedchain_network.channel.governance import names_in

_KEY_POLICY = "VALIDATION_PARAMETER"


def in_definition(name: str, agreed: QueryChaincodeDefinitionResult, msp_id: str) -> list[str]:
    """The parts of an agreed definition that name the organisation, in words."""
    policy = parse(ApplicationPolicy, agreed.validation_parameter)
    found = [f"the endorsement policy of {name}"] if msp_id in _names(policy) else []
    for config in agreed.collections.config:
        found += _in_collection(name, config, msp_id)
    return found


def _in_collection(name: str, config: CollectionConfig, msp_id: str) -> Iterator[str]:
    static = config.static_collection_config
    if msp_id in names_in(static.member_orgs_policy.signature_policy):
        yield f"the members of collection {static.name} of {name}"
    if msp_id in _names(static.endorsement_policy):
        yield f"the endorsement policy of collection {static.name} of {name}"


def _names(policy: ApplicationPolicy) -> frozenset[str]:
    return names_in(policy.signature_policy)


# chaincode, collection (empty: public state), key or for private data its hash
Key = tuple[str, str, str | bytes]


@dataclass(slots=True)
class KeyPolicies:
    """Keys whose own policy names an organisation, found by reading the ledger from its start.

    There is no other way: peers answer what a key's policy is, but not which keys have one.
    """

    msp_id: str
    keys: set[Key] = field(default_factory=set)

    def read(self, block: Block) -> None:
        """Take the next block. Raises `WireError`."""
        codes = validation_codes(block)
        for position, data in enumerate(block.data.data):
            if codes[position] != TxValidationCode.VALID:
                continue
            transaction = parse_envelope(data)
            if transaction.type == HeaderType.ENDORSER_TRANSACTION:
                for namespace in rwset.decode(transaction.results):
                    self._namespace(namespace)

    def _namespace(self, namespace: Namespace) -> None:
        for write in namespace.writes:
            if write.deletes:
                self.keys.discard((namespace.name, "", write.key))
        for metadata in namespace.metadata_writes:
            self._metadata((namespace.name, "", metadata.key), metadata.entries)
        for collection in namespace.collections:
            for hashed in collection.writes:
                if hashed.deletes:
                    self.keys.discard((namespace.name, collection.name, hashed.key_hash))
            for private in collection.metadata_writes:
                key = (namespace.name, collection.name, private.key_hash)
                self._metadata(key, private.entries)

    def _metadata(self, key: Key, entries: Entries) -> None:
        """A metadata write replaces all of the key's metadata."""
        policy = dict(entries).get(_KEY_POLICY, b"")
        if self.msp_id in _key_policy_names(policy):
            self.keys.add(key)
        else:
            self.keys.discard(key)

    def words(self) -> list[str]:
        """How many keys there are in each place."""
        places = sorted({(chaincode, collection) for chaincode, collection, _ in self.keys})
        return [f"the policies of {self._count(each)} keys of {_words(each)}" for each in places]

    def _count(self, place: tuple[str, str]) -> int:
        return sum(1 for key in self.keys if key[:2] == place)


def _words(place: tuple[str, str]) -> str:
    chaincode, collection = place
    return f"{chaincode}, collection {collection}" if collection else chaincode


def _key_policy_names(policy: bytes) -> frozenset[str]:
    try:
        return names_in(parse(SignaturePolicyEnvelope, policy))
    except WireError:
        return frozenset()
