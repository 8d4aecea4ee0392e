# SPDX-License-Identifier: Apache-2.0
"""Which principals satisfy a policy, and how policies combine."""

import itertools

import pytest
from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.embedded.discovery.principals import (
    Principal,
    PrincipalSet,
    merge,
    satisfying,
    signature_policy,
)
from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import serialize
from tests.unit.fabric.embedded_ledger.consortium import Consortium


def principal(msp_id: str, role: MSPRole.MSPRoleType.ValueType = MSPRole.PEER) -> Principal:
    content = serialize(MSPRole(msp_identifier=msp_id, role=role))
    return Principal.of(MSPPrincipal(principal_classification=MSPPrincipal.ROLE, principal=content))


def members(sets: list[PrincipalSet]) -> set[str]:
    """Each set as the sorted letters of its organisations."""
    return {"".join(sorted(each.msp_id[0] for each in one)) for one in sets}


def sets(text: str) -> list[PrincipalSet]:
    return satisfying(policy.parse(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OR('AMSP.peer')", {"A"}),
        ("OR('AMSP.peer','BMSP.peer')", {"A", "B"}),
        ("AND('AMSP.peer','BMSP.peer')", {"AB"}),
        ("OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')", {"AB", "AC", "BC"}),
        ("AND('AMSP.peer',OR('BMSP.peer','CMSP.peer'))", {"AB", "AC"}),
        ("AND('AMSP.peer','AMSP.peer')", {"AA"}),
    ],
)
def test_a_policy_has_these_sets(text: str, expected: set[str]) -> None:
    assert members(sets(text)) == expected


def test_a_policy_nobody_satisfies_has_no_plan() -> None:
    impossible = SignaturePolicyEnvelope(
        rule=SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=2, rules=[])),
    )
    with pytest.raises(PolicyError, match="cannot be satisfied"):
        satisfying(impossible)
    impossible.rule.n_out_of.n = 0
    with pytest.raises(PolicyError, match="cannot be satisfied"):
        satisfying(impossible)
    outside = SignaturePolicyEnvelope(rule=SignaturePolicy(signed_by=3))
    with pytest.raises(PolicyError, match="cannot be satisfied"):
        satisfying(outside)


def test_a_policy_with_endless_combinations_is_refused() -> None:
    names = ",".join(f"'M{number}MSP.peer'" for number in range(30))
    with pytest.raises(PolicyError, match="too many combinations"):
        sets(f"OutOf(15,{names})")


def test_a_role_is_also_a_member() -> None:
    assert principal("A").is_a(principal("A", MSPRole.MEMBER))
    assert not principal("A", MSPRole.MEMBER).is_a(principal("A"))
    assert not principal("A").is_a(principal("B", MSPRole.MEMBER))
    assert not principal("A").is_a(principal("A", MSPRole.ADMIN))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("OR('AMSP.peer')", "OR('BMSP.peer')", {"AB"}),
        ("OR('AMSP.peer')", "AND('AMSP.peer','BMSP.peer')", {"AB"}),
        ("OR('AMSP.peer','BMSP.peer')", "OR('BMSP.peer')", {"B"}),
        ("OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')", "OR('CMSP.peer')", {"AC", "BC"}),
        ("OR('AMSP.member')", "OR('AMSP.peer')", {"A"}),
    ],
)
def test_merged_sets_satisfy_both_policies(first: str, second: str, expected: set[str]) -> None:
    assert members(merge(sets(first), sets(second))) == expected
    assert members(merge(sets(second), sets(first))) == expected


ORGANIZATIONS = st.sampled_from(["A", "B", "C", "D"])
SETS = st.lists(
    st.lists(ORGANIZATIONS, min_size=1, max_size=3, unique=True), min_size=1, max_size=4
)


@given(SETS, SETS)
def test_a_merged_set_always_contains_one_of_each(
    first: list[list[str]], second: list[list[str]]
) -> None:
    one = [tuple(map(principal, each)) for each in first]
    two = [tuple(map(principal, each)) for each in second]
    merged = merge(one, two)
    assert merged
    for each in merged:
        assert any(set(a) <= set(each) for a in one)
        assert any(set(b) <= set(each) for b in two)
    assert not any(set(a) <= set(b) for a, b in itertools.permutations(merged, 2))


def test_a_reference_to_the_channels_policy_becomes_its_signatures() -> None:
    consortium = Consortium.start()
    reference = ApplicationPolicy(
        channel_config_policy_reference="/Channel/Application/Endorsement"
    )
    found = satisfying(signature_policy(serialize(reference), consortium.ledger.config))
    assert {len(each) for each in found} == {3}
    assert len(found) == 4
    for wrong in ("/Channel/Application/None", ""):
        reference.channel_config_policy_reference = wrong
        with pytest.raises(PolicyError):
            signature_policy(serialize(reference), consortium.ledger.config)
    with pytest.raises(PolicyError, match="unsupported policy type"):
        signature_policy(b"", consortium.ledger.config)


def test_only_known_kinds_of_principal_make_plans() -> None:
    anonymous = MSPPrincipal(principal_classification=MSPPrincipal.ANONYMITY)
    with pytest.raises(PolicyError, match="comparable"):
        Principal.of(anonymous)


@pytest.mark.parametrize("kind", [MSPPrincipal.ORGANIZATION_UNIT, MSPPrincipal.IDENTITY])
def test_units_and_identities_are_principals_too(
    kind: MSPPrincipal.Classification.ValueType,
) -> None:
    message = MSPPrincipal(principal_classification=kind, principal=b"\x0a\x01A\x12\x01x")
    found = Principal.of(message)
    assert found.msp_id == "A"
    assert found.message == message
    assert found.is_a(principal("A", MSPRole.MEMBER))
    assert not found.is_a(principal("A"))
