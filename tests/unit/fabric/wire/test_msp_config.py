# SPDX-License-Identifier: Apache-2.0
"""Configurations of MSPs: which units they take, and what Fabric refuses."""

import pytest
from fabric_protos.msp.msp_config_pb2 import FabricOUIdentifier, MSPConfig
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.msp import Msp
from tests.unit.fabric.wire import pki
from tests.unit.fabric.wire.organisation import CA, ORG, msp, refused, roles


def test_units_bound_to_a_ca_count_only_from_it():
    one, two = pki.root("one"), pki.root("two")
    where = msp(one, two, certifier=one.pem)
    assert roles(one.issue().identity(ORG), where)
    refused(two.issue().identity(ORG), "another CA", where)


def test_an_msp_may_take_only_certain_units():
    config = pki.msp_config(ORG, CA)
    config.organizational_unit_identifiers.append(
        FabricOUIdentifier(certificate=CA.pem, organizational_unit_identifier="billing")
    )
    where = Msp.from_config(pki.wrapped(config))
    assert roles(CA.issue(units=["client", "billing"]).identity(ORG), where)
    refused(CA.issue(units=["client"]).identity(ORG), "belong", where)


def changed(**fields):
    config = pki.msp_config(ORG, CA)
    for name, value in fields.items():
        getattr(config, name).extend(value)
    return config


def test_a_configuration_fabric_refuses_is_a_wire_error():
    stranger, leaf = pki.root("stranger"), CA.issue()
    no_roots = pki.msp_config(ORG)
    no_admins = pki.msp_config(ORG, CA, enable=False)
    sha3 = pki.msp_config(ORG, CA)
    sha3.crypto_config.signature_hash_family = "SHA3"
    strange_hash = pki.msp_config(ORG, CA, certifier=CA.pem)
    strange_hash.crypto_config.identity_identifier_hash_function = "MD5"
    cases = [
        no_roots,
        no_admins,
        sha3,
        strange_hash,
        changed(root_certs=[b"garbage"]),
        changed(root_certs=[leaf.pem]),
        changed(intermediate_certs=[stranger.issue("m", [], ca=True).pem]),
        changed(tls_root_certs=[leaf.pem]),
        changed(revocation_list=[b"garbage"]),
        changed(admins=[CA.issue(units=["peer"]).pem]),
        changed(admins=[stranger.issue(units=["admin"]).pem]),
        pki.msp_config(ORG, CA, certifier=stranger.pem),
        pki.msp_config(ORG, pki.root(ski=False)),
    ]
    for config in cases:
        with pytest.raises(WireError):
            Msp.from_config(pki.wrapped(config))
    with pytest.raises(WireError, match=r"X\.509"):
        Msp.from_config(MSPConfig(type=1))


@given(st.binary(max_size=100))
def test_a_garbled_configuration_raises_wire_errors_only(data):
    with pytest.raises(WireError):
        Msp.from_config(MSPConfig(config=data))
