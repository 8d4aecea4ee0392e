# SPDX-License-Identifier: Apache-2.0
"""What both runtimes share: chaincode servers, programs on disk, the environment children get."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from pedchain_fabric.admin.package import service_package
from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes.process import Spec
from pedchain_network.state import State
from pedchain_network.topology.model import Organization, Topology

# Variables with which nodes and chaincode would override the configuration we wrote for them.
_FOREIGN = ("CORE_", "ORDERER_", "CHAINCODE_", "FABRIC_CFG_PATH", "FABRIC_LOGGING_")


def environment(**extra: str) -> dict[str, str]:
    """Our own environment without what would override generated configuration."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return inherited | extra


def chaincode_server(
    topology: Topology, state: State, organization: Organization, name: str
) -> Spec:
    """One process that serves every package at the organisation's addresses."""
    addresses = topology.chaincode_addresses(organization)
    command = [*program(topology.chaincode.command)]
    for package, address in addresses.items():
        command += ["--package", f"{package}={address}={service_package(package).id}"]
    return Spec(
        name=name,
        kind="chaincode",
        organization=organization.name,
        command=tuple(command),
        environment=environment(),
        directory=state.data / name,
        log=state.log / f"{name}.log",
        listens={f"{package} of {name}": address for package, address in addresses.items()},
    )


def program(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command with its program found: `python` is this interpreter, other names are looked
    for beside it, then on PATH. Raises `RuntimeMissingError`."""
    name, *arguments = command
    if name == "python":
        return (sys.executable, *arguments)
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise RuntimeMissingError(
            f"the chaincode's program {name!r} is not installed", "make setup"
        )
    return (found, *arguments)


def ports_bound(specs: Mapping[str, Spec]) -> Mapping[str, str]:
    """Every `host:port` these processes will bind, and the name of what binds it."""
    return {address: label for spec in specs.values() for label, address in spec.listens.items()}
