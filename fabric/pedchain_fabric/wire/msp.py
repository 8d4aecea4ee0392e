# SPDX-License-Identifier: Apache-2.0
"""Membership: which certificates belong to an organisation, and what they may be taken for.

The rules of Fabric's X.509 MSP from channel capability V1_4_3 on (msp/mspimpl*.go), Ed25519
with V3_0. A certificate's expiry is not judged here: endorsers and orderers look at
`Member.not_after`, committers do not.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import (
    CombinedPrincipal,
    MSPIdentityAnonymity,
    MSPPrincipal,
    MSPRole,
    OrganizationUnit,
)

from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.limits import CACHED_IDENTITIES_MAX, PRINCIPAL_DEPTH_MAX
from pedchain_fabric.wire.messages import parse, require
from pedchain_fabric.wire.mspconfig import MspRules, Resolved, read_rules


@dataclass(frozen=True, slots=True)
class Member:
    """A valid member of an organisation.

    `id` is the digest of the certificate, the same for its equivalent encodings. `roles` holds
    "member" and, where the organisation tells roles apart, one of client, peer, orderer and
    admin; "admin" also for a certificate listed as an administrator's.
    """

    identity: Identity
    roles: frozenset[str]
    id: str = ""
    organizational_units: tuple[str, ...] = ()
    not_after: datetime.datetime = field(
        default=datetime.datetime.max.replace(tzinfo=datetime.UTC), compare=False
    )

    @property
    def msp_id(self) -> str:
        """The organisation's MSP id."""
        return self.identity.msp_id

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise `SignatureInvalid` unless this member signed `message`."""
        self.identity.verify(message, signature)


class Msp:
    """One organisation's membership rules."""

    def __init__(self, rules: MspRules) -> None:
        self._rules = rules
        # Per object, so that another configuration never sees this one's verdicts.
        self._resolve = lru_cache(CACHED_IDENTITIES_MAX)(rules.resolve)

    @classmethod
    def from_config(cls, config: MSPConfig, *, ed25519: bool = True) -> "Msp":
        """The rules in a channel's or a node's MSP configuration.

        `ed25519` says whether such keys count, as from channel capability V3_0 on. Raises
        `WireError` if Fabric would refuse the configuration, or if it is no X.509 MSP.
        """
        require(config.type == 0, "not an X.509 MSP configuration")
        return cls(read_rules(parse(FabricMSPConfig, config.config), ed25519=ed25519))

    @property
    def msp_id(self) -> str:
        """The organisation's MSP id."""
        return self._rules.msp_id

    @property
    def root_certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates of the organisation's root CAs."""
        return self._rules.trust.roots

    @property
    def tls_root_certificates(self) -> tuple[bytes, ...]:
        """The organisation's TLS CAs, as PEM: what to trust when connecting to its nodes."""
        return self._rules.tls_roots

    def resolve(self, identity: Identity) -> Resolved:
        """The certificate and what this MSP makes of it.

        Raises `IdentityError` if it belongs to another MSP, cannot be read, or has no chain to
        this one's CAs. A resolved identity may still be invalid (`Resolved.problem`).
        """
        if identity.msp_id != self.msp_id:
            raise IdentityError(f"expected MSP ID {self.msp_id}, received {identity.msp_id}")
        return self._resolve(identity.certificate)

    def validate(self, identity: Identity) -> Member:
        """The member `identity` is. Raises `IdentityError`, saying why it is none."""
        resolved = self.resolve(identity)
        if resolved.problem:
            raise IdentityError(resolved.problem)
        roles = {"member", *resolved.node_roles}
        if resolved.is_listed_admin:
            roles.add("admin")
        return Member(identity, frozenset(roles), resolved.id, resolved.units, resolved.not_after)

    def satisfies(self, identity: Identity, principal: MSPPrincipal) -> bool:
        """Whether `identity` fits `principal` (msp/mspimpl.go, SatisfiesPrincipal)."""
        try:
            return self._satisfies(self.resolve(identity), principal, 1)
        except (IdentityError, WireError):
            return False

    def _satisfies(self, resolved: Resolved, principal: MSPPrincipal, depth: int) -> bool:
        kind, content = principal.principal_classification, principal.principal
        if kind == MSPPrincipal.ROLE:
            role = parse(MSPRole, content)
            return role.msp_identifier == self.msp_id and resolved.has_role(role.role)
        if kind == MSPPrincipal.ORGANIZATION_UNIT:
            return self._is_in_unit(resolved, parse(OrganizationUnit, content))
        if kind == MSPPrincipal.IDENTITY:
            named = self.resolve(Identity.from_creator(content))
            return named.id == resolved.id and not named.problem
        if kind == MSPPrincipal.ANONYMITY:
            wanted = parse(MSPIdentityAnonymity, content).anonymity_type
            return wanted == MSPIdentityAnonymity.NOMINAL
        if kind == MSPPrincipal.COMBINED and depth <= PRINCIPAL_DEPTH_MAX:
            parts = parse(CombinedPrincipal, content).principals
            return bool(parts) and all(self._satisfies(resolved, p, depth + 1) for p in parts)
        return False

    def _is_in_unit(self, resolved: Resolved, unit: OrganizationUnit) -> bool:
        return (
            unit.msp_identifier == self.msp_id
            and not resolved.problem
            and unit.organizational_unit_identifier in resolved.units
            and unit.certifiers_identifier == resolved.certifiers
        )


class Msps:
    """A channel's organisations, by MSP id."""

    def __init__(self, by_id: Mapping[str, Msp]) -> None:
        self._by_id = dict(by_id)

    def __getitem__(self, msp_id: str) -> Msp:
        """The organisation's MSP. Raises `IdentityError` if the channel has none of that id."""
        if msp_id not in self._by_id:
            raise IdentityError(f"MSP {msp_id} is not defined on channel")
        return self._by_id[msp_id]

    def __contains__(self, msp_id: object) -> bool:
        return msp_id in self._by_id

    @property
    def ids(self) -> tuple[str, ...]:
        """All MSP ids, ascending."""
        return tuple(sorted(self._by_id))

    def validate(self, creator: bytes) -> Member:
        """The member these bytes stand for. Raises `IdentityError`, or `WireError`."""
        identity = Identity.from_creator(creator)
        return self[identity.msp_id].validate(identity)

    def satisfies(self, identity: Identity | Member, principal: MSPPrincipal) -> bool:
        """Whether the identity, by its own organisation's rules, fits `principal`."""
        who = identity.identity if isinstance(identity, Member) else identity
        msp = self._by_id.get(who.msp_id)
        return msp is not None and msp.satisfies(who, principal)

    def verify(self, signed: SignedData) -> Member:
        """The valid member that made this claim.

        Raises `IdentityError` or `WireError` about who, `SignatureInvalid` about the signature.
        """
        member = self.validate(signed.creator)
        member.verify(signed.message, signed.signature)
        return member

    def signers(self, claims: Iterable[tuple[bytes, bytes, bytes]]) -> list[Identity]:
        """Who of (creator, message, signature) did sign, each once, in order.

        As Fabric's policies.SignatureSetToValidIdentities: what cannot be read or verified is
        left out; whether someone is a valid member is for the policy's principals to ask.
        """
        seen: set[tuple[str, str]] = set()
        found = []
        for creator, message, signature in claims:
            try:
                identity = Identity.from_creator(creator)
                key = (identity.msp_id, self[identity.msp_id].resolve(identity).id)
                if key not in seen:
                    identity.verify(message, signature)
                    seen.add(key)
                    found.append(identity)
            except (IdentityError, WireError, SignatureInvalid):
                continue
        return found
