# SPDX-License-Identifier: Apache-2.0
"""`channel update`, `sign`, `submit`, `show`: what the channel's members may change about it.

An update goes its way at once if the administrators whose keys are here may agree to it; else it
goes round as a file, is signed by each at home, and is submitted by whoever holds it last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin import configupdate
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.admin.edit import governance, ordering, organizations
from pedchain_fabric.admin.smartbft import Batch
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_network import files
from pedchain_network.change import configuring, pending
from pedchain_network.change.live import Live, configuration_of
from pedchain_network.change.reach import Reach
from pedchain_network.change.refusal import Reason, refuse, translated
from pedchain_network.channel import agreement, view
from pedchain_network.channel.view import Channel
from pedchain_network.errors import ChangeRefusedError
from pedchain_network.limits import UPDATE_BYTES
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology.model import Governance, Topology

Confirm = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What shall be different; what is not named stays.

    `batch` and `timers` are fields of `Batch` and of `Timers` or `RaftTimers`; `anchors` are
    (host, port), by organisation, and `endpoints` `host:port`.
    """

    batch: Mapping[str, int] = field(default_factory=dict)
    timers: Mapping[str, int] = field(default_factory=dict)
    admins: str = ""
    lifecycle: str = ""
    anchors: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    endpoints: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def edit(self, config: Config) -> Config:
        """The configuration with them.

        Raises `EditRefused`, `PolicyError`, or `ValueError` for values no orderer would take.
        """
        if self.batch:
            config = ordering.set_batch(config, replace(ordering.batch(config), **self.batch))
        if self.timers:
            self._require_known(config)
            config = self._timed(config)
        if self.admins:
            config = governance.set_admins(config, self.admins)
        if self.lifecycle:
            config = governance.set_lifecycle_endorsement(config, self.lifecycle)
        for name, peers in self.anchors.items():
            config = organizations.set_anchor_peers(config, name, peers)
        for name, addresses in self.endpoints.items():
            config = organizations.set_endpoints(config, name, addresses)
        return config

    def _require_known(self, config: Config) -> None:
        raft = view.consensus_of(config) is Consensus.RAFT
        now = ordering.raft_timers(config) if raft else ordering.timers(config)
        known = [each.name for each in (*fields(Batch), *fields(now))]
        strangers = [name for name in self.timers if name not in known]
        if strangers:
            raise ValueError(f"no parameter {strangers[0]!r}; there are {', '.join(known)}")

    def _timed(self, config: Config) -> Config:
        if view.consensus_of(config) is Consensus.RAFT:
            raft = ordering.raft_timers(config)
            return ordering.set_raft_timers(config, replace(raft, **self.timers))
        return ordering.set_timers(config, replace(ordering.timers(config), **self.timers))


async def show(live: Live) -> Channel:
    """The configuration in force. Raises `ChangeRefusedError` if no orderer answers."""
    async with Reach(live.topology, live.state) as reach:
        return view.of(await configuration_of(reach))


async def update(live: Live, parameters: Parameters, confirm: Confirm) -> None:
    """Change the channel now, if the administrators whose keys are here may.

    Raises `NetworkError`; `ChangeRefusedError` if `confirm` says no.
    """
    async with Reach(live.topology, live.state) as reach:
        current, made = await _prepared(live, reach, parameters)
        _confirmed(confirm, "change the channel so?")
        made = agreement.signed(made, configuring.members(reach, current).values())
        configuring.require_agreed(current, made, live.state)
        await _submitted(live, reach, current, made)


async def offline(live: Live, parameters: Parameters, path: Path) -> None:
    """Write the update into a file for others to sign; nothing is signed or changed yet.

    Raises `ChangeRefusedError`.
    """
    async with Reach(live.topology, live.state) as reach:
        current, made = await _prepared(live, reach, parameters)
    files.write(path, made.to_bytes())
    live.progress.step(f"{path}: {'; '.join(agreement.missing(current, made))}")


