# SPDX-License-Identifier: Apache-2.0
"""`chaincode status`: what is agreed, who stands behind it with which package, does it work."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from pedchain_fabric.admin import configuration
from pedchain_fabric.admin.readiness import Standing
from pedchain_fabric.errors import EndorsementMismatch, GatewayError
from pedchain_network.change import chaincodeguards
from pedchain_network.change.chaincodereading import Agreed, AgreedCollection, read
from pedchain_network.change.reach import Reach
from pedchain_network.channel.agreement import GOVERNANCE, rule
from pedchain_network.topology.model import Deployment, Node

WORKS = "ok"


@dataclass(frozen=True, slots=True)
class Stand:
    """One organisation: has it approved, with which package, on which of its peers is that.

    Of an organisation whose administrator is not here only the approval is known (`here` false).
    """

    msp_id: str
    here: bool
    approved: bool
    package: str = ""
    installed_on: tuple[str, ...] = ()
    lacking_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """One name. `endorsable` says of each gateway here `ok` or why not; `next` is what must still
    happen before the sequence that this network's topology has, empty if it is agreed."""

    name: str
    version: str
    sequence: int
    endorsement: str
    collections: tuple[AgreedCollection, ...]
    organizations: tuple[Stand, ...]
    endorsable: Mapping[str, str]
    wanted_sequence: int
    next: Mapping[str, str]

    @property
    def same_package(self) -> bool:
        """Everybody that is here runs one and the same package."""
        return len({each.package for each in self.organizations if each.here}) <= 1

    @property
    def healthy(self) -> bool:
        """It can be endorsed through every gateway, by the same code, and nothing is open."""
        works = all(each == WORKS for each in self.endorsable.values())
        return works and self.same_package and self.sequence == self.wanted_sequence


@dataclass(frozen=True, slots=True)
class Chaincode:
    """All definitions, and the policies by which they and the channel are changed."""

    governance: Mapping[str, str]
    definitions: tuple[Definition, ...]

    @property
    def healthy(self) -> bool:
        """All of them are."""
        return all(each.healthy for each in self.definitions)

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        told = [
            asdict(each) | {"same_package": each.same_package, "healthy": each.healthy}
            for each in self.definitions
        ]
        return {"governance": dict(self.governance), "definitions": told}

    def lines(self) -> Iterator[str]:
        """As text."""
        for name, text in self.governance.items():
            yield f"{name} {text}"
        for each in self.definitions:
            yield from _lines(each)


def _lines(found: Definition) -> Iterator[str]:
    yield f"{found.name}: version {found.version}, sequence {found.sequence}"
    yield f"  endorsed by {found.endorsement}"
    for each in found.collections:
        own = f", endorsed by {each.endorsement}" if each.endorsement else ""
        lives = f", kept {each.blocks_to_live} blocks" if each.blocks_to_live else ""
        members = ", ".join(each.members)
        yield f"  collection {each.name} of {members}{own}{lives}"
    for stand in found.organizations:
        yield f"  {_stand(stand)}"
    if not found.same_package:
        yield "  organisations run different packages"
    for gateway, said in found.endorsable.items():
        if said != WORKS:
            yield f"  cannot be endorsed through {gateway}: {said}"
    if found.sequence != found.wanted_sequence:
        yield f"  sequence {found.wanted_sequence} is wanted here and not agreed"
        for msp_id, lack in found.next.items():
            yield f"    {msp_id} {lack}"


def _stand(stand: Stand) -> str:
    word = "approved" if stand.approved else "not approved"
    if not stand.here:
        return f"{stand.msp_id} {word} (its administrator is elsewhere)"
    places = f" on {', '.join(stand.installed_on)}" if stand.installed_on else ""
    lacks = f", NOT installed on {', '.join(stand.lacking_on)}" if stand.lacking_on else ""
    return f"{stand.msp_id} {word}: {stand.package or 'no package'}{places}{lacks}"


