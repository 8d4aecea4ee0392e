# SPDX-License-Identifier: Apache-2.0
"""What a topology given to `up` has more, or other, than the one in force."""

from collections.abc import Iterator
from dataclasses import dataclass

from pedchain_network.topology.model import Deployment, Topology
from pedchain_network.topology.organization import Organization


@dataclass(frozen=True, slots=True)
class Change:
    """One difference `up` does not make by itself, and the command that makes it."""

    what: str
    fix: str


_CLEAN = "this cannot change any more: another --state, or ped-network clean"
_UPDATE = "ped-network channel update"


def refused(now: Topology, wanted: Topology) -> tuple[Change, ...]:
    """Every difference that takes a command of its own; none if `up` can go on with `wanted`.

    It can where only chaincode was added or definitions have a higher sequence, or where what
    differs needs no agreement: lifetimes of coming certificates, limits of containers, the command
    that serves chaincode.
    """
    return (
        *_root(now, wanted),
        *_organizations(now, wanted),
        *_agreed(now, wanted),
        *_definitions(now, wanted),
    )


def _root(now: Topology, wanted: Topology) -> Iterator[Change]:
    for name in ("channel", "domain", "dial_names"):
        before, after = getattr(now, name), getattr(wanted, name)
        if before != after:
            yield Change(f"{name} is {before}, not {after}", _CLEAN)
    if now.fabric != wanted.fabric:
        yield Change(
            f"fabric is {now.fabric}, not {wanted.fabric}",
            "back up, then put the new release in place as the admin's guide says (Upgrades)",
        )


def _organizations(now: Topology, wanted: Topology) -> Iterator[Change]:
    before = {each.name: each for each in now.organizations}
    after = {each.name: each for each in wanted.organizations}
    for name in sorted(after.keys() - before.keys()):
        yield Change(f"{name} is no member yet", f"ped-network org add {name}")
    for name in sorted(before.keys() - after.keys()):
        yield Change(f"{name} is a member", f"ped-network org remove {name}")
    for name in sorted(before.keys() & after.keys()):
        yield from _organization(before[name], after[name])


def _organization(now: Organization, wanted: Organization) -> Iterator[Change]:
    name = now.name
    if wanted.peers != now.peers:
        verb = "add" if wanted.peers > now.peers else "remove"
        yield Change(
            f"{name} has {now.peers} peers, not {wanted.peers}",
            f"ped-network peer {verb} {name}",
        )
    if wanted.orderer != now.orderer:
        verb, has = ("add", "no") if wanted.orderer else ("remove", "an")
        yield Change(f"{name} has {has} orderer", f"ped-network orderer {verb} {name}")
    for field in ("ports", "host", "listen", "own_ca"):
        before, after = getattr(now, field), getattr(wanted, field)
        if before != after:
            yield Change(f"{field} of {name} differ", f"take {name} out and in again, or keep them")


def _agreed(now: Topology, wanted: Topology) -> Iterator[Change]:
    if now.governance != wanted.governance:
        yield Change("the governance differs", _UPDATE)
    if now.ordering.consensus != wanted.ordering.consensus:
        yield Change(f"consensus is {now.ordering.consensus}", _CLEAN)
    elif now.ordering != wanted.ordering:
        yield Change("the ordering service's parameters differ", _UPDATE)


def _definitions(now: Topology, wanted: Topology) -> Iterator[Change]:
    after = {each.definition.name: each for each in wanted.deployments}
    for before in now.deployments:
        name = before.definition.name
        if name not in after:
            yield Change(f"definition {name} is missing", "definitions stay: put it back")
        elif not _follows(before, after[name]):
            sequence = before.definition.sequence + 1
            yield Change(f"definition {name} differs", f"give it `sequence: {sequence}`")
    packages = {each.label: each for each in wanted.chaincode.packages}
    for each in now.chaincode.packages:
        if packages.get(each.label, each) != each:
            yield Change(
                f"package {each.label} differs", "leave it, and add the new one under a new label"
            )


def _follows(before: Deployment, after: Deployment) -> bool:
    return after == before or after.definition.sequence > before.definition.sequence
