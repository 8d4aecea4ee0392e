# SPDX-License-Identifier: Apache-2.0
"""One peer: its identity, the channels it joined, its chaincode, its services."""

from collections.abc import Mapping

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.acl import Acl
from pedchain_fabric.embedded.approvals import Approvals
from pedchain_fabric.embedded.chaincode.runtime import RuntimeSettings
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.config import PeerConfig
from pedchain_fabric.embedded.endorser import Endorser, EndorserParts
from pedchain_fabric.embedded.executor import Executor, Surroundings
from pedchain_fabric.embedded.joined import Channels, Joined
from pedchain_fabric.embedded.ledger.lifecycle import NAMESPACE
from pedchain_fabric.embedded.mspdir import LocalMsp
from pedchain_fabric.embedded.store import Store
from pedchain_fabric.embedded.system import NAMES
from pedchain_fabric.embedded.system.cscc import Cscc
from pedchain_fabric.embedded.system.lifecycle.scc import Lifecycle
from pedchain_fabric.embedded.system.qscc import Qscc
from pedchain_fabric.wire.identity import Identity, SigningIdentity


class Peer:
    """A peer of the process; its channels' ledgers are shared with the others."""

    def __init__(
        self, config: PeerConfig, local: LocalMsp, store: Store, channels: Channels
    ) -> None:
        self.config = config
        self.name = config.name
        self.msp_id = config.msp_id
        self.address = str(config.listen)
        self.signing: SigningIdentity = local.identity
        self.acl = Acl(local)
        self.packages = store.packages(config.name)
        self.joined = PeerChannels(self, store)
        self._approvals: dict[str, Approvals] = {}
        around = Surroundings(self.acl, self.joined, self._approvals, config.msp_id)
        self.executor = Executor(around, self.packages, _settings(config))
        self.executor.system.update(
            {
                "cscc": Cscc(self.acl, self.joined, channels),
                "qscc": Qscc(self.acl, self.joined),
                NAMESPACE: Lifecycle(self),
            }
        )
        self.endorser = Endorser(EndorserParts(local, self.acl, self.joined, self.executor))

    @property
    def identity(self) -> Identity:
        """Who it is."""
        return self.signing.identity

    @property
    def chaincode_values(self) -> Mapping[str, str]:
        """Values for the templates of connection.json."""
        return self.config.chaincode_config

    def approvals(self) -> Mapping[str, Approvals]:
        """Each joined channel's chaincode, as this peer sees it."""
        return self._approvals

    def offers(self, channel: str, chaincode: str) -> bool:
        """Whether it can run the chaincode on the channel now."""
        if chaincode in NAMES:
            return True
        view = self._approvals.get(channel)
        local = None if view is None else view.get(chaincode)
        if local is None:
            return False
        return local.runnable or (local.approved and self.config.user_runs_chaincode)

    def entered(self, channel: Channel) -> None:
        """The peer serves the channel from now on."""
        self._approvals[channel.name] = Approvals(channel, self.msp_id, self.packages)
        channel.peers[self.name] = self

    def depart(self) -> None:
        """The peer stops: it serves no channel, but has left none."""
        for channel in self.joined:
            channel.peers.pop(self.name, None)

    async def close(self) -> None:
        """Ends its chaincode streams."""
        await self.executor.runtime.close()


class PeerChannels(Joined):
    """The channels a peer has joined; joining makes it known there."""

    def __init__(self, peer: Peer, store: Store) -> None:
        super().__init__(peer.name, store)
        self._peer = peer

    def add(self, channel: Channel) -> None:
        """Joins, durably."""
        super().add(channel)
        self._peer.entered(channel)

    def restore(self, channels: dict[str, Channel]) -> list[Channel]:
        """Takes up again what was joined before the process ended."""
        found = super().restore(channels)
        for channel in found:
            self._peer.entered(channel)
        return found


def _settings(config: PeerConfig) -> RuntimeSettings:
    return RuntimeSettings(
        values=config.chaincode_config,
        execute_timeout_s=config.execute_timeout_s or limits.EXECUTE_TIMEOUT_S,
        user_runs_chaincode=config.user_runs_chaincode,
        keepalive_s=config.chaincode_keepalive_s,
    )
