# SPDX-License-Identifier: Apache-2.0
"""Installing packages, and what is installed: the calls without a channel.

Source: core/chaincode/lifecycle/scc.go, lifecycle.go (InstallChaincode).
"""

from collections.abc import Mapping

from fabric_protos.peer.lifecycle.lifecycle_pb2 import (
    GetInstalledChaincodePackageArgs,
    GetInstalledChaincodePackageResult,
    InstallChaincodeArgs,
    InstallChaincodeResult,
    QueryInstalledChaincodeArgs,
    QueryInstalledChaincodeResult,
    QueryInstalledChaincodesArgs,
    QueryInstalledChaincodesResult,
)
from google.protobuf.message import Message

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.approvals import LocalChaincode
from pedchain_fabric.embedded.chaincode import package as packages
from pedchain_fabric.embedded.chaincode.package import PackageRefused
from pedchain_fabric.embedded.store import package_id
from pedchain_fabric.embedded.system.lifecycle.host import Host
from pedchain_fabric.embedded.system.lifecycle.refusal import LifecycleRefused
from pedchain_fabric.wire.messages import parse


def install(host: Host, payload: bytes) -> Message:
    """InstallChaincode: the ccaas builder's work is done here too, so faults show at once."""
    package = parse(InstallChaincodeArgs, payload).chaincode_install_package
    if len(package) > limits.MAX_PACKAGE_BYTES:
        raise LifecycleRefused("could not parse as a chaincode install package: too large")
    try:
        parsed = packages.parse(package)
    except PackageRefused as refused:
        raise LifecycleRefused(
            f"could not parse as a chaincode install package: {refused}"
        ) from refused
    identifier = package_id(parsed.label, package)
    if host.packages.get(identifier) is not None:
        raise LifecycleRefused(
            f"chaincode already successfully installed (package ID '{identifier}')"
        )
    try:
        packages.connection(parsed, host.chaincode_values)
    except PackageRefused as refused:
        raise LifecycleRefused(f"could not build chaincode: {refused}") from refused
    host.packages.save(parsed.label, package)
    return InstallChaincodeResult(package_id=identifier, label=parsed.label)


def query_one(host: Host, payload: bytes) -> Message:
    """QueryInstalledChaincode."""
    wanted = parse(QueryInstalledChaincodeArgs, payload).package_id
    if host.packages.get(wanted) is None:
        raise LifecycleRefused(f"could not find chaincode with package id '{wanted}'")
    result = QueryInstalledChaincodeResult(package_id=wanted, label=_label(wanted))
    for channel, chaincodes in _references(host, wanted).items():
        for each in chaincodes:
            result.references[channel].chaincodes.add(
                name=each.definition.name, version=each.definition.version
            )
    return result


def query_all(host: Host, payload: bytes) -> Message:
    """QueryInstalledChaincodes."""
    parse(QueryInstalledChaincodesArgs, payload)
    result = QueryInstalledChaincodesResult()
    for identifier in host.packages.ids():
        entry = result.installed_chaincodes.add(package_id=identifier, label=_label(identifier))
        for channel, chaincodes in _references(host, identifier).items():
            for each in chaincodes:
                entry.references[channel].chaincodes.add(
                    name=each.definition.name, version=each.definition.version
                )
    return result


def get_package(host: Host, payload: bytes) -> Message:
    """GetInstalledChaincodePackage."""
    wanted = parse(GetInstalledChaincodePackageArgs, payload).package_id
    package = host.packages.get(wanted)
    if package is None:
        raise LifecycleRefused(
            f"could not load cc install package: chaincode install package '{wanted}' not found"
        )
    return GetInstalledChaincodePackageResult(chaincode_install_package=package)


def _label(identifier: str) -> str:
    return identifier.rpartition(":")[0]


def _references(host: Host, identifier: str) -> Mapping[str, list[LocalChaincode]]:
    found = {name: view.references(identifier) for name, view in host.approvals().items()}
    return {name: chaincodes for name, chaincodes in found.items() if chaincodes}
