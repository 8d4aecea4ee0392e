# SPDX-License-Identifier: Apache-2.0
"""What a contract can ask of its peer: the same functions as Fabric's Go shim, in Python."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim.errors import FAILED, REFUSED, CalledChaincodeError, StubError
from pedchain_fabric.shim.exchange import Exchange
from pedchain_fabric.shim.ledger import Ledger
from pedchain_fabric.shim.query import KeyModification, KeyValue, Page, Results
from pedchain_fabric.shim.reply import Reply
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.proposal import ProposalParts, parse_signed_proposal

FIRST_SIMPLE_KEY: Final = "\x01"  # an open range starts here, above every composite key
_EPOCH: Final = bytes(8)  # the header's epoch, always 0, as 8 bytes
_SECOND_NS: Final = 1_000_000_000


class Stub:
    """The transaction under way, and the state it reads and writes.

    Reads return None where nothing is (Fabric does not tell an empty value from none). A read
    never sees this transaction's own writes. Every method may raise `StubError` (the shim
    refuses the call) or `PeerError` (the peer does); both fail the transaction unless caught.
    Calls may be made concurrently; they are sent one at a time, in the order made.
    """

    def __init__(
        self,
        exchange: Exchange,
        ledger: Ledger,
        call: ChaincodeInput,
        proposal: SignedProposal | None,
        is_init: bool = False,
    ) -> None:
        self._exchange = exchange
        self._ledger = ledger
        self._call = call
        self._args = tuple(call.args)
        self.signed_proposal = proposal
        self.is_init = is_init
        self.event: ChaincodeEvent | None = None

    # the transaction

    @property
    def transaction_id(self) -> str:
        """Hex SHA-256 of the client's nonce and identity."""
        return self._exchange.transaction_id

    @property
    def channel_id(self) -> str:
        """The channel the transaction is for."""
        return self._exchange.channel_id

    @property
    def args(self) -> tuple[bytes, ...]:
        """The arguments as they came, the function's name first. They are public."""
        return self._args

    @property
    def transient(self) -> Mapping[str, bytes]:
        """What the client sent to the endorsers only; it never reaches the ledger."""
        return self._proposal.transient

    @property
    def creator(self) -> bytes:
        """The client's `msp.SerializedIdentity`, whose signature the peer has checked."""
        return self._proposal.creator

    @property
    def timestamp(self) -> int:
        """When the client says it made the proposal: whole seconds since 1970 UTC. A claim."""
        return self._proposal.timestamp // _SECOND_NS

    @property
    def timestamp_ns(self) -> int:
        """The same in nanoseconds."""
        return self._proposal.timestamp

    @property
    def binding(self) -> bytes:
        """SHA-256 of nonce, creator and epoch: ties application data to this proposal."""
        parts = self._proposal
        return hashlib.sha256(parts.nonce + parts.creator + _EPOCH).digest()

    @property
    def entry(self) -> str:
        """The definition the client's proposal names: not this one where that one has called it."""
        return self._proposal.chaincode_name

    @property
    def decorations(self) -> Mapping[str, bytes]:
        """What the peer's decorators added to the call."""
        return MappingProxyType(dict(self._call.decorations))

    # public state

    async def get_state(self, key: str) -> bytes | None:
        """The value of `key`."""
        return await self._ledger.get("", key)

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of `keys`, in their order, in as few messages as the peer takes."""
        return await self._ledger.get_many("", keys)

    async def put_state(self, key: str, value: bytes) -> None:
        """Write `value`. An empty value deletes the key, as Fabric takes it."""
        await self._ledger.put("", key, value)

    async def del_state(self, key: str) -> None:
        """Remove `key` from the current state (its history stays)."""
        await self._ledger.delete("", key)

    def range(self, start: str = "", end: str = "") -> Results[KeyValue]:
        """Simple keys from `start` (inclusive) to `end` (exclusive); empty means open.

        Keys written meanwhile in this range make the transaction invalid (phantom check).
        """
        return self._ledger.range("", *_simple_range(start, end))

    def partial_composite(
        self, object_type: str, attributes: Sequence[str] = (), *, after: Sequence[str] = ()
    ) -> Results[KeyValue]:
        """Composite keys that start with these parts, and the exact one; with `after`, those behind
        the key of these parts and the ones in `after`.

        Leaving the results early is fine: what was not read is not checked at commit either. So a
        long list can be walked in steps of several transactions.
        """
        start, end = _composite_range(object_type, attributes)
        if after:
            start = self.create_composite_key(object_type, [*attributes, *after]) + _LEAST
        return self._ledger.range("", start, end)

    async def range_page(self, start: str, end: str, size: int, bookmark: str = "") -> Page:
        """A page of `range`. Only in transactions that write nothing."""
        return await self._ledger.range_page(*_simple_range(start, end), size, bookmark)

    async def partial_composite_page(
        self, object_type: str, attributes: Sequence[str], size: int, bookmark: str = ""
    ) -> Page:
        """A page of `partial_composite`. Only in transactions that write nothing."""
        bounds = _composite_range(object_type, attributes)
        return await self._ledger.range_page(*bounds, size, bookmark)

    async def all_composite_page(self, size: int, bookmark: str = "") -> Page:
        """A page of all composite keys. Only in transactions that write nothing."""
        start = compositekey.NAMESPACE
        return await self._ledger.range_page(start, start + compositekey.MAX_RUNE, size, bookmark)

    def query(self, text: str) -> Results[KeyValue]:
        """A rich query; CouchDB only, and without a phantom check."""
        return self._ledger.query("", text)

    async def query_page(self, text: str, size: int, bookmark: str = "") -> Page:
        """A page of `query`. Only in transactions that write nothing."""
        return await self._ledger.query_page(text, size, bookmark)

    def history(self, key: str) -> Results[KeyModification]:
        """Every write of a public key, the newest first."""
        return self._ledger.history(key)

    # private data

    async def get_private(self, collection: str, key: str) -> bytes | None:
        """The private value of `key`, where this peer is a member and holds it."""
        return await self._ledger.get(_named(collection), key)

    async def get_privates(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        """The private values of `keys`, in their order."""
        return await self._ledger.get_many(_named(collection), keys)

    async def get_private_hash(self, collection: str, key: str) -> bytes | None:
        """SHA-256 of the private value; every peer of the channel knows it."""
        return await self._ledger.get_hash(_named(collection), key)

    async def put_private(self, collection: str, key: str, value: bytes) -> None:
        """Write a private value. The ledger shows SHA-256 of key and value to everyone."""
        await self._ledger.put(_named(collection), key, value)

    async def del_private(self, collection: str, key: str) -> None:
        """Remove a private key from the current state."""
        await self._ledger.delete(_named(collection), key)

    async def purge_private(self, collection: str, key: str) -> None:
        """Remove a private key and all its past values from every peer; hashes stay."""
        await self._ledger.purge(_named(collection), key)

    def private_range(self, collection: str, start: str = "", end: str = "") -> Results[KeyValue]:
        """Private simple keys in a range. Only in transactions that write nothing."""
        return self._ledger.range(_named(collection), *_simple_range(start, end))

    def private_partial_composite(
        self, collection: str, object_type: str, attributes: Sequence[str] = ()
    ) -> Results[KeyValue]:
        """Private composite keys. Only in transactions that write nothing."""
        bounds = _composite_range(object_type, attributes)
        return self._ledger.range(_named(collection), *bounds)

    def private_query(self, collection: str, text: str) -> Results[KeyValue]:
        """A rich query on private data; CouchDB only, in transactions that write nothing."""
        return self._ledger.query(_named(collection), text)

    # who must endorse a key

    async def set_key_policy(self, key: str, policy: bytes, collection: str = "") -> None:
        """Let `policy` (a `SignaturePolicyEnvelope`) decide over writes of this key.

        Fabric ignores it on a key that has no value yet; a delete drops it.
        """
        await self._ledger.set_policy(collection, key, policy)

    async def get_key_policy(self, key: str, collection: str = "") -> bytes | None:
        """The key's own policy, or None."""
        return await self._ledger.get_policy(collection, key)

    # other chaincodes, events

    async def invoke_chaincode(
        self, chaincode: str, *args: str | bytes, channel: str = ""
    ) -> bytes:
        """Call another definition, the function's name first; its payload.

        On the same channel its reads and writes join this transaction; on another it can only
        read. Raises `CalledChaincodeError` if it answers with status 400 or more, `PeerError`
        if the peer cannot call it.
        """
        reply = await self.call_chaincode(chaincode, *args, channel=channel)
        if reply.status >= REFUSED:
            raise CalledChaincodeError(reply.message, reply.status, reply.payload)
        return reply.payload

    async def call_chaincode(self, chaincode: str, *args: str | bytes, channel: str = "") -> Reply:
        """The same, with its whole answer, a refusal too: look at its `status`.

        What a callee wrote before it refused stays in this transaction's write set.
        """
        name = f"{chaincode}/{channel}" if channel else chaincode
        call = ChaincodeInput(args=[a.encode() if isinstance(a, str) else a for a in args])
        spec = ChaincodeSpec(chaincode_id=ChaincodeID(name=name), input=call)
        kind = ChaincodeMessage.INVOKE_CHAINCODE
        answer = await self._exchange.ask(kind, spec.SerializeToString())
        return _called(parse(ChaincodeMessage, answer))

    async def set_event(self, name: str, payload: bytes) -> None:
        """Set the transaction's one event; the last call counts, and only the outermost's.

        An event is public, and a hint: anyone can make a valid transaction with any event.
        """
        if not name:
            raise StubError("event name can not be empty string")
        self.event = ChaincodeEvent(event_name=name, payload=payload)

    # composite keys, write batches

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        """One key of several parts. Raises `StubError` for U+0000 or U+10FFFF in a part."""
        try:
            return compositekey.create(object_type, attributes)
        except WireError as error:
            raise StubError(str(error)) from error

    def split_composite_key(self, key: str) -> tuple[str, tuple[str, ...]]:
        """The object type and the attributes. Raises `StubError` if `key` is not composite."""
        try:
            return compositekey.split(key)
        except WireError as error:
            raise StubError(str(error)) from error

    def start_write_batch(self) -> None:
        """Keep writes back and send the last one of each key, many in one message.

        They are sent by `finish_write_batch`, else when the method returns, even if it fails;
        a write the peer refuses is reported only then.
        """
        self._ledger.start_batch()

    async def finish_write_batch(self) -> None:
        """Send what was kept back; later writes go out one by one again."""
        await self._ledger.finish_batch()

    def forbid_writes(self) -> None:
        """From now on writing raises `StubError`."""
        self._ledger.read_only = True

    @cached_property
    def _proposal(self) -> ProposalParts:
        if self.signed_proposal is None:
            raise StubError("the call carries no proposal")
        return parse_signed_proposal(self.signed_proposal)


#: What follows a key most closely.
_LEAST = "\x00"


def _called(message: ChaincodeMessage) -> Reply:
    if message.type != ChaincodeMessage.COMPLETED:
        return Reply(message.payload, FAILED, message.payload.decode(errors="replace"))
    response = parse(Response, message.payload)
    return Reply(response.payload, response.status, response.message)


def _named(collection: str) -> str:
    if not collection:
        raise StubError("collection must not be an empty string")
    return collection


def _simple_range(start: str, end: str) -> tuple[str, str]:
    if start.startswith(compositekey.NAMESPACE) or end.startswith(compositekey.NAMESPACE):
        raise StubError("a range of simple keys must not start with U+0000")
    return start or FIRST_SIMPLE_KEY, end


def _composite_range(object_type: str, attributes: Sequence[str]) -> tuple[str, str]:
    try:
        return compositekey.prefix_range(object_type, attributes)
    except WireError as error:
        raise StubError(str(error)) from error
