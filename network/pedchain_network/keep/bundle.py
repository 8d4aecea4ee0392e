# SPDX-License-Identifier: Apache-2.0
"""`bundle`: what one organisation needs to run its part on a host of its own.

It is a state directory: topology, genesis block, the organisation's own keys, and of the others
what proves who they are. Whoever has it runs `ped-network up` there.
"""

import shutil
import tarfile
from pathlib import Path

from pedchain_network import files
from pedchain_network.channel import genesis
from pedchain_network.errors import BundleError
from pedchain_network.pki import crypto, ownership
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology.model import Organization, Topology

_CERTIFICATE = "cert.pem"
_KEY = "key.pem"
_GUIDE = """\
{organization}'s part of channel {channel}.

This directory holds {organization}'s private keys. Keep it secret, and on one host only.

Native Fabric {fabric}, from this directory:
    ped-network up --runtime native --state .
Docker, from this directory:
    ped-network up --runtime docker --state .
  or by the file here alone, once `up` has written the nodes' configuration:
    PED_STATE=. docker compose up -d

The nodes here listen on
{listeners}
and dial those of the others at
{others}
Names and ports must be reachable both ways. `ped-network up` says whom it still waits for; run it
again when they are there. Chaincode is agreed on as soon as those whom its policies name approve:
    ped-network chaincode status --state .
"""


def prepare(topology: Topology, state: State, progress: Progress) -> None:
    """Keys of all organisations and the genesis block, for a network that is nowhere up yet."""
    with state.locked():
        if state.topology_file.exists():
            raise BundleError(
                f"{state.root} has a topology already",
                "bundle from it without --topology, or name another --state",
            )
        crypto.create(state.crypto, topology)
        genesis.ensure_genesis(state.genesis(topology.channel), topology, state.crypto)
        state.save_topology(topology)
        progress.step(f"keys of {len(topology.organizations)} organisations, genesis block")


def bundle(state: State, name: str, to: Path, progress: Progress) -> Path:
    """Write the organisation's directory, or an archive of it if `to` ends in `.tar.gz`.

    Raises `BundleError`.
    """
    topology = state.topology()
    organization = _organization(topology, name)
    _require_keys(state, topology, name)
    if to.exists():
        raise BundleError(f"{to} is there already", "name another place with --out")
    packed = to.name.endswith(".tar.gz")
    folder = to.with_name(f".{to.name}.part")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _fill(folder, state, topology, organization)
        if packed:
            _pack(folder, to, name)
        else:
            folder.rename(to)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    progress.step(f"{name}'s part is in {to}: its private keys are in there, keep it secret")
    return to


def _fill(folder: Path, state: State, topology: Topology, organization: Organization) -> None:
    folder.mkdir(parents=True, mode=0o700)
    shutil.copy2(state.topology_file, folder / state.topology_file.name)
    block = state.genesis(topology.channel)
    files.write(folder / block.relative_to(state.root), block.read_bytes())
    for each in topology.organizations:
        source = crypto.of(state.crypto, each).root
        target = folder / source.relative_to(state.root)
        if each.name == organization.name:
            shutil.copytree(source, target)
        else:
            _certificates(source, target, {node.folder for node in topology.nodes(each)})
    files.write(folder / "README.txt", _guide(topology, organization).encode())
    _compose(folder, topology, organization)


def _certificates(source: Path, target: Path, nodes: set[str]) -> None:
    """What is public of another organisation: its CAs, and its nodes' certificates."""
    for path in source.rglob(_CERTIFICATE):
        relative = path.relative_to(source)
        if relative.parts[0] in {"ca", "tlsca", *nodes}:
            files.write(target / relative, path.read_bytes())


def _compose(folder: Path, topology: Topology, organization: Organization) -> None:
    from pedchain_network.runtimes.docker import composefile

    text = composefile.text(topology, organizations=[organization.name])
    files.write(folder / "compose.yaml", text.encode())


def _guide(topology: Topology, organization: Organization) -> str:
    nodes = topology.nodes()
    own = [each for each in nodes if each.organization == organization.name]
    others = [each for each in nodes if each.organization != organization.name]
    return _GUIDE.format(
        organization=organization.name,
        channel=topology.channel,
        fabric=topology.fabric,
        listeners="\n".join(
            f"    {listener.address}  {node.name} {listener.role}"
            for node in own
            for listener in node.listeners
        ),
        others="\n".join(
            f"    {topology.dialled(node)}  {node.name}"
            for node in others
            if node.kind in {"peer", "orderer"}
        ),
    )


def _pack(folder: Path, to: Path, name: str) -> None:
    part = to.with_name(f".{to.name}.tar")
    try:
        part.touch(mode=0o600)
        with tarfile.open(part, "w:gz") as tar:
            tar.add(folder, arcname=name)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


def _organization(topology: Topology, name: str) -> Organization:
    for each in topology.organizations:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in topology.organizations)
    raise BundleError(f"no organisation {name!r}", f"known: {known}")


def _require_keys(state: State, topology: Topology, name: str) -> None:
    if name not in ownership.here(state.crypto, topology):
        raise BundleError(
            f"{name}'s keys are not in {state.root}", "bundle it where the organisation keeps them"
        )
    if not state.genesis(topology.channel).exists():
        raise BundleError(f"{state.root} has no genesis block", "ped-network up")
