# SPDX-License-Identifier: Apache-2.0
"""A Fabric network for tests: peers, one orderer, chaincode, all in the calling process.

Chaincode runs in this very process, so that breakpoints and coverage work in it as anywhere.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.admin import cscc
from pedchain_fabric.admin.channel import Channel, Consenter
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.genesis import genesis_block
from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.admin.participation import Participation
from pedchain_fabric.client import Gateway
from pedchain_fabric.embedded.config import parse
from pedchain_fabric.embedded.node import Network
from pedchain_fabric.shim import Package, Server
from pedchain_fabric.testing.chaincode import Chaincode
from pedchain_fabric.testing.organization import Member
from pedchain_fabric.testing.snapshot import Snapshot
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.messages import serialize

_HOST = "127.0.0.1"
_NONCE_BYTES = 24
_OPTIONS = [("grpc.initial_reconnect_backoff_ms", 20), ("grpc.max_reconnect_backoff_ms", 200)]


class TestNetwork:
    """Organisations with a peer each, on one channel; the first one orders.

    Everything it writes lies below `directory`. All coroutines belong to one event loop.
    """

    __test__ = False

    def __init__(
        self,
        directory: Path,
        chaincodes: Sequence[Chaincode] = (),
        organizations: Sequence[str] = ("Org1", "Org2"),
        channel: str = "test",
    ) -> None:
        self.channel = channel
        self.chaincodes = tuple(chaincodes)
        self._directory = directory
        self._data = directory / "data"
        self._members = {name: Member(name, directory / "crypto") for name in organizations}
        self._ports = _free_ports(len(organizations) + 2 + len(self.chaincodes))
        self._config = self._describe()
        self._network: Network | None = None
        self._server: Server | None = None
        self._users: dict[tuple[str, str], SigningIdentity] = {}

    @property
    def organizations(self) -> tuple[str, ...]:
        """Their names; an MSP id is the name and `MSP`."""
        return tuple(self._members)

    def address(self, organization: str) -> str:
        """`host:port` of its peer. Raises `KeyError`."""
        return f"{_HOST}:{self._peer_port(organization)}"

    def tls_ca(self, organization: str) -> bytes:
        """The PEM certificate to trust when its peer is dialled. Raises `KeyError`."""
        return self._members[organization].tls_ca

    def identity(
        self,
        organization: str,
        user: str = "user",
        role: str = "client",
        attributes: Mapping[str, str] | None = None,
    ) -> SigningIdentity:
        """A member of the organisation, enrolled now. Raises `KeyError`."""
        return self._members[organization].identity(user, role, attributes)

    def gateway(self, organization: str, identity: SigningIdentity | None = None) -> Gateway:
        """A connection to the organisation's peer, for the running event loop; close it, or use
        it as a context manager. Without `identity` it acts as one user, always the same."""
        if identity is None:
            identity = self._users.setdefault((organization, "user"), self.identity(organization))
        return Gateway(identity, self._dial(organization), owns_channel=True)

    async def start(self) -> None:
        """Bring everything up: channel joined, chaincode installed, agreed on and reachable.

        Raises `OSError` if it cannot listen, `FabricError` if a definition is refused.
        """
        # Made here, because gRPC binds what it makes to the running loop.
        self._server = Server(self._packages())
        await self._server.__aenter__()
        await self._resume()
        block = self._genesis()
        orderer = Participation(f"{_HOST}:{self._ports[-1 - len(self.chaincodes)]}", None)
        await orderer.join(serialize(block))
        channels = [self._dial(name) for name in self._members]
        try:
            await self._join(block, channels)
            await self._agree(channels)
        finally:
            await asyncio.gather(*(channel.close() for channel in channels))

    async def stop(self) -> None:
        """End everything; the files stay."""
        await self._pause()
        if self._server is not None:
            await self._server.__aexit__(None, None, None)

    async def snapshot(self, name: str = "") -> Snapshot:
        """The ledgers as they are; the network pauses for it, open streams end."""
        place = self._directory / f"snapshot-{name or secrets.token_hex(4)}"
        await self._pause()
        try:
            return Snapshot.take(self._data, place)
        finally:
            await self._resume()

    async def rollback(self, snapshot: Snapshot) -> None:
        """Everything as it was when the snapshot was taken; open streams end."""
        await self._pause()
        snapshot.put_back(self._data)
        await self._resume()

    async def _pause(self) -> None:
        if self._network is not None:
            await self._network.stop()

    async def _resume(self) -> None:
        self._network = Network(parse(self._config, self._directory))
        await self._network.start()

    async def _join(self, block: Block, channels: Sequence[grpc.aio.Channel]) -> None:
        for member, channel in zip(self._members.values(), channels, strict=True):
            await cscc.join(Endorser(member.admin, channel), serialize(block))

    async def _agree(self, channels: Sequence[grpc.aio.Channel]) -> None:
        admins = [
            Lifecycle(Endorser(member.admin, channel), Gateway(member.admin, channel), self.channel)
            for member, channel in zip(self._members.values(), channels, strict=True)
        ]
        for chaincode in self.chaincodes:
            definition = chaincode.definition(self._majority("peer"))
            for admin in admins:
                await admin.install(chaincode.package)
                await admin.approve(definition, chaincode.package.id)
            await admins[0].commit(definition, admins)

    def _dial(self, organization: str) -> grpc.aio.Channel:
        trust = grpc.ssl_channel_credentials(self.tls_ca(organization))
        return grpc.aio.secure_channel(self.address(organization), trust, options=_OPTIONS)

    def _peer_port(self, organization: str) -> int:
        return self._ports[self.organizations.index(organization)]

    def _packages(self) -> list[Package]:
        ports = self._ports[len(self._members) + 2 :]
        return [
            Package(each.package.id, f"{_HOST}:{port}", each.contracts, code=each.code)
            for each, port in zip(self.chaincodes, ports, strict=True)
            if not each.dial
        ]

    def _addresses(self) -> dict[str, str]:
        ports = self._ports[len(self._members) + 2 :]
        return {
            each.name: each.dial or f"{_HOST}:{port}"
            for each, port in zip(self.chaincodes, ports, strict=True)
        }

    def _describe(self) -> dict[str, Any]:
        first, *_ = self._members.values()
        orderer, admin = self._ports[len(self._members) : len(self._members) + 2]
        return {
            "data_dir": str(self._data),
            "peers": [
                member.node("peer")
                | {"listen": self.address(name), "chaincode_config": self._addresses()}
                for name, member in self._members.items()
            ],
            "orderers": [
                first.node("orderer")
                | {"listen": f"{_HOST}:{orderer}", "admin_listen": f"{_HOST}:{admin}"}
            ],
        }

    def _genesis(self) -> Block:
        first = self.organizations[0]
        port = self._ports[len(self._members)]
        node = self._config["orderers"][0]
        folder = Path(node["msp_dir"])
        consenter = Consenter(
            id=1,
            host=_HOST,
            port=port,
            msp_id=self._members[first].msp_id,
            identity=(folder / "signcerts/cert.pem").read_bytes(),
            tls_certificate=Path(node["tls"]["certificate"]).read_bytes(),
        )
        channel = Channel(
            channel_id=self.channel,
            organizations=tuple(
                member.in_channel(self._peer_port(name), port if name == first else None)
                for name, member in self._members.items()
            ),
            consenters=(consenter,),
            admins=self._majority("admin"),
            lifecycle_endorsement=self._majority("peer"),
        )
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return genesis_block(channel, nonce=nonce, timestamp_s=int(time.time()))

    def _majority(self, role: str) -> str:
        principals = ", ".join(f"'{member.msp_id}.{role}'" for member in self._members.values())
        return f"OutOf({len(self._members) // 2 + 1}, {principals})"


def _free_ports(count: int) -> list[int]:
    """Ports nobody listens on; all are held until all are found, so that none comes twice."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((_HOST, 0))
        return [each.getsockname()[1] for each in sockets]
