# SPDX-License-Identifier: Apache-2.0
"""A real peer builds and launches our chaincode through an external builder, and the chaincode
dials it. (The embedded network takes such chaincode too, unit/fabric/embedded/test_dialled.py,
but launches none.)"""

import asyncio
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.package import Package
from pedchain_fabric.client import Contract, profile
from pedchain_fabric.errors import GatewayError
from pedchain_network.bringup import members
from pedchain_network.runtimes import native
from pedchain_network.state import State
from pedchain_network.topology import reader
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network

pytestmark = [pytest.mark.native, pytest.mark.timeout(300)]

TYPE = "dialling"
RUN = Path(__file__).with_name("dialling.py")


@pytest.fixture
def fabric_home(tmp_path: Path) -> Path:
    """Fabric's release with a builder that knows packages of our type, of which there is nothing
    to build, and leaves all others to Fabric's own."""
    release = native.find()
    own = f'exec "{release.builder}/bin/'
    ours = f'grep -q \'"{TYPE}"\' "$2/metadata.json"'
    scripts = {
        "detect": f'{ours} || {own}detect" "$@"',
        "build": f'if {ours}; then touch "$3/{TYPE}"; else {own}build" "$@"; fi',
        "release": f'[ -f "$1/{TYPE}" ] || {own}release" "$@"',
        "run": f'exec "{sys.executable}" "{RUN}" "$1" "$2"',
    }
    folder = tmp_path / "fabric" / "builders" / "ccaas" / "bin"
    folder.mkdir(parents=True)
    for name, line in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    (tmp_path / "fabric" / "bin").symlink_to(release.peer.parent)
    return tmp_path / "fabric"


@pytest.fixture
def network(tmp_path: Path, fabric_home: Path) -> Iterator[Network]:
    """The consortium on real Fabric, whose peers have that builder."""
    with make_network("native", tmp_path, NOTES) as made:
        made.run("up", environment={"FABRIC_HOME": str(fabric_home)})
        yield made


def package() -> Package:
    """Code that only its builder understands: none."""
    return Package("dialling_1", _tgz({
        "metadata.json": json.dumps({"type": TYPE, "label": "dialling_1"}).encode(),
        "code.tar.gz": _tgz({"nothing": b""}),
    }))  # fmt: skip


def _tgz(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


@pytest.mark.complete("shim-Start", "shim-GetMSPID")
async def test_a_peer_launches_our_chaincode_which_dials_it(network: Network) -> None:
    topology, state = reader.load(network.topology), State(network.state)
    definition = Definition("dialling", "1", 1, "OR('DSOMSP.peer')")
    made = package()
    async with members.connect(topology, state) as everyone:
        for each in everyone:
            await each.lifecycle.install(made)
            await each.lifecycle.approve(definition, made.id)
        await everyone[0].lifecycle.commit(definition, [each.lifecycle for each in everyone])
    async with await profile.connect(network.profile("DSO")) as gateway:
        contract = gateway.network("ped").contract("dialling")
        assert await _answered(contract) == b"DSOMSP"
        await contract.submit("Put", "k", "1", endorsing_organizations=["DSOMSP"])
        assert await contract.evaluate("Get", "k") == b"1"


async def _answered(contract: Contract) -> bytes:
    """The first answer: a definition is known to its peers some seconds after its commit."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await contract.evaluate("Whose", deadline=40.0)
            except GatewayError as error:
                assert error.code in ("FAILED_PRECONDITION", "UNAVAILABLE", "NOT_FOUND"), error  # noqa: PT017 - what it says until then
                await asyncio.sleep(0.2)
