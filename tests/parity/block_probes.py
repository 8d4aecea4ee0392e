# SPDX-License-Identifier: Apache-2.0
"""What deliver and broadcast services answer, on peers and orderers."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from fabric_protos.common.common_pb2 import (
    CONFIG,
    CONFIG_UPDATE,
    DELIVER_SEEK_INFO,
    ENDORSER_TRANSACTION,
    MESSAGE,
    ORDERER_TRANSACTION,
    Envelope,
    Metadata,
    OrdererBlockMetadata,
    Status,
)
from fabric_protos.common.configtx_pb2 import ConfigGroup, ConfigUpdate, ConfigUpdateEnvelope
from fabric_protos.orderer.ab_pb2 import (
    SeekInfo,
    SeekNewest,
    SeekNextCommit,
    SeekOldest,
    SeekPosition,
    SeekSpecified,
)

from pedchain_fabric.wire.identity import SigningIdentity
from tests.parity.target import CHANNEL, Fact, Target, envelope, names, plain
from tests.parity.transacting import submit

OLDEST = SeekPosition(oldest=SeekOldest())
NEWEST = SeekPosition(newest=SeekNewest())
NEXT = SeekPosition(next_commit=SeekNextCommit())


def at(number: int) -> SeekPosition:
    """A block by number."""
    return SeekPosition(specified=SeekSpecified(number=number))


def seek(
    who: SigningIdentity, start: SeekPosition | None, stop: SeekPosition | None, **named: Any
) -> Envelope:
    """A signed request for blocks."""
    fail = named.pop("fail", True)
    info = SeekInfo(
        start=start,
        stop=stop,
        behavior=SeekInfo.FAIL_IF_NOT_READY if fail else SeekInfo.BLOCK_UNTIL_READY,
        content_type=named.pop("content", SeekInfo.BLOCK),
    )
    return envelope(who, info, DELIVER_SEEK_INFO, **named)


async def deliver(method: Any, requests: Sequence[Envelope]) -> list[Any]:
    """Everything the service sends; the client closes its half right after its requests."""

    async def send() -> AsyncIterator[Envelope]:
        for request in requests:
            yield request

    found = []
    try:
        async for message in method(send()):
            found.append(message)  # noqa: PERF401 - what came before an error counts
    except grpc.aio.AioRpcError:
        # A client that still sends when the service has ended the stream gets an error of its own.
        if not found or found[-1].WhichOneof("Type") != "status":
            raise
    return found


def shown(messages: Sequence[Any]) -> Fact:
    """Numbers of blocks, and statuses."""
    found: list[Any] = []
    for message in messages:
        kind = message.WhichOneof("Type")
        if kind == "status":
            found.append(Status.Name(message.status))
        elif kind == "filtered_block":
            found.append(message.filtered_block.number)
        elif kind == "block_and_private_data":
            found.append(message.block_and_private_data.block.header.number)
        else:
            found.append(message.block.header.number)
    return found


def _both(name: str) -> Any:
    """The same request to a peer and to an orderer."""

    async def probe(target: Target) -> Fact:
        who = target.identity("DSO")
        requests = _REQUESTS[name](who, target)
        return {
            "peer": shown(await deliver(target.events().Deliver, requests)),
            "orderer": shown(await deliver(target.broadcast().Deliver, requests)),
        }

    probe.__name__ = name
    return probe


_REQUESTS: dict[str, Any] = {
    "deliver_oldest": lambda who, _: [seek(who, OLDEST, OLDEST)],
    "deliver_first_three": lambda who, _: [seek(who, OLDEST, at(2))],
    "deliver_specified": lambda who, _: [seek(who, at(1), at(2))],
    "deliver_twice_on_one_stream": lambda who, _: [
        seek(who, at(0), at(1)), seek(who, at(1), at(1)),
    ],
    "deliver_backwards": lambda who, _: [seek(who, at(2), at(1))],
    "deliver_beyond_the_end": lambda who, _: [seek(who, at(9999), at(9999))],
    "deliver_next_without_waiting": lambda who, _: [seek(who, NEXT, at(2**64 - 1))],
    "deliver_without_start": lambda who, _: [seek(who, None, OLDEST)],
    "deliver_without_stop": lambda who, _: [seek(who, OLDEST, None)],
    "deliver_on_unknown_channel": lambda who, _: [seek(who, OLDEST, OLDEST, channel="nope")],
    "deliver_too_old_a_request": lambda who, _: [seek(who, OLDEST, OLDEST, seconds=-16 * 60)],
    "deliver_without_timestamp": lambda who, _: [seek(who, OLDEST, OLDEST, timestamp=False)],
    "deliver_garbage": lambda who, _: [envelope(who, b"\xff", DELIVER_SEEK_INFO)],
    "deliver_empty_envelope": lambda who, _: [Envelope()],
    "deliver_to_stranger": lambda _, target: [seek(target.stranger(), OLDEST, OLDEST)],
    "deliver_to_expired_client": lambda _, target: [
        seek(target.issued("DSO", days=0), OLDEST, OLDEST)
    ],
    "deliver_stops_at_an_error": lambda who, _: [
        seek(who, at(2), at(1)), seek(who, OLDEST, OLDEST),
    ],
}  # fmt: skip


async def _deliver_newest(target: Target) -> Fact:
    who = target.identity("DSO")
    messages = await deliver(target.events().Deliver, [seek(who, NEWEST, NEWEST)])
    return len(messages), shown(messages)[-1]


async def _deliver_headers_only(target: Target) -> Fact:
    """Headers and signatures of the genesis block, a config block, and the one after."""
    who = target.identity("DSO")
    request = seek(who, at(0), at(1), content=SeekInfo.HEADER_WITH_SIG)
    messages = await deliver(target.events().Deliver, [request])
    return [message.block.HasField("data") for message in messages[:2]]


async def _filtered(target: Target) -> Fact:
    await submit(target, "event", "filtered", "secret")
    who = target.identity("DSO")
    messages = await deliver(target.events().DeliverFiltered, [seek(who, NEWEST, NEWEST)])
    block = messages[0].filtered_block
    transaction = block.filtered_transactions[-1]
    event = transaction.transaction_actions.chaincode_actions[0].chaincode_event
    return [
        block.channel_id,
        transaction.type,
        transaction.tx_validation_code,
        event.event_name,
        event.payload.decode(),
        event.chaincode_id,
        event.tx_id == transaction.txid,
    ]


async def _filtered_genesis(target: Target) -> Fact:
    who = target.identity("DSO")
    messages = await deliver(target.events().DeliverFiltered, [seek(who, OLDEST, OLDEST)])
    block = messages[0].filtered_block
    transaction = block.filtered_transactions[0]
    return block.number, block.channel_id, transaction.type, transaction.WhichOneof("Data")


async def _private_data_of(target: Target, organization: str) -> Fact:
    who = target.identity(organization)
    method = target.events(organization).DeliverWithPrivateData
    messages = await deliver(method, [seek(who, NEWEST, NEWEST)])
    data = messages[0].block_and_private_data
    return {
        str(index): [
            [namespace.namespace, [c.collection_name for c in namespace.collection_pvt_rwset]]
            for namespace in rwset.ns_pvt_rwset
        ]
        for index, rwset in data.private_data_map.items()
    }


async def _private_data_for_members(target: Target) -> Fact:
    await submit(target, "put-private", "pair", "delivered", transient={"v": b"secret"})
    return await _private_data_of(target, "DSO")


async def _orderer_block_is_signed_by_a_quorum(target: Target) -> Fact:
    who = target.identity("DSO")
    messages = await deliver(target.broadcast().Deliver, [seek(who, NEWEST, NEWEST)])
    slots = messages[0].block.metadata.metadata
    metadata = Metadata.FromString(slots[0])
    value = OrdererBlockMetadata.FromString(metadata.value)
    return {
        "slots": [bool(slot) for slot in slots],
        "signatures": len(metadata.signatures),
        "identified": all(
            each.identifier_header and not each.signature_header for each in metadata.signatures
        ),
        "fields": value.consenter_metadata[:1].hex(),
        "last_config": value.last_config.index,
    }


async def _first_blocks_view(target: Target) -> Fact:
    """SmartBFT's own counters in the first two blocks after genesis."""
    who = target.identity("DSO")
    messages = await deliver(target.broadcast().Deliver, [seek(who, at(1), at(2))])
    return [
        OrdererBlockMetadata.FromString(
            Metadata.FromString(message.block.metadata.metadata[0]).value
        ).consenter_metadata.hex()
        for message in messages[:2]
    ]


