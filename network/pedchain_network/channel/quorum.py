# SPDX-License-Identifier: Apache-2.0
"""What a number of orderers is worth, in words for those who change it."""

from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.wire.quorum import bft_quorum, faults_tolerated


def tolerated(consensus: Consensus, orderers: int) -> int:
    """How many of them may fail: under SmartBFT in any way, under Raft by silence only."""
    if consensus is Consensus.RAFT:
        return (orderers - 1) // 2
    return faults_tolerated(orderers)


def needed(consensus: Consensus, orderers: int) -> int:
    """How many of them must agree on a block."""
    return orderers // 2 + 1 if consensus is Consensus.RAFT else bft_quorum(orderers)


def advice(consensus: Consensus, before: int, after: int) -> str:
    """What a change of their number gains: often nothing, which people do not expect."""
    faults = tolerated(consensus, after)
    text = f"{after} orderers: {needed(consensus, after)} must agree, {faults} may fail"
    if after > before and faults == tolerated(consensus, before):
        enough = after
        while tolerated(consensus, enough) == faults:
            enough += 1
        text += f", as with {before}; {enough} would tolerate {faults + 1}"
    return text
