# SPDX-License-Identifier: Apache-2.0
"""Blocks carry what SmartBFT's carry: a quorum of signatures, view and last configuration."""

import pytest
from fabric_protos.common.common_pb2 import Block, Metadata, OrdererBlockMetadata

from pedchain_fabric.embedded.ledger import BlockRefused, Ledger
from pedchain_fabric.embedded.orderer import blocks
from pedchain_fabric.embedded.orderer.blocks import Consenter, End
from pedchain_fabric.wire import block as wire
from tests.unit.fabric.embedded_ledger.consortium import NAMES, Consortium


@pytest.fixture
def consortium() -> Consortium:
    return Consortium.start()


def consenters(consortium: Consortium, *numbers: int) -> list[Consenter]:
    return [
        Consenter(number, consortium.organizations[NAMES[number - 1]].orderer.signer)
        for number in numbers
    ]


def next_block(ledger: Ledger, envelope: bytes = b"\x0a\x01x\x12\x01s") -> Block:
    info = ledger.chain_info()
    end = End(info.height, info.current_hash, ledger.config_block)
    return blocks.assemble(end, [envelope], blocks.view_metadata(info.height))


@pytest.mark.parametrize("numbers", [(1, 2, 3), (2, 3, 4), (4, 1, 2), (1, 2, 3, 4)])
def test_any_quorum_of_consenters_makes_a_block_valid(
    consortium: Consortium, numbers: tuple[int, ...]
) -> None:
    block = next_block(consortium.ledger)
    blocks.sign(block, consenters(consortium, *numbers))
    consortium.ledger.commit(block)
    assert consortium.ledger.height == 2


def test_fewer_than_a_quorum_do_not(consortium: Consortium) -> None:
    block = next_block(consortium.ledger)
    blocks.sign(block, consenters(consortium, 1, 4))
    with pytest.raises(BlockRefused, match="not signed by enough"):
        consortium.ledger.commit(block)


def test_a_consenter_signing_under_another_number_does_not_count(consortium: Consortium) -> None:
    block = next_block(consortium.ledger)
    signer = consenters(consortium, 1)[0].signer
    blocks.sign(block, [*consenters(consortium, 1, 2), Consenter(3, signer)])
    with pytest.raises(BlockRefused, match="not signed by enough"):
        consortium.ledger.commit(block)


def test_the_metadata_names_the_last_configuration_and_the_decision(
    consortium: Consortium,
) -> None:
    block = next_block(consortium.ledger)
    metadata = Metadata.FromString(block.metadata.metadata[wire.SIGNATURES])
    value = OrdererBlockMetadata.FromString(metadata.value)
    assert value.last_config.index == 0
    assert value.consenter_metadata == blocks.view_metadata(1)


@pytest.mark.parametrize(
    ("sequence", "encoded"),
    [(1, "1001"), (2, "10021801"), (7, "10071806"), (129, "1081011880" + "01")],
)
def test_view_metadata_is_encoded_as_smartbft_encodes_it(sequence: int, encoded: str) -> None:
    assert blocks.view_metadata(sequence).hex() == encoded


def test_orderers_hand_out_blocks_without_what_peers_note(consortium: Consortium) -> None:
    block = next_block(consortium.ledger)
    blocks.sign(block, consenters(consortium, 1, 2, 3))
    consortium.ledger.commit(block)
    committed = consortium.ledger.block(1)
    assert committed is not None
    assert committed.metadata.metadata[wire.TRANSACTIONS_FILTER]
    ordered = blocks.as_ordered(committed)
    assert not ordered.metadata.metadata[wire.TRANSACTIONS_FILTER]
    assert ordered.metadata.metadata[wire.SIGNATURES] == block.metadata.metadata[wire.SIGNATURES]
    assert (ordered.header, ordered.data) == (committed.header, committed.data)
