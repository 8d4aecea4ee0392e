# SPDX-License-Identifier: Apache-2.0
"""The text form of signature policies: `OutOf(2, 'DSOMSP.peer', AND('A.peer', 'B.peer'))`.

Accepts the policies people write for Fabric 3 (common/policydsl) and gives the same bytes for
them: the gates AND, OR and OutOf, principals `MSP.role` in quotes, nesting. Like Fabric 3 it
refuses lower-case `and` and `or`, which its expression language keeps for itself. The rest of
that language (arithmetic, comments, spare parentheses and commas) is refused too.
"""

import re
from typing import Final

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire.limits import POLICY_DEPTH_MAX, POLICY_RULES_MAX, POLICY_TEXT_MAX
from pedchain_fabric.wire.messages import parse as parse_message
from pedchain_fabric.wire.messages import serialize

ROLES: Final = {
    "member": MSPRole.MEMBER,
    "admin": MSPRole.ADMIN,
    "client": MSPRole.CLIENT,
    "peer": MSPRole.PEER,
    "orderer": MSPRole.ORDERER,
}
_ROLE_NAMES: Final = {role: name for name, role in ROLES.items()}
_GATES: Final = {
    "AND": "And",
    "And": "And",
    "OR": "Or",
    "Or": "Or",
    "OUTOF": "OutOf",
    "OutOf": "OutOf",
    "outof": "OutOf",
}
_PRINCIPAL: Final = re.compile(r"([A-Za-z0-9.-]+)\.(admin|member|client|peer|orderer)")
_TOKEN: Final = re.compile(r"""\s*(?:([A-Za-z]+)|([0-9]{1,9})|'([^'\\]*)'|"([^"\\]*)"|([(),]))""")


def principal(msp_id: str, role: str) -> MSPPrincipal:
    """The principal "any `role` of `msp_id`". Raises `PolicyError` for an unknown role."""
    if role not in ROLES:
        raise PolicyError(f"unknown role {role!r}")
    content = serialize(MSPRole(msp_identifier=msp_id, role=ROLES[role]))
    return MSPPrincipal(principal_classification=MSPPrincipal.ROLE, principal=content)


def parse(text: str) -> SignaturePolicyEnvelope:
    """The policy `text` stands for. Raises `PolicyError`, saying what is wrong."""
    if len(text) > POLICY_TEXT_MAX:
        raise PolicyError("the policy text is too long")
    parser = _Parser(_tokens(text))
    rule = parser.gate(1)
    parser.end()
    return SignaturePolicyEnvelope(version=0, rule=rule, identities=parser.principals)


def format(policy: SignaturePolicyEnvelope) -> str:  # noqa: A001 - parse and format, as in re, uuid
    """A text that `parse` turns into a policy of the same meaning.

    Raises `WireError` (`PolicyError`) if it is malformed or has principals other than roles.
    """
    return _format(policy.rule, policy, 1)


def _format(rule: SignaturePolicy, policy: SignaturePolicyEnvelope, depth: int) -> str:
    kind = rule.WhichOneof("Type")
    if depth > POLICY_DEPTH_MAX or kind is None:
        raise PolicyError("the policy is nested too deeply or has an empty rule")
    if kind == "signed_by":
        text = _format_principal(policy, rule.signed_by)
        return text if depth > 1 else f"OR({text})"
    rules = rule.n_out_of.rules
    n = rule.n_out_of.n
    if not rules or not 0 <= n <= len(rules) + 1:
        raise PolicyError(f"{n} of {len(rules)} has no text form")
    inner = ", ".join(_format(each, policy, depth + 1) for each in rules)
    if n == 1:
        return f"OR({inner})"
    return f"AND({inner})" if n == len(rules) else f"OutOf({n}, {inner})"


def _format_principal(policy: SignaturePolicyEnvelope, index: int) -> str:
    if not 0 <= index < len(policy.identities):
        raise PolicyError(f"the policy has no identity {index}")
    named = policy.identities[index]
    if named.principal_classification != MSPPrincipal.ROLE:
        raise PolicyError("only principals of the form MSP.role have a text form")
    role = parse_message(MSPRole, named.principal)
    text = f"{role.msp_identifier}.{_ROLE_NAMES.get(role.role, '')}"
    if _PRINCIPAL.fullmatch(text) is None:
        raise PolicyError(f"{text!r} has no text form")
    return f"'{text}'"


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise PolicyError(f"cannot read the policy from position {position}")
        kind = ("name", "number", "string", "string", "mark")[(match.lastindex or 1) - 1]
        tokens.append((kind, match[match.lastindex or 1]))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens, numbering principals as Fabric does: inner gates first."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._next = 0
        self.principals: list[MSPPrincipal] = []

    def _take(self) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise PolicyError("the policy ends too early")
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, mark: str) -> None:
        if (found := self._take()) != ("mark", mark):
            raise PolicyError(f"expected {mark!r}, found {found[1]!r}")

    def end(self) -> None:
        if self._next != len(self._tokens):
            raise PolicyError(f"unexpected {self._tokens[self._next][1]!r} after the policy")

    def gate(self, depth: int) -> SignaturePolicy:
        kind, name = self._take()
        if kind != "name" or name not in _GATES:
            raise PolicyError(f"expected AND, OR or OutOf, found {name!r}")
        if depth > POLICY_DEPTH_MAX:
            raise PolicyError("the policy is nested too deeply")
        self._expect("(")
        wanted = self._count() if _GATES[name] == "OutOf" else None
        rules = self._operands(depth)
        n = {"And": len(rules), "Or": 1}.get(_GATES[name], wanted or 0)
        if n > len(rules) + 1:
            raise PolicyError(f"cannot ask {n} of {len(rules)}")
        return SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=n, rules=rules))

    def _count(self) -> int:
        kind, text = self._take()
        if kind not in ("number", "string") or not re.fullmatch("[0-9]{1,9}", text):
            raise PolicyError(f"OutOf needs a number first, found {text!r}")
        self._expect(",")
        return int(text)

    def _operands(self, depth: int) -> list[SignaturePolicy]:
        found = [self._operand(depth)]
        while (mark := self._take()) != ("mark", ")"):
            if mark != ("mark", ","):
                raise PolicyError(f"expected ',' or ')', found {mark[1]!r}")
            found.append(self._operand(depth))
        # Nested gates have numbered their principals by now, as in Fabric: it matters where
        # policies are compared byte for byte (CheckCommitReadiness).
        return [self._leaf(each) if isinstance(each, str) else each for each in found]

    def _operand(self, depth: int) -> SignaturePolicy | str:
        if self._next < len(self._tokens) and self._tokens[self._next][0] == "string":
            return self._take()[1]
        return self.gate(depth + 1)

    def _leaf(self, text: str) -> SignaturePolicy:
        match = _PRINCIPAL.fullmatch(text)
        if match is None or len(self.principals) >= POLICY_RULES_MAX:
            raise PolicyError(f"not a principal of the form MSP.role: {text!r}")
        self.principals.append(principal(match[1], match[2]))
        return SignaturePolicy(signed_by=len(self.principals) - 1)
