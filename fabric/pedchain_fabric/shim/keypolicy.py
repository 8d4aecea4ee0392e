# SPDX-License-Identifier: Apache-2.0
"""Key-level policies as bytes for `Stub.set_key_policy` (Go's `pkg/statebased`)."""

from collections.abc import Iterable

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

from pedchain_fabric.wire.messages import parse, serialize


def all_of(msp_ids: Iterable[str], role: MSPRole.MSPRoleType.ValueType = MSPRole.PEER) -> bytes:
    """Every one of these organisations must endorse, with a certificate of `role`."""
    names = sorted(set(msp_ids))
    principals = [
        MSPPrincipal(
            principal_classification=MSPPrincipal.ROLE,
            principal=serialize(MSPRole(msp_identifier=name, role=role)),
        )
        for name in names
    ]
    signed = [SignaturePolicy(signed_by=position) for position in range(len(names))]
    rule = SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=len(names), rules=signed))
    return serialize(SignaturePolicyEnvelope(rule=rule, identities=principals))


def organizations(policy: bytes) -> tuple[str, ...]:
    """The MSP ids a policy names. Raises `WireError` for bytes that are no policy."""
    identities = parse(SignaturePolicyEnvelope, policy).identities
    return tuple(
        parse(MSPRole, identity.principal).msp_identifier
        for identity in identities
        if identity.principal_classification == MSPPrincipal.ROLE
    )
