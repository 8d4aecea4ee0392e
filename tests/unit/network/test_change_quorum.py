# SPDX-License-Identifier: Apache-2.0
"""What more orderers gain, which is often nothing."""

from pedchain_fabric.admin.channel import Consensus
from pedchain_network.channel import quorum


def test_a_fifth_orderer_gains_nothing_before_a_seventh() -> None:
    said = quorum.advice(Consensus.SMARTBFT, 4, 5)
    assert said == "5 orderers: 4 must agree, 1 may fail, as with 4; 7 would tolerate 2"


def test_a_seventh_does() -> None:
    assert quorum.advice(Consensus.SMARTBFT, 6, 7) == "7 orderers: 5 must agree, 2 may fail"


def test_one_less_is_said_plainly() -> None:
    assert quorum.advice(Consensus.SMARTBFT, 5, 4) == "4 orderers: 3 must agree, 1 may fail"


def test_raft_counts_a_plain_majority() -> None:
    said = quorum.advice(Consensus.RAFT, 3, 4)
    assert said == "4 orderers: 3 must agree, 1 may fail, as with 3; 5 would tolerate 2"
