# SPDX-License-Identifier: Apache-2.0
"""Can the orderers still agree, and do they agree calmly.

SmartBFT: q = ceil((n + f + 1) / 2) of n consenters must live, f = (n - 1) // 3. Raft: a majority.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pedchain_fabric.wire.quorum import bft_quorum
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "ordering"


@dataclass(frozen=True, slots=True)
class Ordering:
    """What the orderers say. `size` is the channel's, `live` those that answer, `leader` empty if
    none leads; `views` holds the highest view (Raft: number of leader changes) before and after
    the other checks; `blacklisted` counts consenters that the others pass over as leaders."""

    bft: bool
    size: int
    live: int
    leader: str
    views: tuple[int | None, int | None] = (None, None)
    blacklisted: int = 0

    @property
    def quorum(self) -> int:
        """How many must live."""
        return bft_quorum(self.size) if self.bft else self.size // 2 + 1


def judge(found: Ordering) -> list[Finding]:
    """Quorum, with one to spare; a leader; no change of leader while we looked."""
    if not found.size:
        return [fail(CHECK, "", "no orderer tells who orders", "ped-network up")]
    state = f"{found.live} of {found.size} orderers answer, {found.quorum} are needed"
    findings = []
    if found.live < found.quorum:
        text = f"quorum lost: {state}; nothing can be ordered"
        findings.append(fail(CHECK, "", text, "bring the others back: ped-network up"))
    elif found.live < found.size:
        spare = found.live - found.quorum
        text = f"{state}: {spare} more may fail"
        findings.append(warn(CHECK, "", text, "bring the others back: ped-network up"))
    if not found.leader and found.live >= found.quorum:
        fix = "wait some seconds, then look into ped-network logs of the orderers"
        findings.append(fail(CHECK, "", "no orderer leads", fix))
    return [*findings, *_calm(found)] or [ok(CHECK, f"{state}; {found.leader} leads")]


def _calm(found: Ordering) -> list[Finding]:
    findings = []
    before, after = found.views
    if before is not None and after is not None and after > before:
        what = "view" if found.bft else "number of leader changes"
        text = f"the {what} rose from {before} to {after} while we looked: leaders are given up"
        fix = "see which orderer is slow or unreachable: ped-network logs"
        findings.append(warn(CHECK, "", text, fix))
    if found.blacklisted:
        text = f"{found.blacklisted} orderers are on the list of those that may not lead"
        findings.append(warn(CHECK, "", text, "see why they failed: ped-network logs"))
    return findings


def highest(views: Mapping[str, int | None]) -> int | None:
    """The highest view any orderer tells."""
    return max((view for view in views.values() if view is not None), default=None)
