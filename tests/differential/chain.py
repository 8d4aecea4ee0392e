# SPDX-License-Identifier: Apache-2.0
"""The channel as its clients see it: sending to the orderer, waiting for peers, reading blocks."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from fabric_protos.common.common_pb2 import DELIVER_SEEK_INFO, Block, Envelope, Metadata, Status
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    CommitStatusRequest,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
)
from fabric_protos.orderer.ab_pb2 import (
    BroadcastResponse,
    SeekInfo,
    SeekPosition,
    SeekSpecified,
)
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.transaction import parse_envelope
from tests.differential.normal import Fact, Names
from tests.differential.steps import ORGANIZATIONS
from tests.parity.target import CHANNEL, Target, collect, envelope, proposal

_COMMIT_S = 60.0


class Chain:
    """The channel of a running network."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.height = 0
        self.first = 0
        self._hash = b""
        self._broadcasting: Any = None

    async def begin(self) -> int:
        """A sequence begins here: the number of its first block."""
        if not self.height:
            self.height = (await self._info("Alpha")).height
        self.first, self._hash = self.height, b""
        return self.first

    async def _info(self, organization: str) -> BlockchainInfo:
        answer = await self._ask(organization, "qscc", "GetChainInfo", CHANNEL)
        return BlockchainInfo.FromString(answer.response.payload)

    async def _ask(self, organization: str, chaincode: str, *args: str) -> ProposalResponse:
        who = self._target.identity(organization, "admin")
        _, signed = proposal(who, chaincode, *args)
        answer: ProposalResponse = await self._target.endorser(organization).ProcessProposal(signed)
        return answer

    async def broadcast(self, sent: Envelope) -> BroadcastResponse:
        """What the orderer says to an envelope."""
        stream = self._broadcasting or self._target.broadcast("Alpha").Broadcast()
        await stream.write(sent)
        answer: BroadcastResponse = await stream.read()
        refused = answer.status != Status.SUCCESS
        if refused:
            stream.cancel()  # the orderer ends it too
        self._broadcasting = None if refused else stream
        return answer

    async def grown(self, last: str) -> Fact:
        """The new blocks' validation codes, once every peer has the transaction `last`."""
        found = await asyncio.gather(*(self._committed(each, last) for each in ORGANIZATIONS))
        before, self.height = self.height, found[0] + 1
        blocks = [await self._block(number) for number in range(before, self.height)]
        return [
            [TxValidationCode.Name(code) for code in wire_block.validation_codes(each)]
            for each in blocks
        ]

    async def _committed(self, organization: str, transaction_id: str) -> int:
        who = self._target.identity(organization)
        request = CommitStatusRequest(
            transaction_id=transaction_id, channel_id=CHANNEL, identity=who.creator
        ).SerializeToString()
        signed = SignedCommitStatusRequest(request=request, signature=who.sign(request))
        answer = await self._target.gateway(organization).CommitStatus(signed, timeout=_COMMIT_S)
        return int(answer.block_number)

    async def _block(self, number: int) -> Block:
        answer = await self._ask("Alpha", "qscc", "GetBlockByNumber", CHANNEL, str(number))
        return Block.FromString(answer.response.payload)

    async def version(self, namespace: str, key: str) -> tuple[int, int] | None:
        """The version a key has now."""
        script = json.dumps([["get", key]])
        answer = await self._ask("Alpha", namespace, "do", script)
        action = parse_results(answer)
        for each in rwset.decode(action):
            for read in each.reads:
                if each.name == namespace and read.key == key and read.version is not None:
                    return read.version.block, read.version.tx
        return None

    async def events(self, names: Names, chaincode: str) -> Fact:
        """The chaincode's events from the sequence's first block to its last."""
        who = self._target.identity("Alpha")
        start = SeekPosition(specified=SeekSpecified(number=self.first))
        request = ChaincodeEventsRequest(
            channel_id=CHANNEL, chaincode_id=chaincode, identity=who.creator, start_position=start
        ).SerializeToString()
        signed = SignedChaincodeEventsRequest(request=request, signature=who.sign(request))
        stream = self._target.gateway("Alpha").ChaincodeEvents(signed)
        found: list[Fact] = []
        for _ in await self._eventful(chaincode):
            response = await asyncio.wait_for(stream.read(), _COMMIT_S)
            told = [names.event(each) for each in response.events]
            found.append([response.block_number - self.first, *told])
        stream.cancel()
        return found

    async def _eventful(self, chaincode: str) -> list[int]:
        """Blocks with a valid transaction's event of the chaincode, by the filtered blocks. Those
        tell of events without a name too, which the gateway leaves out."""
        found = []
        for block in (each.filtered_block for each in await self._filtered("Alpha")):
            for each in block.filtered_transactions:
                actions = each.transaction_actions.chaincode_actions
                events = [action.chaincode_event for action in actions]
                told = any(e.chaincode_id == chaincode and e.event_name for e in events)
                if told and each.tx_validation_code == TxValidationCode.VALID:
                    found.append(block.number)
        return sorted(set(found))

    async def _filtered(self, organization: str) -> Sequence[DeliverResponse]:
        return await self._deliver(organization, self._target.events(organization).DeliverFiltered)

    async def _deliver(self, organization: str, method: Any) -> Sequence[DeliverResponse]:
        count = self.height - self.first
        if not count:
            return []
        seek = SeekInfo(
            start=SeekPosition(specified=SeekSpecified(number=self.first)),
            stop=SeekPosition(specified=SeekSpecified(number=self.height - 1)),
        )
        stream = method()
        who = self._target.identity(organization)
        await stream.write(envelope(who, seek, DELIVER_SEEK_INFO))
        found = await collect(stream, count)
        stream.cancel()
        return found

    async def delivered(self, names: Names) -> Fact:
        """Whole blocks of one peer, filtered ones of another, private data of all."""
        whole = await self._deliver("Beta", self._target.events("Beta").Deliver)
        filtered = await self._filtered("Gamma")
        private = [
            await self._deliver(each, self._target.events(each).DeliverWithPrivateData)
            for each in ORGANIZATIONS
        ]
        return {
            "whole": [self._whole(names, each.block) for each in whole],
            "filtered": [_filtered_fact(names, each) for each in filtered],
            "private": [
                [_private(each) for each in zip(*private, strict=True)] if private[0] else []
            ],
        }

    def _whole(self, names: Names, block: Block) -> Fact:
        """The structure of a block: what is in it, what its hashes are over, which notes."""
        fact: dict[str, Fact] = {
            "txs": [_shape(each, names) for each in block.data.data],
            "data hash": wire_block.data_hash(block.data) == block.header.data_hash,
            "previous": len(block.header.previous_hash),
            "notes": [bool(each) for each in block.metadata.metadata],
            "signatures": len(_signatures(block)),
            "commit hash": len(wire_block.commit_hash(block)),
        }
        if self._hash:
            fact["follows"] = block.header.previous_hash == self._hash
        self._hash = wire_block.header_hash(block.header)
        return fact