async def sign(
    state: State, path: Path, organization: str, confirm: Confirm, progress: Progress
) -> None:
    """Agree for one organisation, after its administrator has read what the update changes.

    No node need be reachable; but without an orderer's answer it cannot be told what changes.
    Raises `ChangeRefusedError`.
    """
    made = read(path)
    async with Reach(state.topology(), state) as reach:
        signed = await _signed(reach, made, organization, confirm, progress)
    files.write(path, signed.to_bytes())
    progress.step(f"{path} signed by {organization}")


async def _signed(
    reach: Reach, made: SignedUpdate, organization: str, confirm: Confirm, progress: Progress
) -> SignedUpdate:
    admins = reach.admins()
    if organization not in admins:
        raise refuse(
            Reason.SIGNATURES_MISSING,
            f"no key of an administrator of {organization!r} is here",
            f"here are: {', '.join(admins) or 'none'}",
        )
    try:
        current = await configuration_of(reach)
    except ChangeRefusedError as error:
        progress.step(f"what it changes cannot be shown: {error.message}")
    else:
        configuring.tell(progress, current, made)
    _confirmed(confirm, f"agree to this as {organization}?")
    return made.signed_by(admins[organization])


async def submit(live: Live, paths: Sequence[Path]) -> None:
    """Bring all signatures together and change the channel. Raises `NetworkError`."""
    first, *others = map(read, paths)
    async with Reach(live.topology, live.state) as reach:
        current = await configuration_of(reach)
        with translated():
            made = first.merged(*others)
        configuring.tell(live.progress, current, made)
        configuring.require_agreed(current, made, live.state)
        await _submitted(live, reach, current, made)


def read(path: Path) -> SignedUpdate:
    """An update's file. Raises `ChangeRefusedError`."""
    try:
        data = path.read_bytes()
        if len(data) > UPDATE_BYTES:
            raise WireError(f"larger than {UPDATE_BYTES} bytes")
        return SignedUpdate.from_bytes(data)
    except (OSError, WireError) as error:
        text = f"{path} is no update of a channel: {error}"
        fix = "make one: ped-network channel update --offline FILE"
        raise refuse(Reason.NO_UPDATE, text, fix) from error


def following(topology: Topology, current: ChannelConfig) -> Topology:
    """The topology with the channel's own batch, timers and governance: they agree again."""
    config, now = current.config, topology.ordering
    if view.consensus_of(config) is Consensus.RAFT:
        wanted = replace(now, batch=ordering.batch(config), raft=ordering.raft_timers(config))
    else:
        wanted = replace(now, batch=ordering.batch(config), timers=ordering.timers(config))
    rules = {name: agreement.rule(current, path) for name, path in agreement.GOVERNANCE.items()}
    return replace(topology, ordering=wanted, governance=Governance(**rules))


async def _prepared(
    live: Live, reach: Reach, parameters: Parameters
) -> tuple[ChannelConfig, SignedUpdate]:
    """The configuration in force and the update to it, told."""
    pending.require_none(live.state)
    current = await configuration_of(reach)
    with translated():
        try:
            wanted = parameters.edit(current.config)
        except (ValueError, TypeError, WireError) as error:
            raise refuse(
                Reason.BAD_PARAMETER, str(error), "see ped-network channel show"
            ) from error
        made = configupdate.prepare(current, wanted)
    configuring.tell(live.progress, current, made)
    return current, made


async def _submitted(live: Live, reach: Reach, current: ChannelConfig, made: SignedUpdate) -> None:
    nodes = (*live.topology.orderers(), *live.topology.peers())
    await configuring.submit(reach, current, made, nodes)
    live.progress.step(
        f"configuration {current.sequence + 1} is in force on {len(reach.own(nodes))} nodes"
    )
    if pending.load(live.state) is None:  # else it was that change's update, which goes on
        live.state.save_topology(following(live.topology, await configuration_of(reach)))


def _confirmed(confirm: Confirm, question: str) -> None:
    if not confirm(question):
        raise refuse(Reason.NOT_CONFIRMED, "nothing was changed", "say yes, or give --yes")
