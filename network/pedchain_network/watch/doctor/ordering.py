# SPDX-License-Identifier: Apache-2.0
"""Can the orderers still agree, and do they agree calmly.

SmartBFT: q = ceil((n + f + 1) / 2) of n consenters must live, f = (n - 1) // 3. Raft: a majority.
"""

from collections.abc import Mapping

from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn
from pedchain_network.watch.leadership import Leadership
from pedchain_network.watch.vitals import Vitals

CHECK = "ordering"


def judge(found: Leadership) -> list[Finding]:
    """Quorum, with all of its spare ones; somebody leads."""
    state = f"{found.live} of {found.size} orderers answer, {found.quorum} are needed"
    up = "bring the others back: ped-network up"
    if found.live < found.quorum:
        return [fail(CHECK, "", f"quorum lost: {state}; nothing can be ordered", up)]
    findings = []
    if found.live < found.size:
        text = f"{state}: {found.live - found.quorum} more may fail"
        findings.append(warn(CHECK, "", text, up))
    if not found.leader:
        fix = "wait some seconds, then look into ped-network logs of the orderers"
        findings.append(fail(CHECK, "", "no orderer leads", fix))
    return findings or [ok(CHECK, f"{state}; {found.leader} leads")]


def judge_calm(
    before: Mapping[str, Vitals | None], after: Mapping[str, Vitals | None], what: str
) -> list[Finding]:
    """No change of leader between two looks; nobody on the list of those that may not lead.

    `what` counts the changes: `view`, or for Raft `leader changes`.
    """
    findings = []
    old, new = _highest(before), _highest(after)
    if old is not None and new is not None and new > old:
        text = f"{what} rose from {old} to {new} while we looked: leaders are given up"
        fix = "see which orderer is slow or unreachable: ped-network logs"
        findings.append(warn(CHECK, "", text, fix))
    listed = max((each.blacklisted for each in after.values() if each is not None), default=0)
    if listed:
        text = f"{listed} orderers are on the list of those that may not lead"
        findings.append(warn(CHECK, "", text, "see why they failed: ped-network logs"))
    return findings


def judge_part(
    before: Mapping[str, Vitals | None], after: Mapping[str, Vitals | None]
) -> list[Finding]:
    """No orderer stands still below the others while these go on, between two looks.

    `before` and `after` are of orderers alone. One that is behind and catches up is not meant.
    """
    old, new = _heights(before), _heights(after)
    top = max(old.values(), default=0)
    return [
        fail(
            CHECK,
            name,
            f"answers, but stands at height {height} while the others got from {top} to "
            f"{max(new.values())}: it takes no part in ordering",
            "ped-network up restarts it",
        )
        for name, height in new.items()
        if height < top < max(new.values()) and height == old.get(name)
    ]


def _heights(told: Mapping[str, Vitals | None]) -> dict[str, int]:
    return {n: e.height for n, e in told.items() if e is not None and e.height is not None}


def _highest(told: Mapping[str, Vitals | None]) -> int | None:
    views = [each.view for each in told.values() if each is not None and each.view is not None]
    return max(views, default=None)
