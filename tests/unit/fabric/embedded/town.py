# SPDX-License-Identifier: Apache-2.0
"""A whole embedded network in this process: four organisations, the bare-protocol chaincode."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric_protos.gateway.gateway_pb2 import EvaluateRequest
from fabric_protos.peer.lifecycle.lifecycle_pb2 import (
    ApproveChaincodeDefinitionForMyOrgArgs,
    ChaincodeSource,
    CommitChaincodeDefinitionArgs,
)
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.embedded.config import parse
from pedchain_fabric.embedded.node import Network
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.proposal import build_proposal
from pedchain_network import profiles
from pedchain_network.bringup import members
from pedchain_network.bringup.joining import join_orderers, join_peers
from pedchain_network.bringup.members import Member
from pedchain_network.channel import genesis
from pedchain_network.pki import crypto
from pedchain_network.runtimes import embedded, parts
from pedchain_network.state import State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology
from tests import ports
from tests.parity.chaincode import Server, credentials
from tests.parity.target import CHANNEL, Target
from tests.parity.transacting import submit

ORGANIZATIONS = ("DSO", "DistrictA", "DistrictB", "Aggregator")
ANY = "OR('DSOMSP.peer', 'DistrictAMSP.peer', 'DistrictBMSP.peer', 'AggregatorMSP.peer')"
_TOPOLOGY = Path(__file__).parents[3] / "parity" / "consortium.yaml"


@dataclass
class Town:
    """The network, and what tests ask of it."""

    topology: Topology
    state: State
    config: dict[str, Any]
    network: Network
    members: tuple[Member, ...]
    target: Target
    servers: list[Server] = field(default_factory=list)

    @property
    def genesis(self) -> bytes:
        """The channel's first block."""
        path = self.state.root / "genesis.block"
        return genesis.ensure_genesis(path, self.topology, self.state.crypto)

    async def join(self, orderers: Sequence[Member] | None = None) -> None:
        """All peers, and all or these orderers, onto the channel."""
        chosen = self.members if orderers is None else tuple(orderers)
        await join_orderers(chosen, CHANNEL, self.genesis)
        await join_peers(self.members, CHANNEL, self.genesis)

    async def install(self, label: str = "probe") -> str:
        """Onto all peers; its id."""
        package = parts.package_of(self.topology, label)
        for member in self.members:
            await member.lifecycle.install(package)
        return package.id

    async def serve(self, label: str = "probe") -> Server:
        """Starts the package's chaincode."""
        node = self.topology.servers()[0]
        own = crypto.of(self.state.crypto, node.member).tls(node)
        authority = crypto.of(self.state.crypto, node.member).authority("tlsca")
        tls = credentials(own / "cert.pem", own / "key.pem", authority)
        address = self.topology.address(node, label)
        server = Server(parts.package_of(self.topology, label).id, address, tls)
        await server.start()
        self.servers.append(server)
        return server

    async def define(
        self,
        name: str,
        package_id: str | None,
        *,
        endorsement: str = ANY,
        collections: Sequence[Collection] = (),
        init_required: bool = False,
    ) -> None:
        """Approved by all and committed; without package id nobody runs it yet."""
        agreed = Definition(name, "1", 1, endorsement, tuple(collections)).to_proto()
        agreed.init_required = init_required
        for organization in ORGANIZATIONS:
            await self.lifecycle(organization, approval(agreed, package_id))
        await self.lifecycle("DSO", agreed)

    async def lifecycle(
        self,
        organization: str,
        args: ApproveChaincodeDefinitionForMyOrgArgs | CommitChaincodeDefinitionArgs,
    ) -> None:
        """One lifecycle transaction."""
        is_approval = isinstance(args, ApproveChaincodeDefinitionForMyOrgArgs)
        function = (
            "ApproveChaincodeDefinitionForMyOrg" if is_approval else "CommitChaincodeDefinition"
        )
        orgs = (f"{organization}MSP",) if is_approval else ()
        assert (
            await self.submit(
                function,
                args.SerializeToString(),
                gateway=organization,
                chaincode="_lifecycle",
                user="admin",
                orgs=orgs,
            )
            == "VALID"
        )

    async def submit(self, *args: str | bytes, **options: Any) -> str:
        """A whole transaction; its validation code by name."""
        return (await self.transaction(*args, **options))[1]

    async def transaction(self, *args: str | bytes, **options: Any) -> tuple[str, str]:
        """Its id and its code's name."""

        identifier, code, _ = await submit(self.target, *args, **options)
        return identifier, TxValidationCode.Name(TxValidationCode.ValueType(code))

    async def ask(
        self,
        *args: str | bytes,
        chaincode: str = "probe",
        organization: str = "DSO",
        client: SigningIdentity | None = None,
        is_init: bool = False,
        transient: Mapping[str, bytes] | None = None,
    ) -> Response:
        """What one organisation's own peer answers; nothing is ordered."""
        who = client or self.target.identity(organization)
        made = build_proposal(
            who.creator,
            CHANNEL,
            chaincode,
            [each.encode() if isinstance(each, str) else each for each in args],
            is_init=is_init,
            transient=transient or {},
        )
        signed = SignedProposal(
            proposal_bytes=made.proposal_bytes, signature=who.sign(made.proposal_bytes)
        )
        answer = await self.target.endorser(organization).ProcessProposal(signed)
        response: Response = answer.response
        return response


