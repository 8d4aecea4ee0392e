# SPDX-License-Identifier: Apache-2.0
"""What endorsers and system chaincodes answer when asked directly."""

import gzip
import hashlib
import io
import json
import tarfile
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
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from fabric_protos.peer.lifecycle.lifecycle_pb2 import (
    ApproveChaincodeDefinitionForMyOrgArgs,
    CheckCommitReadinessArgs,
    CheckCommitReadinessResult,
    CommitChaincodeDefinitionArgs,
    GetInstalledChaincodePackageArgs,
    InstallChaincodeArgs,
    InstallChaincodeResult,
    QueryApprovedChaincodeDefinitionArgs,
    QueryApprovedChaincodeDefinitionResult,
    QueryApprovedChaincodeDefinitionsArgs,
    QueryApprovedChaincodeDefinitionsResult,
    QueryChaincodeDefinitionArgs,
    QueryChaincodeDefinitionResult,
    QueryChaincodeDefinitionsArgs,
    QueryChaincodeDefinitionsResult,
    QueryInstalledChaincodeArgs,
    QueryInstalledChaincodesArgs,
    QueryInstalledChaincodesResult,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeHeaderExtension, Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response
from fabric_protos.peer.query_pb2 import ChannelQueryResponse
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction
from google.protobuf.message import Message

from pedchain_fabric.wire import policy
from pedchain_fabric.wire.block import header_hash
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.proposal import new_nonce, timestamp_message, transaction_id
from tests.parity.gateway_probes import submit
from tests.parity.target import CHANNEL, Fact, Target, names, plain, proposal, refusal


async def ask(
    target: Target, chaincode: str, *args: str | bytes, who: SigningIdentity | None = None,
    channel: str = CHANNEL, organization: str = "DSO",
) -> Response:  # fmt: skip
    """What a peer answers to a direct proposal."""
    identity = who or target.identity(organization, "admin")
    _, signed = proposal(identity, chaincode, *args, channel=channel)
    answer = await target.endorser(organization).ProcessProposal(signed)
    response: Response = answer.response
    return response


async def text(*args: Any, **named: Any) -> Fact:
    """Status and message, without what differs from run to run."""
    response = await ask(*args, **named)
    return response.status, plain(response.message)


async def lifecycle(target: Target, function: str, args: Message, **named: Any) -> Response:
    """A call of `_lifecycle`."""
    return await ask(target, "_lifecycle", function, args.SerializeToString(), **named)


async def lifecycle_text(target: Target, function: str, args: Message, **named: Any) -> Fact:
    """Its status and message."""
    response = await lifecycle(target, function, args, **named)
    return response.status, plain(response.message)


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


# _lifecycle: packages


def _package(label: str, connection: object, kind: str = "ccaas") -> bytes:
    def archive(**files: bytes) -> bytes:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name.replace("_", "."))
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return gzip.compress(raw.getvalue(), mtime=0)

    code = archive(connection_json=json.dumps(connection).encode())
    metadata = json.dumps({"type": kind, "label": label}).encode()
    return archive(metadata_json=metadata, code_tar_gz=code)


_CONNECTION = {"address": "127.0.0.1:1", "dial_timeout": "1s", "tls_required": False}


async def _install(target: Target, package: bytes, **named: Any) -> Fact:
    args = InstallChaincodeArgs(chaincode_install_package=package)
    return await lifecycle_text(target, "InstallChaincode", args, channel="", **named)


async def _install_and_find(target: Target) -> Fact:
    package = _package("found", _CONNECTION)
    args = InstallChaincodeArgs(chaincode_install_package=package)
    done = await lifecycle(target, "InstallChaincode", args, channel="")
    again = await lifecycle_text(target, "InstallChaincode", args, channel="")
    result = InstallChaincodeResult.FromString(done.payload)
    wanted = f"found:{hashlib.sha256(package).hexdigest()}"
    asked = GetInstalledChaincodePackageArgs(package_id=wanted)
    kept = await lifecycle(target, "GetInstalledChaincodePackage", asked, channel="")
    listed = await lifecycle(
        target, "QueryInstalledChaincodes", QueryInstalledChaincodesArgs(), channel=""
    )
    installed = QueryInstalledChaincodesResult.FromString(listed.payload).installed_chaincodes
    return {
        "result": [done.status, result.package_id == wanted, result.label],
        "again": again,
        "kept": package in kept.payload,
        "listed": sorted(
            (each.label, sorted(c.name for r in each.references.values() for c in r.chaincodes))
            for each in installed
        ),
    }


async def _install_by_client(target: Target) -> Fact:
    return await _install(target, b"x", who=target.identity("DSO"))


async def _install_bad_label(target: Target) -> Fact:
    return await _install(target, _package("_bad", _CONNECTION))


async def _install_without_code(target: Target) -> Fact:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        member = tarfile.TarInfo("metadata.json")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"{}"))
    return await _install(target, gzip.compress(raw.getvalue(), mtime=0))


async def _install_garbage(target: Target) -> Fact:
    return await _install(target, b"not a gzip")


async def _query_unknown_package(target: Target) -> Fact:
    one = QueryInstalledChaincodeArgs(package_id="x:y")
    package = GetInstalledChaincodePackageArgs(package_id="x:y")
    return [
        await lifecycle_text(target, "QueryInstalledChaincode", one, channel=""),
        await lifecycle_text(target, "GetInstalledChaincodePackage", package, channel=""),
    ]


# _lifecycle: definitions


async def _approve(target: Target, **fields: Any) -> Fact:
    wanted: dict[str, Any] = {"name": "new", "version": "1", "sequence": 1} | fields
    args = ApproveChaincodeDefinitionForMyOrgArgs(**wanted)
    return await lifecycle_text(target, "ApproveChaincodeDefinitionForMyOrg", args)


