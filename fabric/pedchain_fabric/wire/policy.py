# SPDX-License-Identifier: Apache-2.0
"""Signature policies: building, checking, evaluating (Fabric common/cauthdsl, policydsl)."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from fabric_protos.common.policies_pb2 import (
    ImplicitMetaPolicy,
    SignaturePolicy,
    SignaturePolicyEnvelope,
)
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal

from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.limits import POLICY_DEPTH_MAX, POLICY_RULES_MAX
from pedchain_fabric.wire.policytext import (
    format,  # noqa: A004 - parse and format, as in re, uuid
    parse,
    principal,
)

__all__ = [
    "check",
    "evaluate",
    "format",
    "identity_principal",
    "n_of",
    "parse",
    "principal",
    "signed_by_any",
    "threshold",
]

T = TypeVar("T")


def identity_principal(identity: Identity) -> MSPPrincipal:
    """The principal "exactly this certificate"."""
    return MSPPrincipal(principal_classification=MSPPrincipal.IDENTITY, principal=identity.creator)


def n_of(n: int, principals: Sequence[MSPPrincipal]) -> SignaturePolicyEnvelope:
    """The policy "signatures of `n` of these principals", each by another identity."""
    rules = [SignaturePolicy(signed_by=index) for index in range(len(principals))]
    rule = SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=n, rules=rules))
    return SignaturePolicyEnvelope(version=0, rule=rule, identities=principals)


def signed_by_any(msp_ids: Iterable[str], role: str = "member") -> SignaturePolicyEnvelope:
    """The policy "signed by any `role` of any of these organisations"."""
    return n_of(1, [principal(msp_id, role) for msp_id in sorted(msp_ids)])


def check(policy: SignaturePolicyEnvelope) -> None:
    """Raise `PolicyError` unless the policy is one Fabric compiles, within our limits."""
    if policy.version != 0:
        raise PolicyError(f"policy version {policy.version} is unknown")
    rules = 0
    pending = [(policy.rule, 1)]
    while pending:
        rule, depth = pending.pop()
        rules += 1
        if depth > POLICY_DEPTH_MAX or rules > POLICY_RULES_MAX:
            raise PolicyError("the policy is too deep or too large")
        kind = rule.WhichOneof("Type")
        if kind is None:
            raise PolicyError("the policy has an empty rule")
        if kind == "signed_by" and not 0 <= rule.signed_by < len(policy.identities):
            raise PolicyError(f"the policy has no identity {rule.signed_by}")
        pending += [(each, depth + 1) for each in rule.n_out_of.rules]


def evaluate(
    policy: SignaturePolicyEnvelope,
    identities: Sequence[T],
    satisfies: Callable[[T, MSPPrincipal], bool],
) -> bool:
    """Whether these identities, in this order, satisfy the policy.

    Fabric's rule (common/cauthdsl/cauthdsl.go): every leaf takes the first identity not yet
    used that satisfies its principal; a gate that fails gives back what it took. Greedy, so
    the order of rules and of identities matters, and no identity counts twice: equal ones
    are taken for one. Raises `PolicyError` for a policy Fabric would not compile.
    """
    check(policy)
    distinct: list[T] = []
    for identity in identities:
        if identity not in distinct:
            distinct.append(identity)
    return _take(policy.rule, policy, distinct, satisfies, frozenset()) is not None


def _take(
    rule: SignaturePolicy,
    policy: SignaturePolicyEnvelope,
    identities: Sequence[T],
    satisfies: Callable[[T, MSPPrincipal], bool],
    used: frozenset[int],
) -> frozenset[int] | None:
    """The identities used once `rule` is satisfied too, or None if it is not."""
    if rule.WhichOneof("Type") == "signed_by":
        wanted = policy.identities[rule.signed_by]
        for index, identity in enumerate(identities):
            if index not in used and satisfies(identity, wanted):
                return used | {index}
        return None
    satisfied = 0
    for each in rule.n_out_of.rules:
        after = _take(each, policy, identities, satisfies, used)
        if after is not None:
            satisfied, used = satisfied + 1, after
    return used if satisfied >= rule.n_out_of.n else None


def threshold(rule: ImplicitMetaPolicy.Rule.ValueType, sub_policies: int) -> int:
    """How many of the sub-policies an implicit meta policy needs.

    ANY 1, ALL all, MAJORITY more than half; none where there are no sub-policies (Fabric
    common/policies/implicitmeta.go). Raises `PolicyError` for an unknown rule.
    """
    if rule not in ImplicitMetaPolicy.Rule.values():
        raise PolicyError(f"implicit meta rule {rule} is unknown")
    if sub_policies == 0:
        return 0
    if rule == ImplicitMetaPolicy.ANY:
        return 1
    return sub_policies if rule == ImplicitMetaPolicy.ALL else sub_policies // 2 + 1
