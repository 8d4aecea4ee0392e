# SPDX-License-Identifier: Apache-2.0
"""Chaincode: the same packages installed everywhere, every definition approved by whom it names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "chaincode"


@dataclass(frozen=True, slots=True)
class Agreed:
    """A name on the channel: sequence and version committed, who approved, and in the topology
    the sequence wanted and the organisations (MSP ids) that its policies name."""

    name: str
    sequence: int
    wanted: int
    approved: Collection[str]
    named: Collection[str]


def judge_installed(
    installed: Mapping[str, Collection[str]], needed: Collection[str]
) -> list[Finding]:
    """By peer: every package id the topology's definitions stand on is installed."""
    findings = []
    for peer, ids in installed.items():
        lacking = sorted(label(each) for each in set(needed) - set(ids))
        if lacking:
            text = f"package {', '.join(lacking)} is not installed, or is another one"
            fix = "ped-network chaincode install, or up"
            findings.append(fail(CHECK, peer, text, fix))
    what = f"{len(set(needed))} packages are the same on {len(installed)} peers"
    return findings or [ok(CHECK, what)]


def judge_agreed(definitions: Collection[Agreed]) -> list[Finding]:
    """Every definition is committed as the topology wants it and approved by whom it names."""
    findings = []
    for each in definitions:
        if each.sequence < each.wanted:
            text = f"committed at sequence {each.sequence}, the topology wants {each.wanted}"
            findings.append(fail(CHECK, each.name, text, "ped-network up"))
            continue
        if each.sequence > each.wanted:
            text = f"committed at sequence {each.sequence}, the topology knows {each.wanted}"
            fix = "somebody upgraded it from elsewhere: bring the topology up to date"
            findings.append(warn(CHECK, each.name, text, fix))
        lacking = sorted(set(each.named) - set(each.approved))
        if lacking:
            text = f"not approved by {', '.join(lacking)}, whom its policies name"
            fix = "ped-network chaincode approve for that organisation"
            findings.append(fail(CHECK, each.name, text, fix))
    what = f"{len(definitions)} definitions committed, approved by all organisations they name"
    return findings or [ok(CHECK, what)]


def label(package_id: str) -> str:
    """A package id without its digest."""
    return package_id.partition(":")[0]
