# SPDX-License-Identifier: Apache-2.0
"""Certificates are renewed before they end, one node at a time, and the network goes on."""

import asyncio
import json
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from pedchain_fabric.client import profile
from pedchain_network.change.live import configuration_of
from pedchain_network.change.reach import Reach
from pedchain_network.state import State
from pedchain_network.topology import reader, writer
from tests.scenarios.harness import Network


def certificate(network: Network, folder: str) -> x509.Certificate:
    path = network.state / "crypto" / folder / "cert.pem"
    return x509.load_pem_x509_certificate(path.read_bytes())


def served(network: Network, node: str) -> int:
    """Serial number of the certificate that a node shows who connects to it."""
    topology = State(network.state).topology()
    host, _, port = topology.address(topology.find(node)).rpartition(":")
    pem = ssl.get_server_certificate((host, int(port)))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def dialled_with(network: Network, peer: str) -> set[str]:
    """The certificates a real peer shows its chaincode, as its builder has laid them down."""
    built = (network.state / "data" / peer / "externalbuilder").rglob("server/connection.json")
    return {json.loads(path.read_text())["client_cert"] for path in built}


async def written(network: Network, key: str) -> bool:
    """A note goes through every organisation's gateway."""
    found = []
    for organization in network.profiles:
        async with await profile.connect(network.profile(organization)) as gateway:
            contract = gateway.network("ped").contract("registry")
            await contract.submit("Put", key, organization)
            found.append(await contract.evaluate("Get", key) == organization.encode())
    return all(found)


def consenters(network: Network) -> set[bytes]:
    """Identities of the consenters, as the channel has them."""

    async def look() -> set[bytes]:
        state = State(network.state)
        async with Reach(state.topology(), state) as reach:
            return {each.identity for each in (await configuration_of(reach)).consenters}

    return asyncio.run(look())


def pids(network: Network) -> dict[str, int]:
    return {part["name"]: part["pid"] for part in network.status()["parts"]}


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
@pytest.mark.parametrize("new_key", [False, True], ids=["same-key", "new-key"])
def test_a_node_takes_part_again_with_its_new_certificate(
    fresh_network: Network, new_key: bool
) -> None:
    network = fresh_network
    network.run("up")
    options = ("--new-key",) if new_key else ()
    for node, folders in {
        "orderer0.dso.ped": ("DSO/orderer0/msp/signcerts", "DSO/orderer0/tls"),
        "peer0.districta.ped": ("DistrictA/peer0/msp/signcerts", "DistrictA/peer0/tls"),
        "chaincode0.dso.ped": ("DSO/chaincode0/tls",),
    }.items():
        before = [certificate(network, folder) for folder in folders]
        said = network.run("cert renew", "--node", node, *options).stdout
        assert f"{node} takes part again" in said
        after = [certificate(network, folder) for folder in folders]
        for old, new in zip(before, after, strict=True):
            assert new.serial_number != old.serial_number
            assert new.subject == old.subject
            assert (new.public_key() == old.public_key()) is not new_key
        if not node.startswith("chaincode"):  # chaincode asks its clients for a certificate first
            assert served(network, node) == after[-1].serial_number
        if node.startswith("orderer"):
            signcert = network.state / "crypto" / folders[0] / "cert.pem"
            assert (signcert.read_bytes() in consenters(network)) is new_key
        if node.startswith("peer") and network.runtime == "native":
            client = (network.state / "crypto/DistrictA/peer0/chaincode/cert.pem").read_text()
            assert dialled_with(network, node) == {client}
        assert asyncio.run(written(network, node))
    assert network.status()["state"] == "up"


def short_lived(network: Network, days: int) -> None:
    """Users' certificates are to end within so many days."""
    topology = reader.load(network.topology)
    lifetimes = replace(topology.lifetimes, users_days=days)
    network.topology.write_text(writer.text(replace(topology, lifetimes=lifetimes)))


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
def test_only_what_ends_soon_is_renewed_and_users_stop_nobody(fresh_network: Network) -> None:
    network = fresh_network
    short_lived(network, 20)
    network.run("up")
    running = pids(network)
    admin, node = (
        certificate(network, each) for each in ("DSO/users/admin", "DSO/peer0/msp/signcerts")
    )
    assert "renewed 0 certificates" in network.run("cert renew", "--within", "10").stdout
    said = network.run("cert renew").stdout
    assert "DSO/users/admin" in said
    assert certificate(network, "DSO/users/admin").serial_number != admin.serial_number
    assert certificate(network, "DSO/peer0/msp/signcerts") == node
    assert pids(network) == running
    assert asyncio.run(written(network, "k"))


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
def test_a_network_that_is_down_gets_new_files_and_comes_up_with_them(
    fresh_network: Network,
) -> None:
    network = fresh_network
    network.run("up")
    network.run("down")
    keys = _keys(network.state / "crypto")
    before = certificate(network, "DSO/orderer0/msp/signcerts")
    refused = network.run("cert renew", "--node", "orderer0.dso.ped", "--new-key", check=False)
    assert refused.returncode == 1
    assert "fix: ped-network up" in refused.stderr
    network.run("cert renew", "--within", "3000")
    assert certificate(network, "DSO/orderer0/msp/signcerts") != before
    assert _keys(network.state / "crypto") == keys
    network.run("up")
    assert asyncio.run(written(network, "k"))


def _keys(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("key.pem")}
