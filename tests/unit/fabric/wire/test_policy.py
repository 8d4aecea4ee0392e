# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from fabric_protos.common.policies_pb2 import (
    ImplicitMetaPolicy,
    SignaturePolicy,
    SignaturePolicyEnvelope,
)
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire import policy


def named(identity, principal):
    """Identities here are texts "MSP.role/number": they satisfy what stands before the slash."""
    role = MSPRole.FromString(principal.principal)
    text = f"{role.msp_identifier}.{MSPRole.MSPRoleType.Name(role.role).lower()}"
    return identity.split("/")[0] == text or (
        text.endswith(".member") and identity.split(".")[0] == text.split(".")[0]
    )


def holds(text, *identities):
    return policy.evaluate(policy.parse(text), identities, named)


def test_and_wants_all_or_any_outof_so_many():
    assert holds("AND('A.peer','B.peer')", "B.peer", "A.peer")
    assert not holds("AND('A.peer','B.peer')", "A.peer")
    assert holds("OR('A.peer','B.peer')", "B.peer")
    assert not holds("OR('A.peer','B.peer')", "C.peer")
    assert holds("OutOf(2,'A.peer','B.peer','C.peer')", "C.peer", "A.peer")
    assert not holds("OutOf(2,'A.peer','B.peer','C.peer')", "C.peer")


def test_an_identity_counts_once():
    assert not holds("AND('A.peer','A.peer')", "A.peer/1")
    assert not holds("AND('A.peer','A.peer')", "A.peer/1", "A.peer/1")
    assert holds("AND('A.peer','A.peer')", "A.peer/1", "A.peer/2")


def test_evaluation_is_greedy_in_the_order_of_identities_as_in_fabric():
    text = "AND('A.member','A.peer')"
    assert holds(text, "A.client", "A.peer")
    assert not holds(text, "A.peer", "A.client")


def test_a_gate_that_fails_gives_back_what_it_took():
    assert holds("OR(AND('A.peer','B.peer'), 'A.peer')", "A.peer")
    assert holds("AND(OutOf(0, AND('A.peer','B.peer')), 'A.peer')", "A.peer")


def test_all_satisfied_operands_are_used_even_beyond_what_was_asked():
    assert not holds("AND(OR('A.peer','A.peer'),'A.peer')", "A.peer/1", "A.peer/2")


def test_none_of_some_always_holds_and_more_than_all_never():
    assert holds("OutOf(0,'A.peer')")
    assert not holds("OutOf(2,'A.peer')", "A.peer/1", "A.peer/2")


def test_principals_are_numbered_inner_gates_first_as_fabrics_parser_does():
    parsed = policy.parse("AND('D.admin', OutOf(2,'A.admin','B.admin','C.admin'))")
    names = [MSPRole.FromString(each.principal).msp_identifier for each in parsed.identities]
    assert names == ["A", "B", "C", "D"]
    first, second = parsed.rule.n_out_of.rules
    assert first.signed_by == 3
    assert [each.signed_by for each in second.n_out_of.rules] == [0, 1, 2]


@pytest.mark.parametrize("gate", ["AND", "And"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_the_ways_to_write_a_policy_mean_the_same(gate, quote):
    written = f" {gate} ( {quote}A.peer{quote} ,\n{quote}b-2.x.orderer{quote} ) "
    assert policy.parse(written) == policy.parse("OutOf(2,'A.peer','b-2.x.orderer')")
    assert policy.parse(written) == policy.parse("outof('2','A.peer','b-2.x.orderer')")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "'A.peer'",
        "A.peer",
        "AND()",
        "AND('A.peer'",
        "AND('A.peer'))",
        "AND('A.peer',)",
        "AND('A.peer' 'B.peer')",
        "AND('A.boss')",
        "AND('.peer')",
        "AND('A peer')",
        "AND('A.peer\")",
        "XOR('A.peer')",
        "and('A.peer')",
        "or('A.peer')",
        "aND('A.peer')",
        "OutOf('A.peer')",
        "OutOf(1)",
        "OutOf(-1,'A.peer')",
        "OutOf(3,'A.peer')",
        "OutOf(1.5,'A.peer')",
        "OutOf(99999999999,'A.peer')",
        "AND(" * 40 + "'A.peer'" + ")" * 40,
        "AND('A.peer')" + " " * 70_000,
        "AND('A.peer') AND('B.peer')",
    ],
)
def test_what_is_no_policy_is_refused(bad):
    with pytest.raises(PolicyError):
        policy.parse(bad)


