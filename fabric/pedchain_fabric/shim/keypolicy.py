# SPDX-License-Identifier: Apache-2.0
"""Key-level policies as bytes for `Stub.set_key_policy` (Go's `pkg/statebased`).

policy = all_of(["DSOMSP", "DistrictAMSP"])                    # each by one of its peers
policy = all_of(roles(policy) | {"AuditorMSP": MSPRole.MEMBER})  # one more, by any member
policy = all_of({name: role for name, role in roles(policy).items() if name != "DSOMSP"})
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

from pedchain_fabric.wire.messages import parse, serialize

Role: TypeAlias = MSPRole.MSPRoleType.ValueType


def all_of(organizations: Iterable[str] | Mapping[str, Role], role: Role = MSPRole.PEER) -> bytes:
    """Every one of these organisations (MSP ids) must endorse, with a certificate of its role.

    Names in a mapping have a role each, as those of a policy that is there; the others all have
    `role`, MEMBER or PEER. Raises `ValueError` for another, as Go does.
    """
    if role not in (MSPRole.MEMBER, MSPRole.PEER):
        raise ValueError(f"a key's endorsers are members or peers, not role {role}")
    named = (
        organizations if isinstance(organizations, Mapping) else dict.fromkeys(organizations, role)
    )
    principals = [
        MSPPrincipal(
            principal_classification=MSPPrincipal.ROLE,
            principal=serialize(MSPRole(msp_identifier=name, role=named[name])),
        )
        for name in sorted(named)
    ]
    signed = [SignaturePolicy(signed_by=position) for position in range(len(named))]
    rule = SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=len(named), rules=signed))
    return serialize(SignaturePolicyEnvelope(rule=rule, identities=principals))


def roles(policy: bytes) -> dict[str, Role]:
    """The role of each MSP id a policy names, by name; of one named twice, the last.

    Raises `WireError` for bytes that are no policy.
    """
    identities = parse(SignaturePolicyEnvelope, policy).identities
    found = [
        parse(MSPRole, identity.principal)
        for identity in identities
        if identity.principal_classification == MSPPrincipal.ROLE
    ]
    named = {each.msp_identifier: each.role for each in found}
    return dict(sorted(named.items()))


def organizations(policy: bytes) -> tuple[str, ...]:
    """The MSP ids a policy names, sorted. Raises `WireError` for bytes that are no policy."""
    return tuple(roles(policy))
