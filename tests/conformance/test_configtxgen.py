# SPDX-License-Identifier: Apache-2.0
"""Goal: our genesis blocks are configtxgen's. Method: the same channel given to both.

There is no difference in the configuration. The block's envelope differs in what each chooses
anew: nonce, transaction id made of it, time; hence data hash.
"""

import pytest
from fabric_protos.common.common_pb2 import (
    Block,
    ChannelHeader,
    Envelope,
    Metadata,
    OrdererBlockMetadata,
    Payload,
    SignatureHeader,
)

from pedchain_fabric.admin import summary
from pedchain_fabric.admin.channel import Channel, Consensus
from pedchain_fabric.wire import block as wire
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import serialize
from tests.conformance import configtools
from tests.unit.fabric.admin import channels

pytestmark = pytest.mark.native

CHANNELS = {
    "smartbft": channels.channel(Consensus.SMARTBFT),
    "raft": channels.channel(Consensus.RAFT),
    "peer-only": channels.with_peer_only(),
}


@pytest.fixture(scope="module", params=list(CHANNELS))
def channel(request: pytest.FixtureRequest) -> Channel:
    """What both are given."""
    return CHANNELS[request.param]


@pytest.fixture(scope="module")
def theirs(channel: Channel, tmp_path_factory: pytest.TempPathFactory) -> Block:
    """configtxgen's block."""
    return configtools.configtxgen(channel, tmp_path_factory.mktemp("configtxgen"))


@pytest.fixture(scope="module")
def ours(channel: Channel) -> Block:
    """Our block."""
    return channels.first_block(channel)


def payload(block: Block) -> Payload:
    return Payload.FromString(Envelope.FromString(block.data.data[0]).payload)


def test_the_configuration_is_the_same_byte_for_byte(ours: Block, theirs: Block) -> None:
    read = [ChannelConfig.from_block(block).config for block in (ours, theirs)]
    assert summary.changes(*read) == ()
    assert serialize(read[0]) == serialize(read[1])


def test_the_channel_header_says_the_same_but_time_and_transaction(
    ours: Block, theirs: Block
) -> None:
    read = [
        ChannelHeader.FromString(payload(block).header.channel_header) for block in (ours, theirs)
    ]
    for header in read:
        assert header.timestamp.nanos == 0
        assert len(header.tx_id) == 64
        header.ClearField("timestamp")
        header.ClearField("tx_id")
    assert read[0] == read[1]


def test_nobody_signs_it_and_only_the_nonce_differs(ours: Block, theirs: Block) -> None:
    for block in (ours, theirs):
        header = SignatureHeader.FromString(payload(block).header.signature_header)
        assert (header.creator, len(header.nonce)) == (b"", 24)
        assert Envelope.FromString(block.data.data[0]).signature == b""


def test_header_and_metadata_are_laid_out_alike(ours: Block, theirs: Block) -> None:
    for block in (ours, theirs):
        assert block.header.previous_hash == b""
        assert block.header.data_hash == wire.data_hash(block.data)
        signatures = Metadata.FromString(block.metadata.metadata[wire.SIGNATURES])
        assert OrdererBlockMetadata.FromString(signatures.value).last_config.index == 0
    assert list(ours.metadata.metadata) == list(theirs.metadata.metadata)
