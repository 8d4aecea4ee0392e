# SPDX-License-Identifier: Apache-2.0
"""`cert renew`: certificates get successors before they end, one node at a time.

Peers, users and chaincode need new files and a restart. So do orderers that keep their key: from
Fabric 3.1.2 on consenters are recognised by it. An orderer with a new key must be in the channel's
consenter mapping first; from then until its restart it is the one consenter that may fail.
"""

import datetime
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin.channel import Consenter
from pedchain_fabric.admin.edit import consenters
from pedchain_network import limits
from pedchain_network.change import certificatefiles, configuring, rolling
from pedchain_network.change.certificatefiles import Held
from pedchain_network.change.live import Live, configuration_of
from pedchain_network.change.reach import Reach
from pedchain_network.errors import RenewalError
from pedchain_network.pki import crypto, renewal
from pedchain_network.pki.renewal import Pair
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology.model import ORDERER, Node, Topology

_ORDER = ("orderer", "peer", "chaincode", "gateway", "users")
_NODES = "msp"
_TO_CHAINCODE = "chaincode"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which certificates: those that end within `within_days`, or all of one named node, user or
    organisation's part. `node` is a node's name or a folder such as `users/admin`."""

    within_days: int = limits.RENEW_WITHIN_DAYS
    organization: str = ""
    node: str = ""
    new_key: bool = False


def due(topology: Topology, state: State, wish: Wish, now: datetime.datetime) -> list[Held]:
    """What is to be renewed, in the order in which it will be. A renewal once begun is due."""
    return [each for each in _chosen(topology, state, wish) if _is_due(each, wish, now)]


def first_to_end(topology: Topology, state: State, wish: Wish) -> tuple[Held, float] | None:
    """The chosen certificate that ends first, and in how many days."""
    now = _now()
    left = [
        (each, renewal.days_left(each.certificate.read_bytes(), now))
        for each in _chosen(topology, state, wish)
    ]
    return min(left, key=lambda each: each[1], default=None)


async def renew(live: Live, wish: Wish) -> int:
    """Renew on a running network; each node is healthy again before the next is touched.

    Returns how many certificates there were. Raises `NetworkError`.
    """
    chosen = due(live.topology, live.state, wish, _now())
    async with Reach(live.topology, live.state) as reach:
        for _, group in groupby(chosen, key=lambda each: (each.organization, each.folder)):
            await _renew(live, reach, list(group), new_key=wish.new_key)
    return len(chosen)


def renew_files(topology: Topology, state: State, wish: Wish, progress: Progress) -> int:
    """Renew while nothing runs: files only. Raises `RenewalError`."""
    chosen = due(topology, state, wish, _now())
    for each in chosen:
        if wish.new_key and each.folder.startswith(ORDERER):
            raise RenewalError(
                f"{each.name} cannot get a new key while the network is down: the channel has to "
                "be told first",
                "ped-network up, then once more; or without --new-key",
            )
        _place(topology, state, each, _successor(topology, state, each, new_key=wish.new_key))
        progress.step(f"{each.name} renewed")
    return len(chosen)


async def _renew(live: Live, reach: Reach, group: Sequence[Held], *, new_key: bool) -> None:
    node = _node(live.topology, group[0])
    pairs = [_successor(live.topology, live.state, each, new_key=new_key) for each in group]
    heights = await rolling.heights(reach)
    if node is not None and node.kind == ORDERER and _changes_key(group, pairs):
        for each, pair in zip(group, pairs, strict=True):
            each.keep(pair)
        await _tell_channel(live, reach, node, dict(zip(map(_use, group), pairs, strict=True)))
    for each, pair in zip(group, pairs, strict=True):
        _place(live.topology, live.state, each, pair)
    names = ", ".join(each.name for each in group)
    if node is None:
        live.progress.step(f"{names} renewed; who uses it reads it at its next start")
        return
    rolling.restart(live, node)
    await rolling.healthy(reach, node, heights)
    live.progress.step(f"{names} renewed, {node.name} takes part again")


def _place(topology: Topology, state: State, one: Held, pair: Pair) -> None:
    """Put it in place. A peer keeps what it shows its chaincode in what it built from packages,
    and builds again at its start if that is gone."""
    one.place(pair)
    node = _node(topology, one)
    if one.use == _TO_CHAINCODE and node is not None:
        builds = state.data / node.name / "externalbuilder" / "builds"
        shutil.rmtree(builds, ignore_errors=True)


async def _tell_channel(live: Live, reach: Reach, orderer: Node, pairs: dict[str, Pair]) -> None:
    """The channel's configuration names the orderer's new certificates. Nothing if it does."""
    ours = reach.admins()
    own = [each for each in reach.topology.orderers() if each.organization in ours]
    current = await configuration_of(reach, own)
    found = _consenter(current.config, reach.topology, orderer)
    wanted = Consenter(
        id=found.id,
        host=found.host,
        port=found.port,
        msp_id=found.msp_id,
        identity=pairs[_NODES].certificate if _NODES in pairs else found.identity,
        tls_certificate=pairs["tls"].certificate if "tls" in pairs else found.tls_certificate,
    )
    if not found.identity:  # Raft knows its consenters by TLS alone
        wanted = Consenter(0, found.host, found.port, "", b"", wanted.tls_certificate)
    if wanted == found:
        return

    def edit(config: Config) -> Config:
        return consenters.replace(config, found.host, found.port, wanted)

    await configuring.change(live, reach, edit, _others(reach, orderer))
    live.progress.step(f"the channel knows {orderer.name} by its new certificates")


def _others(reach: Reach, orderer: Node) -> list[Node]:
    """The nodes administered from here, without the one that is about to change, if any is left:
    that one need not follow before it is restarted."""
    ours, topology = reach.admins(), reach.topology
    nodes = (*topology.orderers(), *topology.peers())
    own = [each for each in nodes if each.organization in ours]
    orders = [each for each in own if each.kind == ORDERER and each != orderer]
    return [each for each in own if each != orderer or not orders]


def _consenter(config: Config, topology: Topology, orderer: Node) -> Consenter:
    address = topology.dialled(orderer)
    for each in consenters.of(config):
        if f"{each.host}:{each.port}" == address:
            return each
    raise RenewalError(f"{orderer.name} at {address} is no consenter", "ped-network channel show")


def _changes_key(group: Sequence[Held], pairs: Sequence[Pair]) -> bool:
    return any(each.pair().key != pair.key for each, pair in zip(group, pairs, strict=True))


def _use(one: Held) -> str:
    return one.use


def _successor(topology: Topology, state: State, one: Held, *, new_key: bool) -> Pair:
    waiting = one.waiting()
    if waiting is not None:
        return waiting
    root = _root(topology, state, one.organization)
    return certificatefiles.successor(root, one, _now(), _days(topology, one), new_key=new_key)


def _days(topology: Topology, one: Held) -> int:
    lifetimes = topology.lifetimes
    if one.is_user and not one.use:
        return lifetimes.users_days
    return lifetimes.nodes_days if one.use == _NODES else lifetimes.tls_days


def _chosen(topology: Topology, state: State, wish: Wish) -> list[Held]:
    """Everything the wish is about, due or not. Raises `RenewalError` if that is nothing."""
    found = [each for each in _all(topology, state) if _is_meant(topology, each, wish)]
    if not found:
        what = wish.node or wish.organization or "the network"
        raise RenewalError(
            f"no certificate of {what} has its key here",
            "name a node (peer0.dso.ped), a user's folder (users/admin) or an organisation",
        )
    return sorted(found, key=lambda each: (_rank(each), each.organization, each.folder))


def _all(topology: Topology, state: State) -> Iterator[Held]:
    for organization in topology.organizations:
        root = _root(topology, state, organization.name)
        yield from certificatefiles.held(root, organization.name)


def _is_meant(topology: Topology, one: Held, wish: Wish) -> bool:
    if wish.organization not in {"", one.organization}:
        return False
    node = _node(topology, one)
    return wish.node in {"", one.folder, node.name if node else ""}


def _is_due(one: Held, wish: Wish, now: datetime.datetime) -> bool:
    named = bool(wish.node)
    left = renewal.days_left(one.certificate.read_bytes(), now)
    return named or left <= wish.within_days or one.waiting() is not None


def _rank(one: Held) -> int:
    return next(
        (rank for rank, kind in enumerate(_ORDER) if one.folder.startswith(kind)), len(_ORDER)
    )


def _node(topology: Topology, one: Held) -> Node | None:
    """The node that uses it, if a node of this network does."""
    for node in topology.nodes():
        if (node.organization, node.folder) == (one.organization, one.folder):
            return node
    return None


def _root(topology: Topology, state: State, organization: str) -> Path:
    return crypto.of(state.crypto, topology.by_name(organization)).root


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
