# SPDX-License-Identifier: Apache-2.0
"""Ordering as SmartBFT shows it: a quorum of signatures, requests taken once.

Source: orderer/consensus/smartbft (util.go: createSmartBftConfig, RequestInspector; assembler.go;
configverifier.go: checkConsentersMatchPolicy, the policy BlockValidation is a quorum of exactly the
consenters, in order, and the leader does not rotate).
"""

from collections.abc import Sequence

from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import Orderers
from fabric_protos.common.policies_pb2 import Policy, SignaturePolicyEnvelope
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.orderer.smartbft.configuration_pb2 import Options

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.orderer import blocks
from pedchain_fabric.embedded.orderer.blocks import Consenter
from pedchain_fabric.embedded.orderer.consensus import Member, Turn, same_key
from pedchain_fabric.embedded.orderer.pool import Cut, Request, request_of
from pedchain_fabric.errors import FabricError, WireError
from pedchain_fabric.wire import durations
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.policy import identity_principal, n_of
from pedchain_fabric.wire.quorum import bft_quorum

_INTERVAL_S = 0.05


class SmartBft:
    """Consensus of type BFT."""

    def number(self, config: ChannelConfig, member: Member) -> int | None:
        """The consenter's id in the channel's mapping."""
        for each in config.consenters:
            own = each.msp_id == member.identity.msp_id
            if own and same_key(each.identity, member.identity.certificate):
                return each.id
        return None

    def size(self, config: ChannelConfig) -> int:
        """Those in the channel's mapping."""
        return len(config.consenters)

    def quorum(self, config: ChannelConfig) -> int:
        """Any two quorums share an honest consenter."""
        return bft_quorum(max(1, self.size(config)))

    def request(self, envelope: bytes) -> Request:
        """Known by its transaction id, so that the same again is refused."""
        return request_of(envelope)

    def pool_size(self, config: ChannelConfig) -> int:
        """The options' own, else SmartBFT's default."""
        return _options(config).request_pool_size or limits.REQUEST_POOL_SIZE

    def cut(self, config: ChannelConfig) -> Cut:
        """Count and bytes are those of the channel's batch size."""
        size = config.batch_size
        most = size.absolute_max_bytes or limits.MAX_MESSAGE_BYTES
        return Cut(max(1, size.max_message_count), most)

    def interval(self, config: ChannelConfig) -> float:
        """The options' own; the channel's batch timeout means nothing here."""
        try:
            return durations.seconds(_options(config).request_batch_max_interval)
        except (ValueError, FabricError):
            return _INTERVAL_S

    def invalid(self, _before: ChannelConfig, _wanted: Config) -> str:
        """SmartBFT leaves it to its config verifier."""
        return ""

    def refusal(self, wanted: Config) -> str:
        """What the consenters' config verifier says."""
        return check_consenters(wanted)

    def block(self, at: Turn, envelopes: Sequence[bytes]) -> Block:
        """Signed by a quorum, another one for each block."""
        view = blocks.view_metadata(at.end.number)
        made = blocks.assemble(at.end, envelopes, consenter_metadata=view)
        members = sorted(at.present.items())
        first = at.end.number % len(members)
        chosen = (members[first:] + members[:first])[: self.quorum(at.config)]
        signers = [Consenter(number, each.identity.signer) for number, each in chosen]
        blocks.sign(made, signers)
        return made


def _options(config: ChannelConfig) -> Options:
    return parse(Options, config.consensus_metadata)


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
