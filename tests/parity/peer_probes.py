# SPDX-License-Identifier: Apache-2.0
"""What endorsers, cscc and qscc answer when asked directly."""

import time
from typing import Any

from fabric_protos.common.common_pb2 import (
    ENDORSER_TRANSACTION,
    MESSAGE,
    Block,
    ChannelHeader,
    Header,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.proposal_pb2 import ChaincodeHeaderExtension, Proposal, SignedProposal
from fabric_protos.peer.query_pb2 import ChannelQueryResponse
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction

from pedchain_fabric.wire.block import header_hash
from pedchain_fabric.wire.proposal import new_nonce, timestamp_message, transaction_id
from tests.parity.asking import ask, text
from tests.parity.target import CHANNEL, Fact, Target, names, plain, proposal, refusal
from tests.parity.transacting import submit

# The endorser


async def _raw(target: Target, **changes: Any) -> Fact:
    """A proposal with something wrong in its headers."""
    who = target.identity("DSO")
    nonce = changes.get("nonce", new_nonce())
    creator = changes.get("creator", who.creator)
    extension = changes.get("extension", b"\x12\x07\x12\x05probe")
    channel_header = ChannelHeader(
        type=changes.get("type", ENDORSER_TRANSACTION),
        channel_id=changes.get("channel", CHANNEL),
        epoch=changes.get("epoch", 0),
        tx_id=changes.get("tx_id", transaction_id(nonce, creator)),
        extension=extension,
    )

    channel_header.timestamp.CopyFrom(timestamp_message(time.time_ns()))
    header = Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
    )
    _, template = proposal(who, "probe", "get", "k")
    payload = changes.get("payload", Proposal.FromString(template.proposal_bytes).payload)
    message = Proposal(header=header.SerializeToString(), payload=payload).SerializeToString()
    signature = changes.get("signature", who.sign(message))
    signed = SignedProposal(proposal_bytes=message, signature=signature)
    return await refusal(target.endorser().ProcessProposal(signed))


async def _proposal_of_another_type(target: Target) -> Fact:
    answer = await _raw(target, type=MESSAGE)
    return answer["code"]  # Fabric names the type, we number it


async def _proposal_with_epoch(target: Target) -> Fact:
    return await _raw(target, epoch=1)


async def _proposal_without_nonce(target: Target) -> Fact:
    return await _raw(target, nonce=b"")


async def _proposal_with_wrong_transaction_id(target: Target) -> Fact:
    return await _raw(target, tx_id="0" * 64)


async def _proposal_without_signature(target: Target) -> Fact:
    return await _raw(target, signature=b"")


async def _proposal_without_chaincode(target: Target) -> Fact:
    return await _raw(target, extension=ChaincodeHeaderExtension().SerializeToString())


async def _proposal_by_unreadable_creator(target: Target) -> Fact:
    return await _raw(target, creator=b"\x0a\x06DSOMSP\x12\x03abc")


async def _proposal_on_unknown_channel(target: Target) -> Fact:
    return await text(target, "probe", "get", "k", channel="nope")


async def _proposal_for_unknown_chaincode(target: Target) -> Fact:
    return await text(target, "nope", "get", "k")


async def _proposal_without_channel(target: Target) -> Fact:
    return await text(target, "probe", "get", "k", channel="")


async def _lscc_fails(target: Target) -> Fact:
    response = await ask(target, "lscc", "getchaincodes")
    return response.status, plain(response.message).split("'lscc.syscc'")[0]


# cscc


async def _cscc_channels(target: Target) -> Fact:
    response = await ask(target, "cscc", "GetChannels", channel="")
    channels = ChannelQueryResponse.FromString(response.payload).channels
    return response.status, [each.channel_id for each in channels]


async def _cscc_channels_for_client(target: Target) -> Fact:
    return await text(target, "cscc", "GetChannels", channel="", who=target.identity("DSO"))


async def _cscc_channels_for_other_organization(target: Target) -> Fact:
    who = target.identity("DistrictA")
    return await refusal(
        target.endorser("DSO").ProcessProposal(proposal(who, "cscc", "GetChannels", channel="")[1])
    )


async def _cscc_join_by_client(target: Target) -> Fact:
    block = target.file(target.documents["DSO"]["genesis"])
    who = target.identity("DSO")
    return await text(target, "cscc", "JoinChain", block, channel="", who=who)


async def _cscc_join_again(target: Target) -> Fact:
    block = target.file(target.documents["DSO"]["genesis"])
    return await text(target, "cscc", "JoinChain", block, channel="")


