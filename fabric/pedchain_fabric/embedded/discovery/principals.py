# SPDX-License-Identifier: Apache-2.0
"""Which sets of principals satisfy a policy, and how two policies' sets combine.

Source: common/policies/inquire, common/policies/convert.go.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole, OrganizationUnit
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_fabric.embedded.limits import LAYOUT_COMBINATIONS
from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.policytree import ImplicitMetaRule, Policy, SignatureRule


@dataclass(frozen=True, slots=True)
class Principal:
    """An MSPPrincipal that can be compared; `detail` is its role, unit or certificate."""

    classification: int
    content: bytes
    msp_id: str
    detail: tuple[object, ...]

    @classmethod
    def of(cls, message: MSPPrincipal) -> "Principal":
        """Raises PolicyError for a kind no plan can be made with."""
        kind, content = message.principal_classification, message.principal
        if kind == MSPPrincipal.ROLE:
            role = parse(MSPRole, content)
            return cls(kind, content, role.msp_identifier, (int(role.role),))
        if kind == MSPPrincipal.ORGANIZATION_UNIT:
            unit = parse(OrganizationUnit, content)
            detail = (unit.organizational_unit_identifier, unit.certifiers_identifier)
            return cls(kind, content, unit.msp_identifier, detail)
        if kind == MSPPrincipal.IDENTITY:
            identity = parse(SerializedIdentity, content)
            return cls(kind, content, identity.mspid, (identity.id_bytes,))
        raise PolicyError("failed creating a comparable principal set")

    @property
    def message(self) -> MSPPrincipal:
        """Back to protobuf."""
        kind = MSPPrincipal.Classification.ValueType(self.classification)
        return MSPPrincipal(principal_classification=kind, principal=self.content)

    def is_a(self, other: "Principal") -> bool:
        """Whether everybody who satisfies this one satisfies `other` too."""
        if self.msp_id != other.msp_id:
            return False
        if other.classification == MSPPrincipal.ROLE and other.detail == (int(MSPRole.MEMBER),):
            return True
        return self.classification == other.classification and self.detail == other.detail


PrincipalSet = tuple[Principal, ...]


def satisfying(policy: SignaturePolicyEnvelope) -> list[PrincipalSet]:
    """The principal sets that satisfy a policy; a principal may occur several times.

    Raises PolicyError if there are none, or too many to look at.
    """
    principals = [Principal.of(message) for message in policy.identities]
    found = _sets(policy.rule, principals)
    if not found or not all(found):
        raise PolicyError("endorsement policy cannot be satisfied")
    return found


def _sets(rule: SignaturePolicy, principals: Sequence[Principal]) -> list[PrincipalSet]:
    if rule.WhichOneof("Type") == "signed_by":
        if not 0 <= rule.signed_by < len(principals):
            raise PolicyError("endorsement policy cannot be satisfied")
        return [(principals[rule.signed_by],)]
    found: list[PrincipalSet] = []
    inner = [_sets(each, principals) for each in rule.n_out_of.rules]
    for chosen in itertools.combinations(inner, rule.n_out_of.n):
        for parts in itertools.product(*chosen):
            found.append(tuple(itertools.chain.from_iterable(parts)))
            if len(found) > LAYOUT_COMBINATIONS:
                raise PolicyError("the policy has too many combinations")
    return found


def merge(first: Sequence[PrincipalSet], second: Sequence[PrincipalSet]) -> list[PrincipalSet]:
    """Sets that satisfy both policies, none containing another."""
    found = _covering(first, second) + _covering(second, first)
    touched_first = {a for a in first if any(_contained(a, b) or _contained(b, a) for b in second)}
    touched_second = {b for b in second if any(_contained(a, b) or _contained(b, a) for a in first)}
    rest_first = [a for a in first if a not in touched_first]
    rest_second = [b for b in second if b not in touched_second]
    found += [_union(a, b) for a, b in itertools.product(rest_first, rest_second)]
    return _reduced(found)


def _covering(inner: Sequence[PrincipalSet], outer: Sequence[PrincipalSet]) -> list[PrincipalSet]:
    return [_union(a, b) for a in inner for b in outer if _contained(a, b)]


def _contained(inner: PrincipalSet, outer: PrincipalSet) -> bool:
    """Whether signatures that satisfy `outer` also satisfy `inner`, counts apart."""
    return all(any(candidate.is_a(wanted) for candidate in outer) for wanted in inner)


def _union(inner: PrincipalSet, outer: PrincipalSet) -> PrincipalSet:
    """`outer` plus those of `inner` it does not cover, each principal covering one."""
    free = list(outer)
    missing = []
    for wanted in inner:
        cover = next((candidate for candidate in free if candidate.is_a(wanted)), None)
        if cover is None:
            missing.append(wanted)
        else:
            free.remove(cover)
    return outer + tuple(missing)


def _reduced(sets: Iterable[PrincipalSet]) -> list[PrincipalSet]:
    """Without sets that hold every principal of another; of equals the first stays."""
    current = list(sets)
    while True:
        kept = [a for i, a in enumerate(current) if not _is_redundant(i, a, current)]
        if len(kept) == len(current):
            return kept
        current = kept


def _is_redundant(index: int, candidate: PrincipalSet, all_sets: Sequence[PrincipalSet]) -> bool:
    redundant = False
    for other_index, other in enumerate(all_sets):
        if other_index == index:
            continue
        if set(other) <= set(candidate):
            redundant = True
        if set(candidate) <= set(other) and index < other_index:
            redundant = False
    return redundant


def signature_policy(application_policy: bytes, config: ChannelConfig) -> SignaturePolicyEnvelope:
    """A policy as one of signatures, whatever form it has. Raises PolicyError."""
    message = parse(ApplicationPolicy, application_policy)
    kind = message.WhichOneof("Type")
    if kind == "signature_policy":
        return message.signature_policy
    if kind == "channel_config_policy_reference":
        return _converted(config.policy(message.channel_config_policy_reference))
    raise PolicyError("unsupported policy type")


def _converted(policy: Policy) -> SignaturePolicyEnvelope:
    if isinstance(policy, SignatureRule):
        return policy.envelope
    if not isinstance(policy, ImplicitMetaRule):
        raise PolicyError("policy is not convertible to SignaturePolicyEnvelope")
    combined = SignaturePolicyEnvelope()
    combined.rule.n_out_of.n = policy.needed
    for part in policy.parts:
        inner = _converted(part)
        offset = len(combined.identities)
        combined.identities.extend(inner.identities)
        combined.rule.n_out_of.rules.append(_shifted(inner.rule, offset))
    return combined


def _shifted(rule: SignaturePolicy, offset: int) -> SignaturePolicy:
    """The rule with its principals' numbers moved up."""
    if rule.WhichOneof("Type") == "signed_by":
        return SignaturePolicy(signed_by=rule.signed_by + offset)
    shifted = SignaturePolicy()
    shifted.n_out_of.n = rule.n_out_of.n
    shifted.n_out_of.rules.extend(_shifted(each, offset) for each in rule.n_out_of.rules)
    return shifted
