# SPDX-License-Identifier: Apache-2.0
"""An orderer that signs two blocks of one number: however the others, who each sign one, are
misled, at most one of the two has the quorum that peers and the auditor ask for."""

import itertools
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block

from pedchain_audit.chain import check_signatures
from pedchain_audit.errors import VerificationError
from pedchain_audit.signatures import Signatures
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.channelconfig import ChannelConfig
from tests.unit.audit.collusion import Collusion

GOLDEN = Path(__file__).parents[2] / "golden" / "main-job"
NUMBER, LIAR, HONEST = 32, 1, (2, 3, 4)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Collusion:
    return Collusion(GOLDEN, tmp_path_factory.mktemp("equivocating") / "ledger")


def twins(ledger: Collusion) -> tuple[Block, Block]:
    """Two blocks in one place, each well linked: one leaves a transaction out."""
    first, second = ledger.copy(NUMBER), ledger.copy(NUMBER)
    del second.data.data[-1]
    for block in (first, second):
        ledger.link(block, wire_block.header_hash(ledger.blocks[NUMBER - 1].header))
    assert first.header.data_hash != second.header.data_hash
    return first, second


def is_ordered(ledger: Collusion, block: Block, signers: list[int]) -> bool:
    ledger.sign(block, signers)
    try:
        check_signatures(block, ChannelConfig.from_block(ledger.blocks[0]), Signatures())
    except VerificationError:
        return False
    return True


@pytest.mark.fault(30)
def test_one_orderer_that_signs_two_blocks_gets_at_most_one_through(ledger: Collusion) -> None:
    pair, ordered = twins(ledger), 0
    for split in itertools.product((0, 1, None), repeat=len(HONEST)):
        sides = [
            [LIAR, *(one for one, where in zip(HONEST, split, strict=True) if where == side)]
            for side in (0, 1)
        ]
        found = [is_ordered(ledger, *each) for each in zip(pair, sides, strict=True)]
        assert sum(found) <= 1, sides
        ordered += sum(found)
    assert ordered == 2 * 7  # two or all three honest ones on one side


def test_two_that_do_are_more_than_four_orderers_bear(ledger: Collusion) -> None:
    """The bound is sharp: of four, one may lie (f = 1)."""
    pair = twins(ledger)
    assert all(
        is_ordered(ledger, block, [LIAR, 2, other])
        for block, other in zip(pair, (3, 4), strict=True)
    )