async def _cscc_no_arguments(target: Target) -> Fact:
    return [
        await text(target, "cscc", channel=""),
        await text(target, "cscc", "JoinChain", channel=""),
        await text(target, "cscc", "Nonsense", "x", channel=""),
    ]


async def _cscc_config_block(target: Target) -> Fact:
    response = await ask(target, "cscc", "GetConfigBlock", CHANNEL)
    return response.status, Block.FromString(response.payload).header.number


async def _cscc_channel_config(target: Target) -> Fact:
    response = await ask(target, "cscc", "GetChannelConfig", CHANNEL)
    return response.status, sorted(Config.FromString(response.payload).channel_group.groups)


async def _cscc_config_of_unknown_channel(target: Target) -> Fact:
    return [
        await text(target, "cscc", "GetConfigBlock", "nope"),
        await text(target, "cscc", "GetChannelConfig", "nope"),
        await text(target, "cscc", "GetChannelConfig", ""),
    ]


# qscc


async def _qscc_by_everything(target: Target) -> Fact:
    """The same transaction's block by number, hash and id."""
    identifier, code, _ = await submit(target, "put", "qscc", "1")
    info = BlockchainInfo.FromString((await ask(target, "qscc", "GetChainInfo", CHANNEL)).payload)
    by_id = await ask(target, "qscc", "GetBlockByTxID", CHANNEL, identifier)
    block = Block.FromString(by_id.payload)
    number = str(block.header.number)
    by_number = await ask(target, "qscc", "GetBlockByNumber", CHANNEL, number)
    by_hash = await ask(target, "qscc", "GetBlockByHash", CHANNEL, header_hash(block.header))
    found = await ask(target, "qscc", "GetTransactionByID", CHANNEL, identifier)
    transaction = ProcessedTransaction.FromString(found.payload)
    return {
        "equal": by_id.payload == by_number.payload == by_hash.payload,
        "newest": info.height == block.header.number + 1
        and info.currentBlockHash == header_hash(block.header)
        and info.previousBlockHash == block.header.previous_hash,
        "slots": [bool(slot) for slot in block.metadata.metadata],
        "code": [code, transaction.validationCode],
        "same": transaction.transactionEnvelope.SerializeToString() in block.data.data,
    }


async def _qscc_errors(target: Target) -> Fact:
    return [
        await text(target, "qscc", "GetChainInfo"),
        await text(target, "qscc", "GetChainInfo", "nope"),
        await text(target, "qscc", "GetBlockByNumber", CHANNEL),
        await text(target, "qscc", "GetBlockByNumber", CHANNEL, "x"),
        await text(target, "qscc", "GetBlockByNumber", CHANNEL, "-1"),
        await text(target, "qscc", "GetBlockByNumber", CHANNEL, "99999"),
        await text(target, "qscc", "GetBlockByNumber", CHANNEL, "99999999999999999999"),
        await text(target, "qscc", "GetBlockByHash", CHANNEL, b"abc"),
        await text(target, "qscc", "GetBlockByTxID", CHANNEL, "abc"),
        await text(target, "qscc", "GetTransactionByID", CHANNEL, "abc"),
        await text(target, "qscc", "Nonsense", CHANNEL, "abc"),
    ]


async def _qscc_newest_by_its_special_number(target: Target) -> Fact:
    response = await ask(target, "qscc", "GetBlockByNumber", CHANNEL, str(2**64 - 1))
    return response.status


async def _qscc_for_stranger(target: Target) -> Fact:
    who = target.stranger()
    _, signed = proposal(who, "qscc", "GetChainInfo", CHANNEL)
    return await refusal(target.endorser().ProcessProposal(signed))


PROBES = names(
    [
        _proposal_of_another_type, _proposal_with_epoch, _proposal_without_nonce,
        _proposal_with_wrong_transaction_id, _proposal_without_signature,
        _proposal_without_chaincode, _proposal_by_unreadable_creator,
        _proposal_on_unknown_channel, _proposal_for_unknown_chaincode, _proposal_without_channel,
        _lscc_fails, _cscc_channels, _cscc_channels_for_client,
        _cscc_channels_for_other_organization, _cscc_join_by_client, _cscc_join_again,
        _cscc_no_arguments, _cscc_config_block, _cscc_channel_config,
        _cscc_config_of_unknown_channel, _qscc_by_everything, _qscc_errors,
        _qscc_newest_by_its_special_number, _qscc_for_stranger,
    ]
)  # fmt: skip
