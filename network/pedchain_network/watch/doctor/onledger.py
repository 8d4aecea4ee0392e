# SPDX-License-Identifier: Apache-2.0
"""The checks of what peers hold: asked here, judged by their modules."""

import asyncio
from collections.abc import Sequence

from fabric_protos.common.common_pb2 import ENDORSER_TRANSACTION
from fabric_protos.peer.events_pb2 import BlockAndPrivateData
from fabric_protos.peer.transaction_pb2 import VALID

from pedchain_fabric.admin import qscc
from pedchain_fabric.errors import AdminError, FabricError
from pedchain_fabric.wire import block as wire
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.transaction import parse_envelope
from pedchain_network.limits import SAMPLED_BLOCKS, STATUS_CHAINCODE_S
from pedchain_network.runtimes import parts
from pedchain_network.topology.model import Deployment, Node
from pedchain_network.watch import contracts
from pedchain_network.watch.doctor import code, ledgers, packages, privatedata
from pedchain_network.watch.doctor.finding import Finding
from pedchain_network.watch.doctor.ledgers import Tip
from pedchain_network.watch.doctor.packages import Agreed
from pedchain_network.watch.doctor.privatedata import Gap, Held, Place
from pedchain_network.watch.doctor.subject import Subject

_NOT_FOUND = 404


async def tips(subject: Subject) -> list[Finding]:
    """The newest block that all answering peers have."""
    heights = [
        each.height
        for each in subject.sight.nodes
        if each.kind == "peer" and each.height is not None
    ]
    number = min(heights, default=1) - 1
    joined = {each.name for each in subject.sight.nodes if each.height}
    peers = [each for each in subject.peers if each.name in joined]
    found = await asyncio.gather(*(_tip(subject, each, number) for each in peers))
    return ledgers.judge_tips({peer.name: tip for peer, tip in zip(peers, found, strict=True)})


async def installed(subject: Subject) -> list[Finding]:
    """The packages on each peer whose administrator we are."""
    topology, peers = subject.topology, subject.own_peers
    needed = {parts.package_of(topology, each.package).id for each in topology.deployments}
    found = await asyncio.gather(*(subject.reach.lifecycle(each).installed() for each in peers))
    return packages.judge_installed(
        {peer.name: ids for peer, ids in zip(peers, found, strict=True)}, needed
    )


async def agreed(subject: Subject) -> list[Finding]:
    """The definitions as the first answering peer has them."""
    if not subject.own_peers:
        return []
    peer = subject.own_peers[0]
    return packages.judge_agreed(
        [await _agreed(subject, peer, each) for each in subject.topology.deployments]
    )


async def builds(subject: Subject) -> list[Finding]:
    """What each contract tells of how it was built, on each peer whose administrator we are."""
    peers = subject.own_peers
    found = await asyncio.gather(*(contracts.answers(subject.reach, each) for each in peers))
    told: dict[str, dict[str, dict[str, str] | None]] = {}
    for peer, answers in zip(peers, found, strict=True):
        for name, answer in answers.items():
            known = code.environment(answer) if isinstance(answer, bytes) else None
            told.setdefault(name, {})[peer.name] = known
    return code.judge(told)


async def private_data(subject: Subject) -> list[Finding]:
    """The newest blocks of each peer whose organisation's client we are."""
    peers = [each for each in subject.own_peers if _memberships(subject, each)]
    found: dict[str, Sequence[Gap]] = {}
    blocks: dict[str, int] = {}
    silent = []
    for peer, answer in zip(
        peers, await asyncio.gather(*(_held(subject, each) for each in peers)), strict=True
    ):
        if answer is None:
            silent.append(peer.name)
            continue
        transactions, blocks[peer.name] = answer
        found[peer.name] = privatedata.gaps(transactions, _memberships(subject, peer))
    return privatedata.judge(found, blocks, silent)


async def _tip(subject: Subject, peer: Node, number: int) -> Tip:
    found = await qscc.block_by_number(subject.endorser(peer), subject.topology.channel, number)
    return Tip(number, wire.header_hash(found.header), wire.commit_hash(found))


async def _agreed(subject: Subject, peer: Node, deployment: Deployment) -> Agreed:
    wanted = deployment.definition
    try:
        found = await subject.reach.lifecycle(peer).agreed(wanted.name)
    except AdminError as error:
        if error.status != _NOT_FOUND:
            raise
        return Agreed(wanted.name, 0, wanted.sequence, (), wanted.organizations())
    approved = [msp_id for msp_id, yes in found.approvals.items() if yes]
    return Agreed(wanted.name, found.sequence, wanted.sequence, approved, wanted.organizations())


def _memberships(subject: Subject, peer: Node) -> frozenset[Place]:
    """The collections whose data the peer must hold for ever."""
    return frozenset(
        (each.definition.name, collection.name)
        for each in subject.topology.deployments
        for collection in each.definition.collections
        if peer.member.msp_id in collection.members and not collection.blocks_to_live
    )


async def _held(subject: Subject, peer: Node) -> tuple[list[Held], int] | None:
    """The transactions of the newest blocks, and how many blocks; None if it does not tell."""
    height = next(each.height or 0 for each in subject.sight.nodes if each.name == peer.name)
    if not height:
        return [], 0
    first, last = max(0, height - SAMPLED_BLOCKS), height - 1
    network = subject.reach.gateway(peer).network(subject.topology.channel)
    held: list[Held] = []
    try:
        async with (
            asyncio.timeout(STATUS_CHAINCODE_S),
            network.block_and_private_data_events(start_block=first, stop_block=last) as blocks,
        ):
            async for each in blocks:
                held += _transactions(each)
    except (FabricError, TimeoutError):
        return None
    return held, last + 1 - first


def _transactions(found: BlockAndPrivateData) -> list[Held]:
    """The valid transactions of a block with what the peer holds of each."""
    codes = wire.validation_codes(found.block)
    transactions = []
    for index, (envelope, verdict) in enumerate(zip(found.block.data.data, codes, strict=True)):
        if verdict != VALID:
            continue
        parts_ = parse_envelope(envelope)
        if parts_.type != ENDORSER_TRANSACTION or parts_.action is None:
            continue
        private = found.private_data_map.get(index)
        plain = () if private is None else rwset.decode_private(serialize(private))
        public = rwset.decode(parts_.action.results)
        transactions.append(Held(found.block.header.number, public, plain))
    return transactions
