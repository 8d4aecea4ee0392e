# SPDX-License-Identifier: Apache-2.0
"""A network as files: backed up, lost, restored; and cut into parts for hosts of their own."""

import asyncio
import gzip
import json
import shutil
import time
from pathlib import Path

import pytest

from pedchain_fabric.admin import qscc
from pedchain_fabric.client import profile
from pedchain_fabric.wire.block import commit_hash
from pedchain_network.change.reach import Reach
from pedchain_network.state import State
from tests.scenarios.harness import Network

CHANNEL = "ped"
SECRET = b"for two only"


async def write(network: Network, key: str) -> None:
    async with await profile.connect(network.profile("DSO")) as gateway:
        channel = gateway.network(CHANNEL)
        await channel.contract("registry").submit("Put", key, key)
        await channel.contract("metering-DistrictA").submit(
            "PutPrivate", "readings", key, transient={"text": SECRET}
        )


async def kept(network: Network, key: str) -> bool:
    """Everybody has the public note, both members the private one."""
    found = []
    for organization in network.profiles:
        async with await profile.connect(network.profile(organization)) as gateway:
            channel = gateway.network(CHANNEL)
            found.append(await channel.contract("registry").evaluate("Get", key) == key.encode())
            if organization in {"DSO", "DistrictA"}:
                private = await channel.contract("metering-DistrictA").evaluate(
                    "GetPrivate", "readings", key
                )
                found.append(private == SECRET)
    return all(found)


async def commit_hashes(network: Network, number: int) -> dict[str, str]:
    state = State(network.state)
    async with Reach(state.topology(), state) as reach:
        return {
            each.name: commit_hash(
                await qscc.block_by_number(reach.peer(each), CHANNEL, number)
            ).hex()
            for each in reach.topology.peers()
        }