def parse_results(answer: ProposalResponse) -> bytes:
    """An endorsed answer's read-write set."""
    payload = ProposalResponsePayload.FromString(answer.payload)
    return ChaincodeAction.FromString(payload.extension).results


def _signatures(block: Block) -> list[Any]:
    slot = block.metadata.metadata[wire_block.SIGNATURES]
    return list(Metadata.FromString(slot).signatures)


def _shape(data: bytes, names: Names) -> Fact:
    try:
        parts = parse_envelope(data)
    except WireError:
        return "unreadable"
    return names.text(parts.transaction_id)


def _filtered_fact(names: Names, response: DeliverResponse) -> Fact:
    """A filtered block; a status, where one of its transactions cannot be read."""
    if not response.HasField("filtered_block"):
        return Status.Name(response.status)
    return [
        [
            names.text(each.txid),
            each.type,
            TxValidationCode.Name(each.tx_validation_code),
            *(
                names.event(action.chaincode_event)
                for action in each.transaction_actions.chaincode_actions
            ),
        ]
        for each in response.filtered_block.filtered_transactions
    ]


def _private(responses: Sequence[DeliverResponse]) -> Fact:
    """Each peer's private data of one block: which collections' writes, in which bytes."""
    facts = []
    for each in responses:
        found = each.block_and_private_data.private_data_map
        facts.append(
            {
                str(index): [
                    [space.namespace, *([c.collection_name, c.rwset.hex()]
                                        for c in space.collection_pvt_rwset)]
                    for space in found[index].ns_pvt_rwset
                ]
                for index in sorted(found)
            }
        )  # fmt: skip
    return facts if any(facts) else None
