# SPDX-License-Identifier: Apache-2.0
"""A peer in memory: runs contracts over the real chaincode protocol, without a network."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.contract import Contract
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.testing.answers import Answers, Members
from pedchain_fabric.shim.testing.identities import creator as make_creator
from pedchain_fabric.shim.testing.link import Link
from pedchain_fabric.shim.testing.outcome import Outcome, TransactionFailed
from pedchain_fabric.shim.testing.simulation import Simulation, SimulationError
from pedchain_fabric.shim.testing.world import World
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.proposal import Proposal, build_proposal

NOTHING: Final[Mapping[str, bytes]] = {}
EVERYTHING: Final = Abilities(write_batch=1000, multiple_keys=1000)
START: Final = 1_767_225_600  # 2026-01-01 00:00:00 UTC
_SECOND_NS: Final = 1_000_000_000
_FAILED: Final = 400


@dataclass(frozen=True, slots=True)
class _Chaincode:
    link: Link
    members: Members


@dataclass(frozen=True, slots=True)
class _Run:
    """One transaction, through every chaincode it calls."""

    world: World
    chaincodes: Mapping[str, _Chaincode]
    channel: str
    proposal: Proposal
    simulation: Simulation
    msp_id: str

    async def call(self, target: str, call_input: ChaincodeInput) -> ChaincodeMessage:
        """Call a chaincode (`name`, or `name/channel`). Raises `SimulationError`."""
        name, _, channel = target.partition("/")
        if channel not in ("", self.channel):
            raise SimulationError(f"Failed to get policy manager for channel [{channel}]")
        chaincode = self.chaincodes.get(name)
        if chaincode is None:
            raise SimulationError(
                f"execute failed: invalid invocation: [channel {self.channel}] failed to get "
                f"chaincode container info for {name}: chaincode {name} not found"
            )
        return await chaincode.link.call(
            self.proposal.transaction_id,
            self.channel,
            call_input,
            SignedProposal(proposal_bytes=self.proposal.proposal_bytes, signature=b"unsigned"),
            self._answers(name, chaincode.members),
            self.invoke,
        )

    def _answers(self, name: str, members: Members) -> Answers:
        return Answers(self.world, self.simulation, self.channel, name, members, self.msp_id)

    async def invoke(self, target: str, call_input: ChaincodeInput) -> bytes:
        """As `call`; the answer as the calling chaincode gets it."""
        return (await self.call(target, call_input)).SerializeToString()


class MemoryPeer:
    """One peer that is a member of every collection, with one channel and a block per commit.

    Contracts run through the shim itself: every read and write is a message of Fabric's
    protocol, turned into bytes and back. As on Fabric a read never sees the transaction's own
    writes; paged and private range queries exclude writes; writes appear at `commit`, if the
    keys and ranges read still have the same versions. The same calls give the same transaction
    ids and the same bytes of results on every run and in every process.

    Not checked, and therefore not proven by a test that uses it: endorsement policies
    (chaincode, collection, key level: kept, never evaluated), the client's certificate and
    signature, that several organisations agree, the order of concurrent commits, time-outs,
    size limits, private data that a peer lacks. Differences: long range reads are listed in the
    read set, not condensed; Fabric's reads of `_lifecycle` are missing; collections are all
    open unless `install` names their members. Rich queries are refused, as on LevelDB.
    """

    def __init__(
        self, channel: str = "ped", offered: Abilities = EVERYTHING, client: bytes | None = None
    ) -> None:
        self.channel = channel
        self.client = make_creator("DSOMSP") if client is None else client
        self.now = START  # seconds since 1970 UTC: what clients claim as their time
        self.last: Outcome | None = None
        self.events: list[tuple[str, str, bytes]] = []  # committed: chaincode, name, payload
        self._offered = offered
        self._world = World()
        self._chaincodes: dict[str, _Chaincode] = {}
        self._nonces = 0

    def install(
        self,
        name: str,
        *contracts: Contract,
        collections: Mapping[str, Collection[str] | None] | Collection[str] = (),
    ) -> None:
        """Define a chaincode. Collections may name the MSP ids whose clients may use them."""
        members = (
            dict(collections) if isinstance(collections, Mapping) else dict.fromkeys(collections)
        )
        link = Link(name, Contracts(contracts), self._offered)
        self._chaincodes[name] = _Chaincode(link, members)

    async def submit(
        self,
        chaincode: str,
        function: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] = NOTHING,
        creator: bytes | None = None,
    ) -> bytes:
        """Run a transaction and commit what it wrote; its payload.

        Raises `TransactionFailed` if the contract refuses, `CommitRefused` if what it read
        changed meanwhile.
        """
        outcome = await self.endorse(
            chaincode, function, *args, transient=transient, creator=creator
        )
        self.commit(outcome)
        return outcome.payload

    async def evaluate(
        self,
        chaincode: str,
        function: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] = NOTHING,
        creator: bytes | None = None,
    ) -> bytes:
        """Run a transaction and drop what it wrote; its payload. Raises `TransactionFailed`."""
        outcome = await self.endorse(
            chaincode, function, *args, transient=transient, creator=creator
        )
        return outcome.payload

    async def endorse(
        self,
        chaincode: str,
        function: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] = NOTHING,
        creator: bytes | None = None,
    ) -> Outcome:
        """Run a transaction without committing it. Raises `TransactionFailed`.

        The client is the peer's own `client` (`DSOMSP`'s user if it was given none) unless
        `creator` says otherwise.
        """
        identity = self.client if creator is None else creator
        arguments = [a.encode() if isinstance(a, str) else a for a in (function, *args)]
        proposal = self._proposal(identity, chaincode, arguments, transient)
        simulation = Simulation(self._world, proposal.transaction_id)
        msp_id = Identity.from_creator(identity).msp_id
        run = _Run(self._world, self._chaincodes, self.channel, proposal, simulation, msp_id)
        try:
            message = await run.call(chaincode, ChaincodeInput(args=arguments))
        except SimulationError as error:
            raise TransactionFailed(500, str(error)) from error
        self.last = self._outcome(chaincode, proposal, message, simulation)
        return self.last

    def commit(self, outcome: Outcome) -> int:
        """Commit an endorsed call, now or after others; its block. Raises `CommitRefused`."""
        block = self._world.commit(outcome)
        if outcome.event is not None:
            self.events.append((outcome.chaincode, *outcome.event))
        return block

    def state(self, chaincode: str) -> dict[str, bytes]:
        """A chaincode's public state, in key order."""
        return self._world.items((chaincode, ""))

    def private(self, chaincode: str, collection: str) -> dict[str, bytes]:
        """A collection's private state, in key order."""
        return self._world.items((chaincode, collection))

    def sent(self, chaincode: str) -> list[str]:
        """The kinds of message its end of the stream has sent so far, in order."""
        return list(self._chaincodes[chaincode].link.sent)

    def _proposal(
        self, identity: bytes, chaincode: str, args: list[bytes], transient: Mapping[str, bytes]
    ) -> Proposal:
        self._nonces += 1
        return build_proposal(
            identity,
            self.channel,
            chaincode,
            args,
            transient=transient,
            nonce=self._nonces.to_bytes(24),
            timestamp=self.now * _SECOND_NS,
        )

    def _outcome(
        self,
        chaincode: str,
        proposal: Proposal,
        message: ChaincodeMessage,
        simulation: Simulation,
    ) -> Outcome:
        if message.type == ChaincodeMessage.ERROR:
            raise TransactionFailed(500, message.payload.decode())
        response = Response.FromString(message.payload)
        if response.status >= _FAILED:
            raise TransactionFailed(response.status, response.message)
        event = message.chaincode_event
        named = (event.event_name, event.payload) if event.event_name else None
        public, private = simulation.results()
        return Outcome(
            proposal.transaction_id,
            chaincode,
            self.now * _SECOND_NS,
            response.payload,
            named,
            public,
            private,
        )