async def height(network: Network) -> int:
    state = State(network.state)
    async with Reach(state.topology(), state) as reach:
        peer = reach.peer(reach.topology.peers()[0])
        return int((await qscc.chain_info(peer, CHANNEL)).height)


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
async def test_what_was_backed_up_is_there_after_everything_was_lost(
    fresh_network: Network, tmp_path: Path
) -> None:
    network, archive = fresh_network, tmp_path / "backup.tar.gz"
    network.run("up")
    await write(network, "before")
    last = await height(network) - 1
    hashes = await commit_hashes(network, last)

    said = network.run("backup", "--to", str(archive), "--with-keys").stdout
    assert "WARNING" in said
    assert "verified" in said
    assert archive.stat().st_mode & 0o777 == 0o600
    assert network.status()["state"] == "up"
    await write(network, "after")  # the network went on, and this is not in the backup

    full = network.run("restore", str(archive), check=False)
    assert full.returncode == 1
    assert "is not empty" in full.stderr

    network.run("clean", "--yes")
    shutil.rmtree(network.state)
    said = network.run("restore", str(archive)).stdout
    assert "ledgers hold what they held" in said
    assert network.status()["state"] == "up"
    assert await kept(network, "before")
    assert not await kept(network, "after")
    assert await commit_hashes(network, last) == hashes
    await write(network, "again")
    assert await kept(network, "again")


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
async def test_a_backup_without_keys_comes_back_with_the_keys_alone(
    fresh_network: Network, tmp_path: Path
) -> None:
    network, archive = fresh_network, tmp_path / "backup.tar.gz"
    network.run("up")
    await write(network, "before")
    network.run("down")
    network.run("backup", "--to", str(archive))
    keys = tmp_path / "keys"
    shutil.copytree(network.state / "crypto", keys)
    network.run("clean", "--yes")

    without = network.run("restore", str(archive), check=False)
    assert without.returncode == 1
    assert "--keys" in without.stderr
    assert {each.name for each in network.state.iterdir()} <= {"lock"}
    network.run("restore", str(archive), "--keys", str(keys))
    assert await kept(network, "before")


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
def test_a_damaged_backup_restores_nothing(fresh_network: Network, tmp_path: Path) -> None:
    network, archive = fresh_network, tmp_path / "backup.tar.gz"
    network.run("up")
    network.run("backup", "--to", str(archive), "--with-keys")
    network.run("clean", "--yes")
    content = bytearray(gzip.decompress(archive.read_bytes()))
    content[len(content) // 2] ^= 1
    archive.write_bytes(gzip.compress(bytes(content), 1))
    refused = network.run("restore", str(archive), check=False)
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert {each.name for each in network.state.iterdir()} <= {"lock"}


def part(network: Network, directory: Path, organization: str) -> Network:
    """The organisation's own state directory, as on a host of its own."""
    own = directory / organization
    network.run("bundle", "--org", organization, "--out", str(own))
    return Network(network.runtime, own, own / "consortium.yaml")


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
@pytest.mark.native
@pytest.mark.parametrize("fresh_network", ["native"], indirect=True)
async def test_four_organisations_form_one_network_each_from_its_own_files(
    fresh_network: Network, tmp_path: Path
) -> None:
    """Embedded nodes are one process for all, so parts are for real Fabric."""
    whole = fresh_network
    whole.run(
        "bundle", "--org", "DSO", "--topology", str(whole.topology), "--out", str(tmp_path / "x")
    )
    names = ("DSO", "DistrictA", "DistrictB", "Aggregator")
    parts = [part(whole, tmp_path, name) for name in names]
    shutil.rmtree(whole.state)
    try:
        for own, name in zip(parts, names, strict=True):
            foreign = [
                path
                for path in own.state.rglob("key.pem")
                if path.relative_to(own.state / "crypto").parts[0] != name
            ]
            assert not foreign
        for own in parts:
            own.run("up")
        for own in parts:  # those who came first now find the others
            own.run("up")
        for own in parts:
            own.run("chaincode status")
        await asyncio.gather(*(_submits(own, name) for own, name in zip(parts, names, strict=True)))
        _upgraded_by_each(parts)
        _configured_by_each(dict(zip(names, parts, strict=True)), tmp_path)
        await _one_lost_and_restored(dict(zip(names, parts, strict=True)), tmp_path)
    finally:
        for own in parts:
            own.run("clean", "--yes")


def _upgraded_by_each(parts: list[Network]) -> None:
    """One proposes, each approves where its keys are, the last makes it so."""
    first, *others, last = parts
    said = first.run("chaincode upgrade", "registry", "--version", "2", check=False)
    assert said.returncode == 4
    assert "DistrictAMSP has not approved it" in said.stdout
    wanted = ("registry", "--topology", str(first.state / "wanted.yaml"))
    for own in others:
        assert own.run("chaincode upgrade", *wanted, check=False).returncode == 4
    for own in (last, first, *others):
        own.run("chaincode upgrade", *wanted)
        assert "version 2" in own.run("chaincode status", "registry").stdout


def _configured_by_each(parts: dict[str, Network], folder: Path) -> None:
    """An update goes from host to host as a file; each signs with the only key it has."""
    file = folder / "update.pb"
    parts["DSO"].run("channel update", "--set", "messages=200", "--offline", str(file))
    for name in ("DSO", "DistrictA", "Aggregator"):
        others = parts["DistrictB"].run(
            "channel sign", str(file), "--organization", name, "--yes", check=False
        )
        assert others.returncode == 1  # nobody signs for another
        parts[name].run("channel sign", str(file), "--organization", name, "--yes")
    _submitted(parts, file)
    for own in parts.values():
        told = json.loads(own.run("channel show", "--json").stdout)
        assert "200" in json.dumps(told["batch"])


def _submitted(parts: dict[str, Network], file: Path) -> None:
    """An update is sent. Where an orderer stands still (ADR 20) it is sent once more after the
    remedy that the refusal names."""
    sent = parts["Aggregator"].run("channel submit", str(file), check=False)
    if sent.returncode:
        assert "ped-network up restarts an orderer that stands still" in sent.stderr, sent.stderr
        for own in parts.values():
            own.run("up")
        parts["Aggregator"].run("channel submit", str(file))


async def _one_lost_and_restored(parts: dict[str, Network], folder: Path) -> None:
    """A host's part comes back from its backup while the others go on, and catches up."""
    lost, archive = parts["DistrictB"], folder / "districtb.tar.gz"
    lost.run("backup", "--to", str(archive), "--with-keys")
    lost.run("clean", "--yes")
    shutil.rmtree(lost.state)
    await _submits(parts["DSO"], "DSO")  # in no backup
    lost.run("restore", str(archive))
    lost.run("up")
    await _submits(lost, "DistrictB")
    async with await profile.connect(lost.profile("DistrictB")) as gateway:
        contract = gateway.network(CHANNEL).contract("registry")
        assert await contract.evaluate("Get", "DSO") == b"DSO"
    assert _caught_up(lost, "orderer0.districtb.ped")


def _caught_up(network: Network, node: str, seconds: float = 60) -> bool:
    """Does a node lack no block that another has, or will it soon."""
    deadline = time.monotonic() + seconds
    while next(each["lag"] for each in network.status()["nodes"] if each["name"] == node) != 0:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


async def _submits(own: Network, name: str) -> None:
    async with await profile.connect(own.profile(name)) as gateway:
        contract = gateway.network(CHANNEL).contract("registry")
        await contract.submit("Put", name, name)
        assert await contract.evaluate("Get", name) == name.encode()