# Broadcast


async def send(target: Target, request: Envelope, organization: str = "DSO") -> Fact:
    """One orderer's answer."""

    async def requests() -> AsyncIterator[Envelope]:
        yield request

    async for answer in target.broadcast(organization).Broadcast(requests()):
        return Status.Name(answer.status), plain(answer.info)
    return None


async def _broadcast_empty(target: Target) -> Fact:
    return (await send(target, Envelope()))[0]


async def _broadcast_on_unknown_channel(target: Target) -> Fact:
    who = target.identity("DSO")
    return await send(target, envelope(who, b"x", MESSAGE, channel="nope"))


async def _broadcast_other_types(target: Target) -> Fact:
    who = target.identity("DSO")
    return [
        await send(target, envelope(who, b"x", CONFIG)),
        await send(target, envelope(who, b"x", ORDERER_TRANSACTION)),
    ]


async def _broadcast_by_stranger(target: Target) -> Fact:
    return await send(target, envelope(target.stranger(), b"x", ENDORSER_TRANSACTION))


async def _broadcast_by_expired_client(target: Target) -> Fact:
    who = target.issued("DSO", days=0)
    return await send(target, envelope(who, b"x", ENDORSER_TRANSACTION))


async def _broadcast_with_bad_signature(target: Target) -> Fact:
    request = envelope(target.identity("DSO"), b"x", ENDORSER_TRANSACTION)
    request.signature = target.identity("DSO").sign(b"other")
    return await send(target, request)


