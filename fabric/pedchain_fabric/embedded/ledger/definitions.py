# SPDX-License-Identifier: Apache-2.0
"""Definitions, collections and their policies as they are now, read once and kept.

Fabric core/chaincode/lifecycle/deployedcc_infoprovider.go.
"""

from typing import Final

from fabric_protos.peer.collection_pb2 import CollectionPolicyConfig, StaticCollectionConfig
from fabric_protos.peer.lifecycle.db_pb2 import StateMetadata
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_fabric.embedded.ledger.lifecycle import (
    DEFINITION_TYPE,
    NAMESPACE,
    NAMESPACES,
    Collection,
    Definition,
    collection_of,
    implicit_collection,
    implicit_owner,
    metadata_key,
    read_definition,
)
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.versioned import UpdateBatch
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.policy import signed_by_any

LIFECYCLE_POLICY: Final = "/Channel/Application/LifecycleEndorsement"
_PREFIX: Final = metadata_key(NAMESPACES, "").encode()
# The first key after all that start with the prefix.
_PREFIX_END: Final = _PREFIX[:-1] + bytes([_PREFIX[-1] + 1])


class Definitions:
    """Reads `_lifecycle` in the latest committed state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._config: ChannelConfig | None = None
        self._known: dict[str, Definition | None] = {}

    def configure(self, config: ChannelConfig) -> None:
        """The channel configuration decides which implicit collections there are."""
        self._config = config

    def committed(self, batch: UpdateBatch) -> None:
        """Forget what a committed block may have changed."""
        if batch.changes(NAMESPACE):
            self._known.clear()

    def get(self, name: str) -> Definition | None:
        """The definition of a chaincode, None if none is committed."""
        if name not in self._known:
            self._known[name] = read_definition(self._read, name)
        return self._known[name]

    def _read(self, key: str) -> bytes | None:
        row = self._state.get(NAMESPACE, key.encode())
        return None if row is None else row.value

    def all(self) -> tuple[Definition, ...]:
        """All committed definitions, by name."""
        names = [
            entry.key[len(_PREFIX) :].decode()
            for entry in self._state.range(NAMESPACE, _PREFIX, _PREFIX_END)
            if parse(StateMetadata, entry.row.value).datatype == DEFINITION_TYPE
        ]
        found = [self.get(name) for name in names]
        return tuple(one for one in found if one is not None)

    def collection(self, chaincode: str, name: str) -> Collection | None:
        """The explicit or implicit collection of a chaincode."""
        definition = self.get(chaincode)
        if definition is None and chaincode != NAMESPACE:
            return None
        owner = implicit_owner(name)
        if owner is not None:
            return self._implicit(owner)
        return None if definition is None else definition.collection(name)

    def _implicit(self, owner: str) -> Collection | None:
        if self._organization(owner) is None:
            return None
        members = CollectionPolicyConfig(signature_policy=signed_by_any([owner]))
        config = StaticCollectionConfig(name=implicit_collection(owner), member_orgs_policy=members)
        return collection_of(config)

    def _organization(self, msp_id: str) -> str | None:
        """The name in the channel configuration of the organisation with this MSP id."""
        if self._config is None:
            return None
        organizations = self._config.application_orgs.values()
        return next((each.name for each in organizations if each.msp_id == msp_id), None)

    def policy(self, chaincode: str) -> bytes:
        """The ApplicationPolicy a namespace's writes need; empty: no valid definition."""
        if chaincode == NAMESPACE:
            return _reference(LIFECYCLE_POLICY)
        definition = self.get(chaincode)
        if definition is None or not definition.validation_plugin:
            return b""
        return definition.validation_parameter

    def collection_policy(self, chaincode: str, name: str) -> bytes | None:
        """The ApplicationPolicy a collection's writes need; None: there is no such collection."""
        owner = implicit_owner(name)
        if owner is not None:
            organization = self._organization(owner)
            if organization is None:
                return None
            return _reference(f"/Channel/Application/{organization}/Endorsement")
        found = self.collection(chaincode, name)
        if found is None:
            return None
        return found.endorsement_policy or self.policy(chaincode)


def _reference(path: str) -> bytes:
    policy = ApplicationPolicy(channel_config_policy_reference=path)
    return policy.SerializeToString(deterministic=True)
