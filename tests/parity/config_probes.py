# SPDX-License-Identifier: Apache-2.0
"""Changing the channel and a definition while it runs; these probes come last."""

from collections.abc import Sequence
from typing import Any

from fabric_protos.common.common_pb2 import CONFIG_UPDATE, Block, Envelope, Payload, SignatureHeader
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigSignature,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)
from fabric_protos.gateway.gateway_pb2 import SubmitRequest
from fabric_protos.orderer.configuration_pb2 import BatchSize
from fabric_protos.peer.lifecycle.lifecycle_pb2 import (
    ApproveChaincodeDefinitionForMyOrgArgs,
    CommitChaincodeDefinitionArgs,
    QueryApprovedChaincodeDefinitionArgs,
    QueryApprovedChaincodeDefinitionResult,
    QueryChaincodeDefinitionArgs,
    QueryChaincodeDefinitionResult,
)
from google.protobuf.message import Message

from pedchain_fabric.wire.proposal import new_nonce
from tests.parity.asking import ask, lifecycle
from tests.parity.block_probes import NEWEST, OLDEST, deliver, seek, send, shown
from tests.parity.target import CHANNEL, Fact, Target, envelope, names
from tests.parity.transacting import endorse, status, submit, underendorsed

ALL = ("DSO", "DistrictA", "DistrictB", "Aggregator")


async def _config(target: Target) -> Config:
    return Config.FromString((await ask(target, "cscc", "GetChannelConfig", CHANNEL)).payload)


def _batch_update(config: Config, count: int) -> bytes:
    """Another BatchSize.MaxMessageCount, and nothing else."""
    value = config.channel_group.groups["Orderer"].values["BatchSize"]
    size = BatchSize.FromString(value.value)
    size.max_message_count = count

    def outline(version: int, content: bytes) -> ConfigGroup:
        root = ConfigGroup(version=config.channel_group.version)
        orderer = root.groups["Orderer"]
        orderer.version = config.channel_group.groups["Orderer"].version
        changed = orderer.values["BatchSize"]
        changed.version, changed.value, changed.mod_policy = version, content, value.mod_policy
        return root

    read = ConfigGroup(version=config.channel_group.version)
    read.groups["Orderer"].version = config.channel_group.groups["Orderer"].version
    write = outline(value.version + 1, size.SerializeToString())
    return ConfigUpdate(channel_id=CHANNEL, read_set=read, write_set=write).SerializeToString()


def _signed(target: Target, update: bytes, organizations: Sequence[str]) -> Envelope:
    """The update with these organisations' administrators' signatures."""
    document = ConfigUpdateEnvelope(config_update=update)
    for organization in organizations:
        admin = target.identity(organization, "admin")
        header = SignatureHeader(creator=admin.creator, nonce=new_nonce()).SerializeToString()
        document.signatures.append(
            ConfigSignature(signature_header=header, signature=admin.sign(header + update))
        )
    return envelope(target.identity("DSO", "admin"), document, CONFIG_UPDATE)


async def _update_with_too_few_administrators(target: Target) -> Fact:
    update = _batch_update(await _config(target), 77)
    return await send(target, _signed(target, update, ["DSO"]))


async def _update_by_the_required_administrators(target: Target) -> Fact:
    """It is ordered alone, in a block of its own, and counts from then on."""
    update = _batch_update(await _config(target), 77)
    answers = [await send(target, _signed(target, update, ALL), each) for each in ALL]
    await submit(target, "put", "after-update", "1")
    config = await _config(target)
    response = await ask(target, "cscc", "GetConfigBlock", CHANNEL)
    block = Block.FromString(response.payload)
    payload = Payload.FromString(Envelope.FromString(block.data.data[0]).payload)
    ordered = ConfigEnvelope.FromString(payload.data)
    size = config.channel_group.groups["Orderer"].values["BatchSize"]
    return {
        "first": answers[0][0],
        "sequence": config.sequence,
        "transactions": len(block.data.data),
        "flags": block.metadata.metadata[2].hex(),
        "same": ordered.config == config,
        "version": size.version,
        "value": BatchSize.FromString(size.value).max_message_count,
    }


async def _the_same_update_again(target: Target) -> Fact:
    """It was made against the configuration before."""
    config = await _config(target)
    config.channel_group.groups["Orderer"].values["BatchSize"].version -= 1
    return (await send(target, _signed(target, _batch_update(config, 78), ALL)))[0]


async def _orderers_still_deliver(target: Target) -> Fact:
    who = target.identity("DSO")
    method = target.broadcast("DistrictB").Deliver
    return [
        shown(await deliver(method, [seek(who, OLDEST, OLDEST)])),
        shown(await deliver(method, [seek(who, NEWEST, NEWEST)]))[-1],
    ]


async def _submit_lifecycle(
    target: Target, organization: str, function: str, args: Message, orgs: tuple[str, ...] = ()
) -> int:
    _, code, _ = await submit(
        target, function, args.SerializeToString(), gateway=organization, chaincode="_lifecycle",
        user="admin", orgs=orgs,
    )  # fmt: skip
    return code


async def _definition_upgrade(target: Target) -> Fact:
    """A second sequence of `other`: not runnable where it is not approved, and withheld
    transactions of the first are dead."""
    held = await underendorsed(target, "other", "put", "held", "1")
    approved = await lifecycle(
        target,
        "QueryApprovedChaincodeDefinition",
        QueryApprovedChaincodeDefinitionArgs(name="other"),
    )
    known = QueryApprovedChaincodeDefinitionResult.FromString(approved.payload)
    fields: dict[str, Any] = {
        "name": "other", "version": "2", "sequence": 2,
        "validation_parameter": known.validation_parameter,
    }  # fmt: skip
    args = ApproveChaincodeDefinitionForMyOrgArgs(**fields, source=known.source)
    codes = [
        await _submit_lifecycle(
            target, each, "ApproveChaincodeDefinitionForMyOrg", args,
            (target.documents[each]["msp_id"],),
        )
        for each in ALL[:3]
    ]  # fmt: skip
    commit = CommitChaincodeDefinitionArgs(**fields)
    codes.append(await _submit_lifecycle(target, "DSO", "CommitChaincodeDefinition", commit))
    await _seen(target)
    refused = await endorse(
        target, target.identity("Aggregator"), "put", "k", "v", chaincode="other",
        gateway="Aggregator", orgs=("AggregatorMSP",),
    )  # fmt: skip
    return codes, await _release(target, held), refused


async def _seen(target: Target) -> None:
    """Every peer has the block with the new definition."""
    for each in ALL:
        while True:
            response = await lifecycle(
                target, "QueryChaincodeDefinition", QueryChaincodeDefinitionArgs(name="other"),
                organization=each,
            )  # fmt: skip
            if QueryChaincodeDefinitionResult.FromString(response.payload).sequence == 2:
                break


async def _release(target: Target, held: tuple[str, Envelope]) -> int:
    request = SubmitRequest(channel_id=CHANNEL, prepared_transaction=held[1])
    await target.gateway().Submit(request)
    return await status(target, held[0])


PROBES = names(
    [
        _update_with_too_few_administrators, _update_by_the_required_administrators,
        _the_same_update_again, _orderers_still_deliver, _definition_upgrade,
    ]
)  # fmt: skip
