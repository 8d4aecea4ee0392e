# SPDX-License-Identifier: Apache-2.0
"""What `_lifecycle` answers: packages installed, definitions approved and committed, refusals."""

import gzip
import hashlib
import io
import json
import tarfile
from typing import Any

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

from pedchain_fabric.wire import policy
from tests.parity.asking import lifecycle, lifecycle_text, text
from tests.parity.target import Fact, Target, names, plain

# Packages


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


# Definitions


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
        _install_and_find, _install_by_client, _install_bad_label, _install_without_code,
        _install_garbage, _query_unknown_package, _approve_badly, _approve_bad_collections,
        _approve_by_client, _readiness_of_new, _readiness_of_wrong_sequence, _commit_unapproved,
        _committed, _committed_unknown, _approved, _approved_unknown, _lifecycle_nonsense,
    ]
)  # fmt: skip
