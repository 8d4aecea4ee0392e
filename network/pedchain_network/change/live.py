# SPDX-License-Identifier: Apache-2.0
"""A network that runs, held by one command that changes it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pedchain_fabric.admin import configuration
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_network.change import pending
from pedchain_network.change.pending import Pending
from pedchain_network.change.reach import Reach
from pedchain_network.change.refusal import Reason, refuse
from pedchain_network.progress import Progress
from pedchain_network.runtimes.runtime import Runtime, by_name
from pedchain_network.state import Run, State
from pedchain_network.topology import reader, writer
from pedchain_network.topology.model import PEER, Node, Organization, Topology


@dataclass(slots=True)
class Live:
    """The network as it is on record. `run` follows what is started and ended."""

    state: State
    topology: Topology
    run: Run
    progress: Progress

    @property
    def runtime(self) -> Runtime:
        """What runs its nodes."""
        return by_name(self.run.runtime)

    def organization(self, name: str) -> Organization:
        """A member by name. Raises `ChangeRefusedError`."""
        for each in self.topology.organizations:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.topology.organizations)
        raise refuse(Reason.UNKNOWN_ORGANIZATION, f"no organisation {name!r}", f"known: {known}")

    def start(self, topology: Topology) -> None:
        """Start what this topology has more than runs, end on embedded what it has less."""
        self.run = self.runtime.start(topology, self.state, self.run, self.progress)

    def begin(
        self, command: str, wanted: Topology, *, before: Topology | None = None, undoes: str = ""
    ) -> None:
        """Put a change on record, from the stored topology unless another is given.

        Raises `ChangeRefusedError` while another change is unfinished.
        """
        change = Pending(command, writer.text(before or self.topology), writer.text(wanted))
        pending.begin(self.state, change, undoes=undoes)

    def finish(self, wanted: Topology) -> None:
        """The change is in force: this is the topology from now on."""
        self.state.save_topology(wanted)
        pending.finish(self.state)


@contextmanager
def opened(state: State, progress: Progress) -> Iterator[Live]:
    """The network of a state directory, which nobody else changes meanwhile.

    Raises `ChangeRefusedError` if there is none that runs, or a part of it does not.
    """
    run = state.load()
    if run is None:
        raise refuse(Reason.NETWORK_DOWN, f"no network in {state.root}", "ped-network up")
    with state.locked():
        run = state.load() or run
        live = Live(state, state.topology(), run, progress)
        ended = [each.name for each in live.runtime.parts(state, run) if not each.alive]
        if ended or not live.runtime.parts(state, run):
            what = f"{', '.join(ended)} ended" if ended else "nothing runs"
            raise refuse(Reason.NETWORK_DOWN, f"the network is not whole: {what}", "ped-network up")
        yield live


def checked(topology: Topology) -> Topology:
    """The topology, once everything that a file's reader refuses has been looked at.

    Raises `TopologyError`.
    """
    return reader.parse(writer.text(topology), "the consortium to be")


async def configuration_of(reach: Reach, orderers: Sequence[Node] = ()) -> ChannelConfig:
    """The channel's configuration, from the first of these orderers (or of all) that answers.

    Nodes tell it to their own administrators: where no orderer's is, a peer is asked. Raises
    `ChangeRefusedError` if none answers.
    """
    said, channel = [], reach.topology.channel
    asked = reach.own(orderers or reach.topology.orderers()) or reach.own(reach.topology.peers())
    for node in asked:
        try:
            if node.kind == PEER:
                return await configuration.from_peer(reach.peer(node), channel)
            return await configuration.from_orderer(reach.orderer(node), channel)
        except AdminError as error:
            said.append(f"{node.name}: {error}")
    raise refuse(Reason.NETWORK_DOWN, f"nobody answers: {'; '.join(said)}", "ped-network up")