NAMES = st.sampled_from(["A.peer", "B.peer", "A.admin", "B.client", "C.orderer", "C.member"])
TEXTS = st.recursive(
    NAMES.map(lambda name: f"'{name}'"),
    lambda inner: st.builds(
        lambda gate, items: f"{gate}({', '.join(items)})",
        st.sampled_from(["AND", "OR", "OutOf(1,", "OutOf(2,"]),
        st.lists(inner, min_size=2, max_size=3),
    ).map(lambda text: text.replace(",(", ", ")),
    max_leaves=8,
).filter(lambda text: text.startswith(("AND", "OR", "Out")))


@given(TEXTS, st.lists(NAMES, max_size=5))
def test_a_formatted_policy_means_the_same(text, identities):
    parsed = policy.parse(text)
    again = policy.parse(policy.format(parsed))
    assert again == parsed
    assert policy.evaluate(again, identities, named) == policy.evaluate(parsed, identities, named)


def test_policies_without_text_form_are_not_formatted():
    lone = SignaturePolicyEnvelope(rule=SignaturePolicy(signed_by=0))
    with pytest.raises(PolicyError):
        policy.format(lone)
    lone.identities.add(principal_classification=MSPPrincipal.IDENTITY, principal=b"x")
    with pytest.raises(PolicyError):
        policy.format(lone)
    lone.identities[0].CopyFrom(policy.principal("A", "peer"))
    assert policy.format(lone) == "OR('A.peer')"


@pytest.mark.parametrize(
    "bad",
    [
        SignaturePolicyEnvelope(),
        SignaturePolicyEnvelope(version=1, rule=policy.parse("OR('A.peer')").rule),
        SignaturePolicyEnvelope(rule=SignaturePolicy(signed_by=0)),
        SignaturePolicyEnvelope(rule=SignaturePolicy(signed_by=-1)),
        SignaturePolicyEnvelope(
            rule=SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=0, rules=[SignaturePolicy()]))
        ),
    ],
)
def test_a_policy_fabric_would_not_compile_is_an_error_not_a_verdict(bad):
    with pytest.raises(PolicyError):
        policy.evaluate(bad, [], named)


def test_builders_name_what_they_say():
    any_peer = policy.signed_by_any(["B", "A"], "peer")
    assert policy.format(any_peer) == "OR('A.peer', 'B.peer')"
    two = policy.n_of(2, [policy.principal(each, "admin") for each in "ABC"])
    assert policy.format(two) == "OutOf(2, 'A.admin', 'B.admin', 'C.admin')"
    with pytest.raises(PolicyError):
        policy.principal("A", "boss")


@pytest.mark.parametrize(
    ("rule", "of", "needed"),
    [
        (ImplicitMetaPolicy.ANY, 4, 1),
        (ImplicitMetaPolicy.ALL, 4, 4),
        (ImplicitMetaPolicy.MAJORITY, 4, 3),
        (ImplicitMetaPolicy.MAJORITY, 3, 2),
        (ImplicitMetaPolicy.ANY, 0, 0),
        (ImplicitMetaPolicy.MAJORITY, 0, 0),
    ],
)
def test_implicit_meta_rules_count_as_fabric_counts(rule, of, needed):
    assert policy.threshold(rule, of) == needed


def test_an_unknown_implicit_meta_rule_is_refused():
    with pytest.raises(PolicyError):
        policy.threshold(7, 1)


@given(st.text(max_size=40))
def test_garbage_raises_policy_errors_only(text):
    with contextlib.suppress(PolicyError):
        policy.parse(text)
