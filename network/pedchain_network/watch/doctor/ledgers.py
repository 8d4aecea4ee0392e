# SPDX-License-Identifier: Apache-2.0
"""Do the peers hold one ledger: none far behind, the same block and commit hash at one height.

The commit hash runs over validity flags and everything written; peers note it and nobody signs
it, so two organisations that differ have either validated or stored differently.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pedchain_network.limits import BEHIND_BLOCKS
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "ledgers"


@dataclass(frozen=True, slots=True)
class Tip:
    """One peer's block `number`: hash of its header, and the commit hash noted with it."""

    number: int
    header_hash: bytes
    commit_hash: bytes


def judge_heights(heights: Mapping[str, int]) -> list[Finding]:
    """No node is far behind the highest."""
    if not heights:
        return [
            fail("heights", "", "no node has joined the channel and tells so", "ped-network up")
        ]
    top = max(heights.values())
    return [
        warn(
            "heights",
            node,
            f"height {height}, {top - height} blocks behind",
            "if it does not catch up: ped-network logs " + node,
        )
        for node, height in heights.items()
        if top - height > BEHIND_BLOCKS
    ] or [ok("heights", f"{len(heights)} nodes at {_range(heights)}")]


def judge_tips(tips: Mapping[str, Tip]) -> list[Finding]:
    """All peers hold the same block with the same outcome."""
    if len(tips) < 2:
        return [warn(CHECK, "", "fewer than two peers to compare", "ped-network up")]
    findings = []
    for what, values in (
        ("block hash", {peer: tip.header_hash for peer, tip in tips.items()}),
        ("commit hash", {peer: tip.commit_hash for peer, tip in tips.items()}),
    ):
        usual = Counter(values.values()).most_common(1)[0][0]
        odd = sorted(peer for peer, value in values.items() if value != usual)
        if odd:
            number = next(iter(tips.values())).number
            text = f"another {what} at block {number} than {len(tips) - len(odd)} other peers"
            fix = "stop it, compare with ledgerutil, and let it take the ledger anew"
            findings.append(fail(CHECK, ", ".join(odd), text, fix))
    number = next(iter(tips.values())).number
    what = f"{len(tips)} peers have the same block and commit hash at block {number}"
    return findings or [ok(CHECK, what)]


def _range(heights: Mapping[str, int]) -> str:
    low, high = min(heights.values()), max(heights.values())
    return f"height {high}" if low == high else f"heights {low} to {high}"
