# SPDX-License-Identifier: Apache-2.0
"""What SmartBFT demands of a new configuration.

Source: checkConsentersMatchPolicy in orderer/consensus/smartbft/configverifier.go: the policy
BlockValidation is a quorum of exactly the consenters, in order, and the leader does not rotate.
"""

from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import Orderers
from fabric_protos.common.policies_pb2 import Policy, SignaturePolicyEnvelope
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.orderer.smartbft.configuration_pb2 import Options

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.policy import identity_principal, n_of
from pedchain_fabric.wire.quorum import bft_quorum


def check_consenters(config: Config) -> str:
    """Why the orderers would refuse the configuration; empty if they would not."""
    orderer = config.channel_group.groups["Orderer"]
    if "Orderers" not in orderer.values:
        return "no values in 'Orderer' group"
    if "BlockValidation" not in orderer.policies:
        return "block validation policy is not found in the policies of 'Orderer' group"
    try:
        expected = _expected(parse(Orderers, orderer.values["Orderers"].value))
        options = parse(
            Options, parse(ConsensusType, orderer.values["ConsensusType"].value).metadata
        )
    except WireError as error:
        return f"invalid options encoded in consensus metadata: {error}"
    actual = orderer.policies["BlockValidation"].policy
    if actual.type != Policy.SIGNATURE or _envelope(actual) != expected:
        return "block validation policy should be a signature policy: the consenters' quorum"
    if options.leader_rotation == Options.ROTATION_ON:
        return "leader rotation must be turned off for this version or be unspecified"
    return ""


def _expected(orderers: Orderers) -> SignaturePolicyEnvelope:
    consenters = orderers.consenter_mapping
    principals = [identity_principal(Identity(c.msp_id, c.identity)) for c in consenters]
    return n_of(bft_quorum(max(1, len(principals))), principals)


def _envelope(policy: Policy) -> SignaturePolicyEnvelope | None:
    try:
        return parse(SignaturePolicyEnvelope, policy.value)
    except WireError:
        return None