async def _broadcast_twice(target: Target) -> Fact:
    """Nonsense from a writer is ordered (and found invalid later), but only once."""
    request = envelope(target.identity("DSO"), b"nonsense", ENDORSER_TRANSACTION)
    first = await send(target, request)
    await submit(target, "put", "after-nonsense", "1")
    return first, (await send(target, request))[0]


async def _update_without_effect(target: Target) -> Fact:
    update = ConfigUpdate(
        channel_id=CHANNEL, read_set=ConfigGroup(), write_set=ConfigGroup()
    ).SerializeToString()
    data = ConfigUpdateEnvelope(config_update=update)
    return await send(target, envelope(target.identity("DSO", "admin"), data, CONFIG_UPDATE))


async def _update_for_another_channel(target: Target) -> Fact:
    update = ConfigUpdate(channel_id="nope").SerializeToString()
    data = ConfigUpdateEnvelope(config_update=update)
    return await send(target, envelope(target.identity("DSO", "admin"), data, CONFIG_UPDATE))


async def _update_without_authority(target: Target) -> Fact:
    """A new version of the root group, signed by nobody."""
    update = ConfigUpdate(
        channel_id=CHANNEL,
        read_set=ConfigGroup(),
        write_set=ConfigGroup(version=1, mod_policy="Admins"),
    ).SerializeToString()
    data = ConfigUpdateEnvelope(config_update=update)
    return await send(target, envelope(target.identity("DSO", "admin"), data, CONFIG_UPDATE))


PROBES = names(
    [
        *(_both(name) for name in _REQUESTS),
        _deliver_newest, _deliver_headers_only, _filtered, _filtered_genesis,
        _private_data_for_members, _orderer_block_is_signed_by_a_quorum, _first_blocks_view,
        _broadcast_empty, _broadcast_on_unknown_channel, _broadcast_other_types,
        _broadcast_by_stranger, _broadcast_by_expired_client, _broadcast_with_bad_signature,
        _broadcast_twice, _update_without_effect, _update_for_another_channel,
        _update_without_authority,
    ]
)  # fmt: skip
