# SPDX-License-Identifier: Apache-2.0
"""How many of n orderers must agree when some may lie (SmartBFT, `computeQuorum`)."""


def faults_tolerated(n: int) -> int:
    """f = (n - 1) // 3: how many of n consenters may fail in any way."""
    if n < 1:
        raise ValueError("a quorum needs at least one consenter")
    return (n - 1) // 3


def bft_quorum(n: int) -> int:
    """ceil((n + f + 1) / 2): any two quorums of that size share an honest consenter."""
    return (n + faults_tolerated(n) + 2) // 2