def approval(
    agreed: CommitChaincodeDefinitionArgs, package_id: str | None
) -> ApproveChaincodeDefinitionForMyOrgArgs:
    """One organisation's approval of a definition."""
    source = ChaincodeSource()
    if package_id is None:
        source.unavailable.SetInParent()
    else:
        source.local_package.package_id = package_id
    args = ApproveChaincodeDefinitionForMyOrgArgs.FromString(agreed.SerializeToString())
    args.source.CopyFrom(source)
    return args


@asynccontextmanager
async def start(
    directory: Path,
    keys: Path,
    *,
    peers: Mapping[str, object] | None = None,
    data: bool = False,
    consensus: str = "smartbft",
) -> AsyncIterator[Town]:
    """A network without channel. `peers` is added to every peer's configuration; `keys` is the
    crypto of all towns, made once.
    """
    async with AsyncExitStack() as stack:
        topology = _topology(directory, stack.enter_context(ExitStack()), consensus)
        state = State(directory)
        if not state.crypto.exists():
            state.crypto.symlink_to(keys)
        crypto.create(keys, topology)
        config = configuration(topology, state)
        config["data_dir"] = str(directory / "ledgers") if data else None
        for peer in config["peers"]:
            peer.update(peers or {})
        network = Network(parse(config, directory))
        await network.start()
        profiles.write(topology, state, "embedded")
        connected = await stack.enter_async_context(members.connect(topology, state))
        target = await stack.enter_async_context(Target(state.root / "profiles"))
        town = Town(topology, state, config, network, connected, target)
        try:
            yield town
        finally:
            for server in town.servers:
                await server.stop()
            await town.network.stop()


def configuration(topology: Topology, state: State) -> dict[str, Any]:
    """What CONFIG.json would hold."""
    embedded.processes(topology, state)
    document: dict[str, Any] = json.loads((state.config / "embedded.json").read_text())
    return document


def _topology(directory: Path, stack: ExitStack, consensus: str) -> Topology:
    path = directory / "consortium.yaml"
    text = stack.enter_context(ports.moved(_TOPOLOGY.read_text()))
    if consensus != "smartbft":
        before, _, after = text.partition("ordering:")
        _, _, rest = after.partition("chaincode:")
        batch = "faults: 1, batch_interval_ms: 10, batch_messages: 500"
        text = f"{before}ordering: {{consensus: {consensus}, {batch}}}\n\nchaincode:{rest}"
    path.write_text(text)
    return reader.load(path)


async def evaluate(town: Town, *args: str, chaincode: str = "probe") -> bytes:
    """The gateway's answer to a query."""
    who = town.target.identity("DSO")
    made = build_proposal(who.creator, CHANNEL, chaincode, [each.encode() for each in args])
    signed = SignedProposal(
        proposal_bytes=made.proposal_bytes, signature=who.sign(made.proposal_bytes)
    )
    request = EvaluateRequest(
        transaction_id=made.transaction_id, channel_id=CHANNEL, proposed_transaction=signed
    )
    return bytes((await town.target.gateway().Evaluate(request)).result.payload)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what other tasks bring about."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.02)
