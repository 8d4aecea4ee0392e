# SPDX-License-Identifier: Apache-2.0
"""An organisation's CA and MSP, and what the MSP makes of an identity."""

import pytest

from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.msp import Msp
from tests.unit.fabric.wire import pki

CA = pki.root()
ORG = "OrgMSP"


def msp(*roots, **options):
    return Msp.from_config(pki.wrapped(pki.msp_config(ORG, *(roots or (CA,)), **options)))


def roles(identity, where=None):
    return set((where or msp()).validate(identity).roles)


def refused(identity, words, where=None):
    with pytest.raises(IdentityError, match=words):
        (where or msp()).validate(identity)


def is_a(role, identity, where=None):
    return (where or msp()).satisfies(identity, policy.principal(ORG, role))
