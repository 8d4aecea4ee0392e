# SPDX-License-Identifier: Apache-2.0
"""Governance policies kept right when the set of organisations changes.

Two forms are understood: a number of equals, `OutOf(2, 'A.admin', 'B.admin', 'C.admin')`, and the
same under `AND` with organisations that must always agree, as the reference consortium's. What was
a majority of all stays a majority of all, what was everybody stays everybody, any other number
stays that number. A policy of another form is the consortium's own to word.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.policytext import ROLES

_ROLE_NAMES = {number: name for name, number in ROLES.items()}


@dataclass(frozen=True, slots=True)
class Rule:
    """`always` must all agree, and `count` of `equals` besides; all are MSP ids in one `role`."""

    role: str
    always: tuple[str, ...]
    count: int
    equals: tuple[str, ...]

    @property
    def text(self) -> str:
        """In Fabric's policy language, in its shortest form."""
        equals = ", ".join(self._principal(each) for each in self.equals)
        chosen = f"OutOf({self.count}, {equals})"
        fixed = "".join(f"{self._principal(each)}, " for each in self.always)
        return policy.format(policy.parse(f"AND({fixed}{chosen})" if self.always else chosen))

    def _principal(self, msp_id: str) -> str:
        return f"'{msp_id}.{self.role}'"

    def of(self, equals: tuple[str, ...]) -> "Rule":
        """The same rule among these equals."""
        before = len(self.always) + len(self.equals)
        after = len(self.always) + len(equals)
        needed = len(self.always) + self.count
        if needed == before // 2 + 1:
            needed = after // 2 + 1
        elif needed == before:
            needed = after
        count = min(max(1, needed - len(self.always)), len(equals))
        return replace(self, count=count, equals=equals)


def named(text: str) -> frozenset[str]:
    """MSP ids that a policy's text names. Raises `PolicyError`."""
    return names_in(policy.parse(text))


def names_in(envelope: SignaturePolicyEnvelope) -> frozenset[str]:
    """MSP ids whose roles a policy asks for."""
    return frozenset(
        parse(MSPRole, each.principal).msp_identifier
        for each in envelope.identities
        if each.principal_classification == MSPPrincipal.ROLE
    )


def with_member(text: str, msp_id: str) -> str:
    """The policy with one more equal; as it is if its form is not understood."""
    rule = read(text)
    if rule is None or msp_id in named(text):
        return text
    return rule.of((*rule.equals, msp_id)).text


def without_member(text: str, msp_id: str) -> str | None:
    """The policy without this one; None if only people can say what shall hold then."""
    if msp_id not in named(text):
        return text
    rule = read(text)
    if rule is None or msp_id in rule.always or rule.equals == (msp_id,):
        return None
    return rule.of(tuple(each for each in rule.equals if each != msp_id)).text


def read(text: str) -> Rule | None:
    """The policy as a rule, None if its form is not understood. Raises `PolicyError`."""
    envelope = policy.parse(text)
    top = envelope.rule.n_out_of
    gates = [each for each in top.rules if each.WhichOneof("Type") == "n_out_of"]
    if not gates:
        return _rule(envelope, (), top)
    if len(gates) > 1 or top.n != len(top.rules):
        return None
    always = tuple(each for each in top.rules if each.WhichOneof("Type") == "signed_by")
    return _rule(envelope, always, gates[0].n_out_of)


def _rule(
    envelope: SignaturePolicyEnvelope,
    always: tuple[SignaturePolicy, ...],
    among: SignaturePolicy.NOutOf,
) -> Rule | None:
    if any(each.WhichOneof("Type") != "signed_by" for each in among.rules):
        return None
    fixed, equals = (tuple(_principals(envelope, rules)) for rules in (always, among.rules))
    msp_ids = [each.msp_identifier for each in (*fixed, *equals)]
    roles = {each.role for each in (*fixed, *equals)}
    if len(roles) != 1 or len(set(msp_ids)) != len(msp_ids) or not 1 <= among.n <= len(equals):
        return None
    return Rule(
        role=_ROLE_NAMES[roles.pop()],
        always=tuple(msp_ids[: len(fixed)]),
        count=among.n,
        equals=tuple(msp_ids[len(fixed) :]),
    )


def _principals(
    envelope: SignaturePolicyEnvelope, rules: Iterable[SignaturePolicy]
) -> Iterator[MSPRole]:
    for each in rules:
        yield parse(MSPRole, envelope.identities[each.signed_by].principal)
