# SPDX-License-Identifier: Apache-2.0
"""What a simulation came to, and which endorsements it needs.

The plan follows Fabric core/endorser/endorser.go (buildChaincodeInterest).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest

from pedchain_fabric.embedded.ledger.keymetadata import POLICY
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.messages import parse

# Namespace, collection ("" for public state), key.
Place: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class SimulationResults:
    """A transaction's effects.

    `public` is a serialized TxReadWriteSet, `private` a TxPvtReadWriteSet or None;
    `namespaces` those the public set names; `private_reads` the collections whose values were
    read (namespace, collection); `written_metadata` the metadata each written key had before.
    """

    public: bytes
    private: bytes | None
    namespaces: tuple[str, ...]
    private_reads: frozenset[tuple[str, str]]
    written_metadata: Mapping[Place, Mapping[str, bytes]]

    def interest(self, system: Collection[str] = ()) -> ChaincodeInterest:
        """The policies a plan must satisfy; `system` are the system chaincodes, left out.

        Raises `WireError` if a key-level policy on the ledger is no signature policy.
        """
        required = self._required(system)
        calls = [
            call
            for (namespace, collection), needed in sorted(required.items())
            if namespace not in system
            and (call := self._call(namespace, collection, needed)) is not None
        ]
        return ChaincodeInterest(chaincodes=calls)

    def _required(self, system: Collection[str]) -> dict[tuple[str, str], bool]:
        """Whether the policy of a namespace ("") or collection must hold."""
        required: dict[tuple[str, str], bool] = {}
        for (namespace, collection, _), metadata in self.written_metadata.items():
            required.setdefault((namespace, ""), False)
            if POLICY not in metadata:
                required[namespace, collection] = True
        written = {namespace for namespace, _ in required}
        for namespace in self.namespaces:
            if namespace not in written and namespace not in system:
                required[namespace, ""] = True
        required.update((place, True) for place in self.private_reads)
        return required

    def _call(self, namespace: str, collection: str, needed: bool) -> ChaincodeCall | None:
        if collection:
            unread = (namespace, collection) not in self.private_reads
            return ChaincodeCall(
                name=namespace, collection_names=[collection], no_private_reads=unread
            )
        policies = self._key_policies(namespace)
        if not policies and not needed:
            return None
        disregard = bool(policies) and not needed
        return ChaincodeCall(
            name=namespace, key_policies=policies, disregard_namespace_policy=disregard
        )

    def _key_policies(self, namespace: str) -> list[SignaturePolicyEnvelope]:
        return [
            _signature_policy(metadata[POLICY])
            for (where, _, _), metadata in self.written_metadata.items()
            if where == namespace and POLICY in metadata
        ]


def _signature_policy(stored: bytes) -> SignaturePolicyEnvelope:
    try:
        return parse(SignaturePolicyEnvelope, stored)
    except WireError as error:
        raise WireError(f"error unmarshalling SignaturePolicyEnvelope: {error}") from error
