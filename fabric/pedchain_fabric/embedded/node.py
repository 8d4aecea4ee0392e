# SPDX-License-Identifier: Apache-2.0
"""The network of one process: its channels, peers and orderers, and their servers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable

import grpc.aio
from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from pedchain_fabric.embedded import http, limits, mspdir, rpc
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed
from pedchain_fabric.embedded.chaincode.dialer import DialFailed
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.config import NetworkConfig, TlsFiles
from pedchain_fabric.embedded.discovery.service import Discovery
from pedchain_fabric.embedded.endorser import ProposalRefused
from pedchain_fabric.embedded.events import EventServices
from pedchain_fabric.embedded.gateway.registry import Registry
from pedchain_fabric.embedded.gateway.service import GatewayService
from pedchain_fabric.embedded.joined import JoinRefused
from pedchain_fabric.embedded.ledger import BlockRefused, Ledger
from pedchain_fabric.embedded.metrics import VERSION, Sampler
from pedchain_fabric.embedded.operations import LogSpec, Operations
from pedchain_fabric.embedded.orderer.chain import KINDS, OrderingChain
from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.embedded.participation import Participation
from pedchain_fabric.embedded.peer import Peer
from pedchain_fabric.embedded.rpc import Context, Method, RpcRefused, Service
from pedchain_fabric.embedded.store import Store, is_channel_name
from pedchain_fabric.errors import FabricError, WireError
from pedchain_fabric.wire.block import header_hash
from pedchain_fabric.wire.channelconfig import ChannelConfig

_log = logging.getLogger("embedded")


class Network:
    """Starts and stops everything. Raises ConfigError and OSError when it cannot.

    `broken` is called when a channel cannot be ordered any more; `failure` then says why.
    """

    def __init__(self, config: NetworkConfig, broken: Callable[[], None] = lambda: None) -> None:
        self.failure: BaseException | None = None
        self._broken = broken
        self.store = Store(config.data_dir)
        self.channels: dict[str, Channel] = {}
        self.chains: dict[str, OrderingChain] = {}
        self.peers = [
            Peer(each, mspdir.load(each.msp_id, each.msp_dir), self.store, self)
            for each in config.peers
        ]
        self.orderers = [
            Orderer(each, mspdir.load(each.msp_id, each.msp_dir), self.store)
            for each in config.orderers
        ]
        self._log_spec = LogSpec()
        self._servers: list[grpc.aio.Server] = []
        self._http: list[asyncio.Server] = []

    async def start(self) -> None:
        """Opens what was there before, then listens."""
        self._restore()
        for peer in self.peers:
            self._servers.append(
                rpc.serve(peer.config.listen, peer.config.tls, self._peer_services(peer))
            )
        for orderer in self.orderers:
            self._servers.append(
                rpc.serve(orderer.config.listen, orderer.config.tls, orderer.services())
            )
        await asyncio.gather(*(server.start() for server in self._servers))
        await self._listen_http()

    async def stop(self) -> None:
        """Ends all streams, cuts no further block, closes the ledgers."""
        for server in self._http:
            server.close()
        await asyncio.gather(*(server.stop(0.1) for server in self._servers))
        await asyncio.gather(*(peer.close() for peer in self.peers))
        await asyncio.gather(*(chain.stop() for chain in self.chains.values()))
        for channel in self.channels.values():
            channel.ledger.close()

    def open(self, genesis: Block) -> Channel:
        """The channel this block begins; the first node to join creates its ledger.

        Raises JoinRefused.
        """
        config = _join_config(genesis)
        channel = self.channels.get(config.channel_id)
        if channel is not None:
            _check_same(channel, genesis)
            return channel
        if genesis.header.number != 0:
            raise JoinRefused("no node of this process has the blocks before this one")
        ledger = Ledger.open(self.store.ledger_path(config.channel_id))
        if ledger.height == 0:
            try:
                ledger.append_genesis(genesis)
            except BlockRefused as refused:
                ledger.close()
                raise JoinRefused(str(refused)) from refused
        return self._added(ledger)

    def join_orderer(self, orderer: Orderer, block: Block) -> OrderingChain:
        """Makes an orderer take part in a channel. Raises JoinRefused."""
        channel = self.open(block)
        orderer.joined.add(channel)
        chain = self.chains[channel.name]
        orderer.serve(chain)
        return chain

    def _added(self, ledger: Ledger) -> Channel:
        channel = Channel(ledger)
        chain = OrderingChain(channel, self._failed)
        self.channels[channel.name] = channel
        self.chains[channel.name] = chain
        chain.start()
        return channel

    def _failed(self, error: BaseException) -> None:
        self.failure = error
        self._broken()

    def _restore(self) -> None:
        for name in self.store.channels():
            ledger = Ledger.open(self.store.ledger_path(name))
            if ledger.height:
                self._added(ledger)
            else:
                ledger.close()
        for peer in self.peers:
            peer.joined.restore(self.channels)
        for orderer in self.orderers:
            for channel in orderer.joined.restore(self.channels):
                orderer.serve(self.chains[channel.name])

    def _peer_services(self, peer: Peer) -> Iterable[Service]:
        mutual = peer.config.tls.client_ca is not None
        events = EventServices(peer.joined, peer.acl, peer.msp_id, mutual_tls=mutual)
        return (
            _endorser_service(peer),
            GatewayService(Registry(peer, self.peers, self.orderers)).service(),
            events.service(),
            Discovery(peer, self.peers).service(),
            _chaincode_support(peer),
        )

    async def _listen_http(self) -> None:
        nodes: list[Peer | Orderer] = [*self.peers, *self.orderers]
        for node in nodes:
            if node.config.operations is not None:
                handler = Operations(VERSION, self._log_spec, Sampler(node)).handle
                self._http.append(await http.listen(node.config.operations, handler, None))
        for orderer in self.orderers:
            config = orderer.config
            tls = None
            if config.admin_client_ca is not None:
                tls = http.server_context(
                    TlsFiles(config.tls.certificate, config.tls.key, config.admin_client_ca)
                )
            handler = Participation(orderer, self.join_orderer).handle
            self._http.append(await http.listen(config.admin_listen, handler, tls))


def _join_config(genesis: Block) -> ChannelConfig:
    try:
        config = ChannelConfig.from_block(genesis)
    except WireError as error:
        raise JoinRefused(str(error)) from error
    if not is_channel_name(config.channel_id):
        raise JoinRefused(f"bad channel ID: '{config.channel_id}' contains illegal characters")
    if config.consensus_type not in KINDS:
        raise JoinRefused(f"failed to find a consenter for consensus type: {config.consensus_type}")
    return config


def _check_same(channel: Channel, block: Block) -> None:
    """All nodes of the process share one chain, so a join block must be of that chain."""
    known = channel.ledger.block(block.header.number)
    if known is None or header_hash(known.header) != header_hash(block.header):
        raise JoinRefused("another chain of that name exists in this process")


def _endorser_service(peer: Peer) -> Service:
    async def process(signed: SignedProposal, _context: Context) -> ProposalResponse:
        try:
            return await peer.endorser.process(signed)
        except ProposalRefused as refused:
            raise RpcRefused(grpc.StatusCode.UNKNOWN, str(refused)) from refused

    method = Method(
        "ProcessProposal", process, SignedProposal.FromString, ProposalResponse.SerializeToString
    )
    return Service("protos.Endorser", (method,), limits.ENDORSER_CONCURRENCY)


class _ServerStream:
    """A chaincode stream that the chaincode dialled."""

    def __init__(self, requests: AsyncIterator[ChaincodeMessage]) -> None:
        self._requests = requests
        self.outgoing: asyncio.Queue[ChaincodeMessage] = asyncio.Queue()

    async def read(self) -> ChaincodeMessage | None:
        return await anext(self._requests, None)

    async def write(self, message: ChaincodeMessage) -> None:
        self.outgoing.put_nowait(message)


def _chaincode_support(peer: Peer) -> Service:
    async def register(
        requests: AsyncIterator[ChaincodeMessage], _context: Context
    ) -> AsyncIterator[ChaincodeMessage]:
        stream = _ServerStream(requests)
        running = asyncio.create_task(peer.executor.runtime.serve(stream))
        try:
            async for message in _outgoing(stream, running):
                yield message
            await running
        except (DialFailed, ChaincodeFailed, FabricError) as error:
            raise RpcRefused(grpc.StatusCode.UNKNOWN, str(error)) from error
        finally:
            running.cancel()

    method = Method(
        "Register",
        register,
        ChaincodeMessage.FromString,
        ChaincodeMessage.SerializeToString,
        request_stream=True,
        response_stream=True,
    )
    return Service("protos.ChaincodeSupport", (method,))


async def _outgoing(
    stream: _ServerStream, running: asyncio.Task[None]
) -> AsyncIterator[ChaincodeMessage]:
    """What the handler sends, until it ends."""
    while True:
        waiting = asyncio.create_task(stream.outgoing.get())
        await asyncio.wait((waiting, running), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return
        yield waiting.result()
