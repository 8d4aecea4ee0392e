# SPDX-License-Identifier: Apache-2.0
"""Principals: a certificate, a unit under its certifiers, all of several, garbled ones."""

from fabric_protos.msp.msp_principal_pb2 import CombinedPrincipal, MSPPrincipal, OrganizationUnit
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.wire import policy
from tests.unit.fabric.wire import pki
from tests.unit.fabric.wire.organisation import CA, ORG, msp


def test_an_identity_principal_is_exactly_that_certificate():
    one, two = CA.issue().identity(ORG), CA.issue().identity(ORG)
    assert msp().satisfies(one, policy.identity_principal(one))
    assert not msp().satisfies(two, policy.identity_principal(one))
    stranger = pki.root().issue().identity(ORG)
    assert not msp().satisfies(one, policy.identity_principal(stranger))


def unit_principal(unit, certifiers, msp_id=ORG):
    content = OrganizationUnit(
        msp_identifier=msp_id,
        organizational_unit_identifier=unit,
        certifiers_identifier=certifiers,
    )
    return MSPPrincipal(
        principal_classification=MSPPrincipal.ORGANIZATION_UNIT,
        principal=content.SerializeToString(),
    )


def test_a_unit_principal_names_the_unit_and_the_chain_that_certified_it():
    identity = CA.issue(units=["client", "billing"]).identity(ORG)
    certifiers = msp().resolve(identity).certifiers
    assert msp().satisfies(identity, unit_principal("billing", certifiers))
    assert not msp().satisfies(identity, unit_principal("sales", certifiers))
    assert not msp().satisfies(identity, unit_principal("billing", b"other"))
    assert not msp().satisfies(identity, unit_principal("billing", certifiers, "Else"))


def combined(*parts):
    return MSPPrincipal(
        principal_classification=MSPPrincipal.COMBINED,
        principal=CombinedPrincipal(principals=parts).SerializeToString(),
    )


def test_a_combined_principal_wants_all_its_parts():
    identity = CA.issue(units=["peer"]).identity(ORG)
    member, peer, admin = (policy.principal(ORG, role) for role in ("member", "peer", "admin"))
    assert msp().satisfies(identity, combined(member, combined(peer)))
    assert not msp().satisfies(identity, combined(member, admin))
    assert not msp().satisfies(identity, combined())
    deep = member
    for _ in range(40):
        deep = combined(deep)
    assert not msp().satisfies(identity, deep)


@given(st.integers(0, 5), st.binary(max_size=40))
def test_a_garbled_principal_is_satisfied_by_nobody(kind, content):
    principal = MSPPrincipal(principal_classification=kind, principal=content)
    identity = CA.issue().identity(ORG)
    nominal = kind == MSPPrincipal.ANONYMITY
    assert nominal or not msp().satisfies(identity, principal)
