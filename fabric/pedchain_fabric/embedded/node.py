# SPDX-License-Identifier: Apache-2.0
"""The network of one process: its channels, its nodes, and how nodes come and go."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.embedded import mspdir, services
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.channels import ProcessChannels
from pedchain_fabric.embedded.config import (
    ConfigError,
    NetworkConfig,
    OrdererConfig,
    PeerConfig,
    TlsFiles,
)
from pedchain_fabric.embedded.metrics import VERSION, Sampler
from pedchain_fabric.embedded.mspdir import LocalMsp
from pedchain_fabric.embedded.operations import LogSpec, Operations
from pedchain_fabric.embedded.orderer.chain import OrderingChain
from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.embedded.participation import Participation
from pedchain_fabric.embedded.peer import Peer
from pedchain_fabric.embedded.servers import Interface, Servers
from pedchain_fabric.embedded.store import Store

NodeConfig: TypeAlias = PeerConfig | OrdererConfig


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Names of nodes: started anew, restarted with other settings, ended, and those that could not
    be started, with the reason."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def __str__(self) -> str:
        marked = [f"+{name}" for name in self.added]
        marked += [f"~{name}" for name in self.changed]
        marked += [f"-{name}" for name in self.removed]
        marked += [f"!{reason}" for reason in self.failed]
        return " ".join(marked) or "nothing changed"


@dataclass(frozen=True, slots=True)
class _Settings:
    """What makes a node what it is, keys and certificates included."""

    config: NodeConfig
    local: LocalMsp
    digest: bytes

    @classmethod
    def of(cls, config: NodeConfig) -> "_Settings":
        """Raises ConfigError."""
        folder = config.msp_dir
        return cls(config, mspdir.load(config.msp_id, folder), mspdir.digest(folder))

    def same(self, other: "_Settings | None") -> bool:
        return other is not None and (self.config, self.digest) == (other.config, other.digest)


class Network:
    """Starts and stops everything. Raises ConfigError and OSError when it cannot.

    `broken` is called when a channel cannot be ordered any more; `failure` then says why.
    """

    def __init__(self, config: NetworkConfig, broken: Callable[[], None] = lambda: None) -> None:
        self.failure: BaseException | None = None
        self._broken = broken
        self._data_dir = config.data_dir
        self._wanted = _settings(config)
        self._running: dict[str, _Settings] = {}
        self._servers: dict[str, Servers] = {}
        self._log_spec = LogSpec()
        self._reloading = asyncio.Lock()
        self.store = Store(config.data_dir)
        self.process_channels = ProcessChannels(self.store, self._failed)
        self.peers: list[Peer] = []
        self.orderers: list[Orderer] = []

    @property
    def channels(self) -> dict[str, Channel]:
        """The process's channels, by name."""
        return self.process_channels.by_name

    @property
    def chains(self) -> dict[str, OrderingChain]:
        """What orders them."""
        return self.process_channels.chains

    async def start(self) -> None:
        """Opens what was there before, then listens."""
        self.process_channels.restore()
        for settings in self._wanted.values():
            self._enter(settings)
        await asyncio.gather(*(self._listen(name) for name in self._wanted))

    async def stop(self) -> None:
        """Ends all streams, cuts no further block, closes the ledgers."""
        await asyncio.gather(*(server.stop() for server in self._servers.values()))
        await asyncio.gather(*(peer.close() for peer in self.peers))
        await self.process_channels.close()

    async def reload(self, config: NetworkConfig) -> Reloaded:
        """Starts and ends nodes so that `config` is played; others go on undisturbed.

        Raises ConfigError if it cannot be used, and then nothing has changed. A node whose address
        is taken is told in the answer and tried again with the next reload.
        """
        if config.data_dir != self._data_dir:
            raise ConfigError("data_dir cannot change while the process runs")
        wanted = _settings(config)
        async with self._reloading:
            removed = [name for name in self._running if name not in wanted]
            new = [name for name, each in wanted.items() if not each.same(self._running.get(name))]
            changed = [name for name in new if name in self._running]
            for name in (*removed, *changed):
                await self._end(name)
            failed = {name: await self._begin(wanted[name]) for name in new}
        return Reloaded(
            added=tuple(name for name in new if name not in changed and not failed[name]),
            changed=tuple(name for name in changed if not failed[name]),
            removed=tuple(removed),
            failed=tuple(f"{name}: {reason}" for name, reason in failed.items() if reason),
        )

    def open(self, genesis: Block) -> Channel:
        """The channel this block begins. Raises JoinRefused."""
        return self.process_channels.open(genesis)

    def join_orderer(self, orderer: Orderer, block: Block) -> OrderingChain:
        """Makes an orderer take part in a channel. Raises JoinRefused."""
        channel = self.open(block)
        orderer.joined.add(channel)
        chain = self.chains[channel.name]
        orderer.serve(chain)
        return chain

    def _failed(self, error: BaseException) -> None:
        self.failure = error
        self._broken()

    async def _begin(self, settings: _Settings) -> str:
        """Starts a node; why it could not, if so."""
        name = settings.config.name
        self._enter(settings)
        try:
            await self._listen(name)
        except OSError as error:
            await self._end(name)
            return str(error)
        return ""

    def _enter(self, settings: _Settings) -> None:
        """The node takes up again what it had joined."""
        config = settings.config
        self._running[config.name] = settings
        if isinstance(config, PeerConfig):
            peer = Peer(config, settings.local, self.store, self)
            self.peers.append(peer)
            peer.joined.restore(self.channels)
            return
        orderer = Orderer(config, settings.local, self.store)
        self.orderers.append(orderer)
        for channel in orderer.joined.restore(self.channels):
            orderer.serve(self.chains[channel.name])

    async def _listen(self, name: str) -> None:
        for peer in self.peers:
            if peer.name == name:
                self._servers[name] = self._of_peer(peer)
        for orderer in self.orderers:
            if orderer.name == name:
                self._servers[name] = self._of_orderer(orderer)
        await self._servers[name].start()

    async def _end(self, name: str) -> None:
        """The node's streams break and it takes part in nothing, but has left no channel."""
        del self._running[name]
        servers = self._servers.pop(name, None)
        if servers is not None:
            await servers.stop()
        for peer in [each for each in self.peers if each.name == name]:
            self.peers.remove(peer)
            peer.depart()
            await peer.close()
        for orderer in [each for each in self.orderers if each.name == name]:
            self.orderers.remove(orderer)
            orderer.depart()

    def _of_peer(self, peer: Peer) -> Servers:
        offered = services.of_peer(peer, self.peers, self.orderers)
        return Servers(peer.config.listen, peer.config.tls, offered, self._operations(peer))

    def _of_orderer(self, orderer: Orderer) -> Servers:
        config, tls = orderer.config, None
        if config.admin_client_ca is not None:
            tls = TlsFiles(config.tls.certificate, config.tls.key, config.admin_client_ca)
        handler = Participation(orderer, self.join_orderer).handle
        admin = Interface(config.admin_listen, handler, tls)
        interfaces = [*self._operations(orderer), admin]
        return Servers(config.listen, config.tls, orderer.services(), interfaces)

    def _operations(self, node: Peer | Orderer) -> list[Interface]:
        if node.config.operations is None:
            return []
        handler = Operations(VERSION, self._log_spec, Sampler(node)).handle
        return [Interface(node.config.operations, handler)]


def _settings(config: NetworkConfig) -> dict[str, _Settings]:
    """Every node's, by name. Raises ConfigError."""
    nodes: tuple[NodeConfig, ...] = (*config.peers, *config.orderers)
    return {each.name: _Settings.of(each) for each in nodes}