async def _approve_badly(target: Target) -> Fact:
    return [
        await _approve(target, name="_bad"),
        await _approve(target, name="qscc"),
        await _approve(target, version="a b"),
        await _approve(target, sequence=0),
        await _approve(target, sequence=3),
        await _approve(target, name="probe", sequence=1),
        await _approve(target, name="probe", sequence=3),
    ]


def _collection(**fields: Any) -> CollectionConfigPackage:
    members = fields.pop("members", "OR('DSOMSP.member')")
    config = StaticCollectionConfig(**({"name": "c"} | fields))
    if members is not None:
        config.member_orgs_policy.CopyFrom(
            CollectionPolicyConfig(signature_policy=policy.parse(members))
        )
    return CollectionConfigPackage(config=[CollectionConfig(static_collection_config=config)])


async def _approve_bad_collections(target: Target) -> Fact:
    twice = _collection()
    twice.config.append(twice.config[0])
    return [
        await _approve(target, collections=_collection(name="_c")),
        await _approve(target, collections=twice),
        await _approve(target, collections=_collection(required_peer_count=2)),
        await _approve(target, collections=_collection(members=None)),
        await _approve(target, collections=_collection(members="OR('NobodyMSP.member')")),
        await _approve(
            target, collections=_collection(members="AND('DSOMSP.member','DistrictAMSP.member')")
        ),
        await _approve(target, name="probe", sequence=2),
        await _approve(target, name="probe", sequence=2, collections=_collection()),
        await _approve(
            target, name="probe", sequence=2,
            collections=_collection(name="pair", block_to_live=5),
        ),
    ]  # fmt: skip


async def _approve_by_client(target: Target) -> Fact:
    args = ApproveChaincodeDefinitionForMyOrgArgs(name="new", version="1", sequence=1)
    who = target.identity("DSO")
    return await lifecycle_text(target, "ApproveChaincodeDefinitionForMyOrg", args, who=who)


async def _readiness_of_new(target: Target) -> Fact:
    args = CheckCommitReadinessArgs(name="new", version="1", sequence=1)
    response = await lifecycle(target, "CheckCommitReadiness", args)
    result = CheckCommitReadinessResult.FromString(response.payload)
    return {
        "status": response.status,
        "approvals": dict(sorted(result.approvals.items())),
        "mismatches": {name: list(m.items) for name, m in sorted(result.mismatches.items())},
    }


async def _readiness_of_wrong_sequence(target: Target) -> Fact:
    args = CheckCommitReadinessArgs(name="probe", version="1", sequence=1)
    return await lifecycle_text(target, "CheckCommitReadiness", args)


async def _commit_unapproved(target: Target) -> Fact:
    args = CommitChaincodeDefinitionArgs(name="new", version="1", sequence=1)
    return await lifecycle_text(target, "CommitChaincodeDefinition", args)


async def _committed(target: Target) -> Fact:
    response = await lifecycle(
        target, "QueryChaincodeDefinition", QueryChaincodeDefinitionArgs(name="probe")
    )
    one = QueryChaincodeDefinitionResult.FromString(response.payload)
    response = await lifecycle(target, "QueryChaincodeDefinitions", QueryChaincodeDefinitionsArgs())
    every = QueryChaincodeDefinitionsResult.FromString(response.payload).chaincode_definitions
    return {
        "one": [one.sequence, one.version, one.endorsement_plugin, one.validation_plugin],
        "policy": one.validation_parameter.hex(),
        "collections": one.collections.SerializeToString(deterministic=True).hex(),
        "approvals": dict(sorted(one.approvals.items())),
        "names": sorted(each.name for each in every),
    }


async def _committed_unknown(target: Target) -> Fact:
    args = QueryChaincodeDefinitionArgs(name="nope")
    return await lifecycle_text(target, "QueryChaincodeDefinition", args)


async def _approved(target: Target) -> Fact:
    response = await lifecycle(
        target,
        "QueryApprovedChaincodeDefinition",
        QueryApprovedChaincodeDefinitionArgs(name="probe"),
    )
    one = QueryApprovedChaincodeDefinitionResult.FromString(response.payload)
    response = await lifecycle(
        target, "QueryApprovedChaincodeDefinitions", QueryApprovedChaincodeDefinitionsArgs()
    )
    every = QueryApprovedChaincodeDefinitionsResult.FromString(response.payload)
    return {
        "one": [one.sequence, one.version, plain(str(one.source)).strip()],
        "all": sorted(each.name for each in every.approved_chaincode_definitions),
    }


async def _approved_unknown(target: Target) -> Fact:
    args = QueryApprovedChaincodeDefinitionArgs(name="nope")
    return await lifecycle_text(target, "QueryApprovedChaincodeDefinition", args)


async def _lifecycle_nonsense(target: Target) -> Fact:
    return [
        await text(target, "_lifecycle"),
        await text(target, "_lifecycle", "QueryChaincodeDefinitions"),
        await text(target, "_lifecycle", "Nonsense", b""),
    ]


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
        _qscc_newest_by_its_special_number, _qscc_for_stranger, _install_and_find,
        _install_by_client, _install_bad_label, _install_without_code, _install_garbage,
        _query_unknown_package, _approve_badly, _approve_bad_collections, _approve_by_client,
        _readiness_of_new, _readiness_of_wrong_sequence, _commit_unapproved, _committed,
        _committed_unknown, _approved, _approved_unknown, _lifecycle_nonsense,
    ]
)  # fmt: skip