async def look(reach: Reach, names: tuple[str, ...] = ()) -> Chaincode:
    """The definitions of these names, or all that are agreed or wanted. Raises `AdminError`."""
    config = await configuration.from_peer(reach.peer(own_peers(reach)[0]), reach.topology.channel)
    first = reach.lifecycle(own_peers(reach)[0])
    agreed = await first.committed()
    known = {each.definition.name: each for each in reach.topology.deployments}
    chosen = names or tuple(dict.fromkeys([*known, *sorted(agreed)]))
    found = await asyncio.gather(
        *(_definition(reach, each, agreed.get(each, 0), known.get(each)) for each in chosen)
    )
    governance = {name: rule(config, path) for name, path in GOVERNANCE.items()}
    return Chaincode(governance, tuple(found))


def own_peers(reach: Reach) -> tuple[Node, ...]:
    """Peers of the organisations whose administrators' keys are here."""
    return reach.own(reach.topology.peers())


async def _definition(
    reach: Reach, name: str, sequence: int, deployment: Deployment | None
) -> Definition:
    wanted = deployment.definition.sequence if deployment else sequence
    open_ = await _next(reach, deployment) if deployment and wanted > sequence else {}
    if not sequence:
        return Definition(name, "", 0, "", (), (), {}, wanted, open_)
    peer = own_peers(reach)[0]
    agreed = read(name, await reach.lifecycle(peer).agreed(name))
    stands = await asyncio.gather(
        *(_look_at(reach, agreed, msp_id, approved) for msp_id, approved in _sorted(agreed))
    )
    return Definition(
        name=name,
        version=agreed.version,
        sequence=agreed.sequence,
        endorsement=agreed.endorsement,
        collections=agreed.collections,
        organizations=tuple(stands),
        endorsable=await _endorsable(reach, name),
        wanted_sequence=wanted,
        next=open_,
    )


def _sorted(agreed: Agreed) -> list[tuple[str, bool]]:
    return sorted(agreed.approvals.items())


async def _next(reach: Reach, deployment: Deployment) -> Mapping[str, str]:
    standings = await standings_of(reach, deployment)
    return chaincodeguards.lacking(deployment.definition, standings)


async def standings_of(reach: Reach, deployment: Deployment) -> dict[str, Standing]:
    """By MSP id, how each organisation of the channel stands to a definition to be.

    What is installed elsewhere nobody is told; `chaincode approve` sees to it there.
    """
    definition = deployment.definition
    ready = await reach.lifecycle(own_peers(reach)[0]).readiness(definition)
    told = {msp_id: Standing(approved, installed=approved) for msp_id, approved in ready.items()}
    for peer in own_peers(reach):
        standing = await reach.lifecycle(peer).standing(definition)
        msp_id = reach.topology.by_name(peer.organization).msp_id
        before = told.get(msp_id, standing)
        told[msp_id] = Standing(standing.approved, before.installed and standing.installed)
    return told


async def _look_at(reach: Reach, agreed: Agreed, msp_id: str, approved: bool) -> Stand:
    peers = [
        each
        for each in own_peers(reach)
        if reach.topology.by_name(each.organization).msp_id == msp_id
    ]
    if not peers:
        return Stand(msp_id, here=False, approved=approved)
    package = ""
    for each in await reach.lifecycle(peers[0]).approvals():
        if (each.name, each.sequence) == (agreed.name, agreed.sequence):
            package = each.source.local_package.package_id
    holding = [package in await reach.lifecycle(each).installed() for each in peers]
    pairs = list(zip(peers, holding, strict=True))
    return Stand(
        msp_id=msp_id,
        here=True,
        approved=approved,
        package=package,
        installed_on=tuple(peer.name for peer, holds in pairs if holds),
        lacking_on=tuple(peer.name for peer, holds in pairs if not holds),
    )


async def _endorsable(reach: Reach, name: str) -> dict[str, str]:
    peers = own_peers(reach)
    said = await asyncio.gather(*(try_endorse(reach, each, name) for each in peers))
    return {peer.name: word for peer, word in zip(peers, said, strict=True)}


async def try_endorse(reach: Reach, peer: Node, name: str) -> str:
    """`ok`, or why a transaction of this name cannot be endorsed through this peer's gateway."""
    network = reach.gateway(peer).network(reach.topology.channel)
    proposal = network.contract(name).new_proposal(reach.topology.chaincode.probe)
    try:
        await proposal.endorse()
    except EndorsementMismatch:
        return "organisations run different code"
    except GatewayError as error:
        return "; ".join([error.message, *(str(each) for each in error.details)])
    return WORKS
