# SPDX-License-Identifier: Apache-2.0
"""One orderer: its channels, and the AtomicBroadcast service."""

from collections.abc import AsyncIterator

from fabric_protos.common.common_pb2 import Block, Envelope, Status
from fabric_protos.orderer.ab_pb2 import BroadcastResponse, DeliverResponse

from pedchain_fabric.embedded.acl import refusal
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.config import OrdererConfig
from pedchain_fabric.embedded.deliver import Deliverer, Kind
from pedchain_fabric.embedded.joined import Joined
from pedchain_fabric.embedded.mspdir import LocalMsp
from pedchain_fabric.embedded.orderer.blocks import as_ordered
from pedchain_fabric.embedded.orderer.broadcast import (
    BroadcastRefused,
    Ingress,
    answer,
    channel_header,
)
from pedchain_fabric.embedded.orderer.chain import OrderingChain
from pedchain_fabric.embedded.orderer.consensus import Member
from pedchain_fabric.embedded.rpc import HEALTH, Context, Method, Service, certificate_hash
from pedchain_fabric.embedded.store import Store
from pedchain_fabric.wire.block import SignedData

READERS = "/Channel/Readers"


class Orderer:
    """One orderer of the process; the channels' chains are shared with the others."""

    def __init__(self, config: OrdererConfig, local: LocalMsp, store: Store) -> None:
        self.config = config
        self.name = config.name
        self.msp_id = config.msp_id
        self.address = str(config.listen)
        self.identity = local.identity
        self.member = Member(local.identity, config.tls.certificate)
        self.joined = Joined(config.name, store)
        self.broadcasts: dict[str, int] = {}
        self._chains: dict[str, OrderingChain] = {}
        self._deliverer = Deliverer(self.joined)

    def serve(self, chain: OrderingChain) -> None:
        """Takes part in a channel it has joined."""
        self._chains[chain.channel.name] = chain
        chain.join(self.name, self.member)

    def withdraw(self, channel: str) -> None:
        """Leaves a channel."""
        self._chains.pop(channel).leave(self.name)
        self.joined.remove(channel)

    def depart(self) -> None:
        """The orderer stops: it takes part in no channel, but has left none."""
        for chain in self._chains.values():
            chain.leave(self.name)

    def chain(self, channel: str) -> OrderingChain | None:
        """The channel's chain, None if this orderer has not joined it."""
        return self._chains.get(channel)

    def services(self) -> tuple[Service, ...]:
        """orderer.AtomicBroadcast, and health."""
        methods = (
            Method(
                "Broadcast",
                self._broadcast,
                Envelope.FromString,
                BroadcastResponse.SerializeToString,
                request_stream=True,
                response_stream=True,
            ),
            Method(
                "Deliver",
                self._deliver,
                Envelope.FromString,
                DeliverResponse.SerializeToString,
                request_stream=True,
                response_stream=True,
            ),
        )
        return (Service("orderer.AtomicBroadcast", methods), HEALTH)

    def take(self, envelope: Envelope) -> BroadcastResponse:
        """One broadcast envelope's answer."""
        refused = None
        try:
            header = channel_header(envelope)
            chain = self._chains.get(header.channel_id)
            if chain is None or not chain.is_consenter(self.member):
                raise BroadcastRefused(Status.BAD_REQUEST, "channel does not exist")
            Ingress(self.name, self.identity, chain).take(envelope, header)
        except BroadcastRefused as error:
            refused = error
        response = answer(refused)
        status = Status.Name(response.status)
        self.broadcasts[status] = self.broadcasts.get(status, 0) + 1
        return response

    async def _broadcast(
        self, requests: AsyncIterator[Envelope], _context: Context
    ) -> AsyncIterator[BroadcastResponse]:
        async for envelope in requests:
            response = self.take(envelope)
            yield response
            if response.status != Status.SUCCESS:
                return

    def _deliver(
        self, requests: AsyncIterator[Envelope], context: Context
    ) -> AsyncIterator[DeliverResponse]:
        tls_hash = certificate_hash(context) if self.config.tls.client_ca is not None else b""
        return self._deliverer.handle(requests, _KIND, tls_hash)


def _allowed(channel: Channel, claim: SignedData) -> bool:
    return not refusal(channel.ledger, READERS, claim)


def _block(_channel: Channel, block: Block, _claim: SignedData) -> DeliverResponse:
    return DeliverResponse(block=as_ordered(block))


def _status(status: Status.ValueType) -> DeliverResponse:
    return DeliverResponse(status=status)


_KIND = Kind(_allowed, _block, _status)
