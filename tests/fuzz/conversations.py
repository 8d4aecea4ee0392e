# SPDX-License-Identifier: Apache-2.0
"""Decoders that converse: the input is what the other side of a stream says."""

import asyncio
from collections.abc import Coroutine, Iterator
from functools import cache
from typing import Any, cast

from fabric_protos.common.common_pb2 import (
    CONFIG_UPDATE,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigSignature, ConfigUpdateEnvelope
from fabric_protos.orderer.configuration_pb2 import BatchSize
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal
from google.protobuf.message import DecodeError

from pedchain_fabric.admin import configdiff
from pedchain_fabric.embedded import http
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context, Transaction
from pedchain_fabric.embedded.chaincode.handler import Handler
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.ledger import commit
from pedchain_fabric.shim import Context as ShimContext
from pedchain_fabric.shim import Contract, submit
from pedchain_fabric.shim.connection import Connection
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.proposal import ProposalParts
from tests.unit.fabric.embedded_ledger.consortium import Consortium, put

M = ChaincodeMessage
CCID = "notes:1"
TURNS = 40  # of the event loop, for what a message sets going


def run(work: Coroutine[Any, Any, object]) -> None:
    """In an event loop of its own; what a task raises and nobody awaits is raised here."""
    loop = asyncio.new_event_loop()
    lost: list[BaseException] = []
    loop.set_exception_handler(lambda _, told: lost.append(told.get("exception") or _untold(told)))
    try:
        loop.run_until_complete(work)
        loop.run_until_complete(_settled())
    finally:
        loop.close()
    if lost:
        raise lost[0]


def _untold(told: dict[str, Any]) -> BaseException:
    return AssertionError(told["message"])


async def _settled() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def messages(data: bytes) -> Iterator[ChaincodeMessage]:
    """Messages one after the other, each behind two bytes of length; others are left out."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        at += 2 + size
        try:
            yield M.FromString(data[at - size : at])
        except DecodeError:
            continue


def framed(*said: ChaincodeMessage) -> bytes:
    """The same, written."""
    parts = [each.SerializeToString() for each in said]
    return b"".join(len(each).to_bytes(2, "big") + each for each in parts)


class Everything(Contract):
    """Asks its peer all that the shim can ask, and takes whatever comes."""

    name = "everything"

    @submit
    async def ask(self, ctx: ShimContext) -> bytes:
        stub = ctx.stub
        found = [await stub.get_state("k") or b"", await stub.get_key_policy("k") or b""]
        found += [each or b"" for each in await stub.get_states(["a", "b"])]
        found += [each.value async for each in stub.range()]
        found += [each.value async for each in stub.history("k")]
        page = await stub.range_page("", "", 2)
        found += [page.bookmark.encode(), await stub.invoke_chaincode("other", "F")]
        stub.start_write_batch()
        await stub.put_state("k", b"".join(found))
        return stub.binding + (ctx.client.id.encode() if stub.signed_proposal else b"")


def chaincode_side(data: bytes) -> None:
    """A peer's messages, as our chaincode takes them: an answer to every call, or the end."""
    run(_chaincode_side(data))


async def _chaincode_side(data: bytes) -> None:
    told: list[bytes] = []
    connection = Connection(CCID, Contracts([Everything()]), told.append)
    connection.start()
    try:
        for message in messages(data):
            connection.receive(message)
            await _settled()
    finally:
        await connection.close()
    assert all(len(each) < 1 << 20 for each in told)


class _Registry:
    def register(self, handler: Handler) -> None:
        if handler.ccid != CCID:
            raise ChaincodeFailed("another chaincode")

    def ready(self, handler: Handler) -> None:
        """Nobody waits."""

    def failed(self, ccid: str, reason: str) -> None:
        """Nobody waits."""

    def deregister(self, handler: Handler) -> None:
        """Nobody asks."""


class _Said:
    """A stream whose other side has said all of it already."""

    def __init__(self, said: Iterator[ChaincodeMessage]) -> None:
        self._said = said

    async def read(self) -> ChaincodeMessage | None:
        await _settled()
        return next(self._said, None)

    async def write(self, message: ChaincodeMessage) -> None:
        assert message.SerializeToString() is not None


@cache
def consortium() -> Consortium:
    """A channel of four organisations with one definition, and a few keys."""
    made = Consortium.start()
    made.define("notes", "OR('DSOMSP.peer','DistrictAMSP.peer')")
    made.submit("notes", put("notes", "k"))
    return made


def peer_side(data: bytes) -> None:
    """A chaincode's messages, as the embedded peer takes them in the middle of a transaction."""
    run(_peer_side(data))


async def _no_other(_context: Context, _payload: bytes) -> bytes:
    raise ChaincodeFailed("no such chaincode")


async def _peer_side(data: bytes) -> None:
    ledger = consortium().ledger
    with ledger.simulator("tx", "DSOMSP") as simulator:
        handler = Handler(_Said(messages(data)), _Registry(), _no_other)
        transaction = Transaction(
            "tx", Channel(ledger), simulator, cast(ProposalParts, None), SignedProposal()
        )
        context = Context(transaction, "notes", is_init=False)
        call = M(type=M.TRANSACTION, txid="tx", channel_id="ped")
        executed = asyncio.create_task(handler.execute(context, call, 1.0))
        try:
            await handler.run()
        finally:
            executed.cancel()
            await asyncio.gather(executed, return_exceptions=True)


def http_request(data: bytes) -> None:
    """What comes over a connection of the operations or participation interface."""
    run(_http_request(data))


async def _http_request(data: bytes) -> None:
    reader = asyncio.StreamReader(limit=64 * 1024)
    reader.feed_data(data)
    reader.feed_eof()
    while (request := await http._read(reader)) is not None:
        assert isinstance(request.path, str)


def committed(data: bytes) -> None:
    """A transaction's payload, signed anew: a ledger gives it a code, whatever is in it."""
    client = consortium().organizations["DistrictA"].client
    _judged(serialize(Envelope(payload=data, signature=client.sign(data))))


def results_committed(data: bytes) -> None:
    """A read-write set, endorsed and signed by those who may, whatever is in it."""
    _judged(consortium().endorse("notes", data).envelope)


def _judged(envelope: bytes) -> None:
    made = consortium()
    ledger = made.ledger
    block = made.block(envelope, signers=())
    prepared = commit.prepare(ledger._stores, ledger._in_force, block, ledger.commit_hash)
    assert len(prepared.flags) == 1


def configured(data: bytes) -> None:
    """An update of the configuration, signed by every administrator, whatever is in it."""
    made = consortium()
    signatures = [update_signature(data, each.admin) for each in made.organizations.values()]
    body = ConfigUpdateEnvelope(config_update=data, signatures=signatures)
    header = Header(
        channel_header=serialize(ChannelHeader(type=CONFIG_UPDATE, channel_id="ped")),
        signature_header=signatures[0].signature_header,
    )
    envelope = Envelope(payload=serialize(Payload(header=header, data=serialize(body))))
    made.ledger.propose_update(envelope)


def update_signature(data: bytes, admin: SigningIdentity) -> ConfigSignature:
    """One administrator's signature of an update."""
    header = serialize(SignatureHeader(creator=admin.creator, nonce=b"n"))
    return ConfigSignature(signature_header=header, signature=admin.sign(header + data))


def update() -> bytes:
    """Larger blocks, which the administrators may agree on."""
    current = consortium().ledger.config.config
    wanted = Config.FromString(current.SerializeToString())
    size = BatchSize(max_message_count=7, absolute_max_bytes=1 << 20)
    wanted.channel_group.groups["Orderer"].values["BatchSize"].value = serialize(size)
    return serialize(configdiff.compute("ped", current, wanted))


def payload() -> bytes:
    """A payload that is valid but for having been committed already."""
    made = consortium()
    transaction = made.endorse("notes", made.simulate(put("notes", "k")))
    return Envelope.FromString(transaction.envelope).payload


def registration() -> ChaincodeMessage:
    """What a chaincode says first."""
    return M(type=M.REGISTER, payload=serialize(ChaincodeID(name=CCID)))


def results() -> bytes:
    """A read-write set of the definition's own."""
    made = consortium()
    return made.simulate(put("notes", "k")).public
