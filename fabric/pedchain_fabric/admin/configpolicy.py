# SPDX-License-Identifier: Apache-2.0
"""Policies as a channel configuration stores them, each changeable by `Admins`."""

from collections.abc import Sequence

from fabric_protos.common import configtx_pb2, configuration_pb2, policies_pb2

from pedchain_fabric.admin.configvalue import ADMINS
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.quorum import bft_quorum

READERS = "Readers"
WRITERS = "Writers"
ENDORSEMENT = "Endorsement"


def signature(text: str) -> configtx_pb2.ConfigPolicy:
    """A signature policy written in Fabric's policy language. Raises `PolicyError`."""
    return _signature(policy.parse(text))


def implicit(
    sub_policy: str, rule: "policies_pb2.ImplicitMetaPolicy.Rule.ValueType"
) -> configtx_pb2.ConfigPolicy:
    """ANY, ALL or MAJORITY of the sub-groups' policies of one name."""
    meta = policies_pb2.ImplicitMetaPolicy(sub_policy=sub_policy, rule=rule)
    return _wrap(policies_pb2.Policy.IMPLICIT_META, serialize(meta))


def any_role(msp_id: str, roles: Sequence[str]) -> configtx_pb2.ConfigPolicy:
    """Any identity of one organisation that has one of these roles (`peer`, `client`...)."""
    return _signature(policy.n_of(1, [policy.principal(msp_id, role) for role in roles]))


def block_validation(
    consenters: Sequence[configuration_pb2.Consenter],
) -> configtx_pb2.ConfigPolicy:
    """A quorum of the SmartBFT consenters' own identities, in the mapping's order.

    Orderers compare it byte for byte at every later change (smartbft/configverifier.go), so a
    genesis block that differs could never be changed again.
    """
    principals = [
        policy.identity_principal(Identity(consenter.msp_id, consenter.identity))
        for consenter in consenters
    ]
    return _signature(policy.n_of(bft_quorum(max(1, len(principals))), principals))


def _signature(envelope: policies_pb2.SignaturePolicyEnvelope) -> configtx_pb2.ConfigPolicy:
    return _wrap(policies_pb2.Policy.SIGNATURE, serialize(envelope))


def _wrap(kind: int, value: bytes) -> configtx_pb2.ConfigPolicy:
    return configtx_pb2.ConfigPolicy(
        mod_policy=ADMINS, policy=policies_pb2.Policy(type=kind, value=value)
    )
