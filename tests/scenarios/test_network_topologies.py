# SPDX-License-Identifier: Apache-2.0
"""Other shapes than the reference: Raft, a member without an orderer, a member with its own CA,
nodes that listen beyond loopback."""

import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedchain_fabric.client import profile
from pedchain_network.topology import reader
from tests.ownca import OwnCa, answer
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network

CHANNEL = "ped"


@pytest.fixture(scope="module", params=RUNTIMES)
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    directory = tmp_path_factory.mktemp("shapes")
    shape = directory / "shape.yaml"
    shape.write_text(other(reader.reference().read_text()))
    with make_network(request.param, directory, NOTES, shape) as made:
        yield made


def other(text: str) -> str:
    """Three orderers under Raft; the aggregator has none; DistrictB signs for itself."""
    text = text.replace("ports: 7250}", "ports: 7250, own_ca: true}")
    text = text.replace("ports: 7350}", "ports: 7350, orderer: false}")
    ordering = "ordering: {consensus: raft, faults: 1, batch_interval_ms: 50, batch_messages: 500}"
    return re.sub(r"ordering: .*?\n\n", f"{ordering}\n\n", text, flags=re.DOTALL)


@pytest.mark.serial
async def test_a_member_with_its_own_ca_orders_and_endorses_under_raft(
    network: Network, tmp_path: Path
) -> None:
    refused = network.run("up", check=False)
    assert refused.returncode == 1
    assert "DistrictB signs its own certificates" in refused.stderr
    asked, answers = str(tmp_path / "csr"), str(tmp_path / "answers")
    network.run("org csr", "--organization", "DistrictB", "--out", asked)
    answer(Path(asked), Path(answers), OwnCa("members"), OwnCa("tls"))
    network.run("org csr", "--organization", "DistrictB", "--answers", answers)

    assert "4 peers and 3 orderers" in network.run("up").stdout

    secret = {"text": b"of the district with its own CA"}
    async with await profile.connect(network.profile("DistrictB")) as gateway:
        contract = gateway.network(CHANNEL).contract("metering-DistrictB")
        await contract.submit("PutPrivate", "readings", "k", transient=secret)
        kept = await contract.evaluate("GetPrivate", "readings", "k")
    assert kept == secret["text"]


async def test_up_deploys_what_a_topology_has_more(network: Network) -> None:
    """After the scenario above: another package, and a definition on it."""
    network.run("up")
    grown = network.topology.read_text()
    first = grown[grown.index("  - name: registry") :].partition("\n\n")[0]
    second = first.replace("registry", "second")
    grown = grown.replace("metering, settlement]", "metering, settlement, second]")
    network.topology.write_text(f"{grown.rstrip()}\n{second}\n")

    assert "agreed on second" in network.run("up").stdout

    async with await profile.connect(network.profile("DSO")) as gateway:
        contract = gateway.network(CHANNEL).contract("second")
        await contract.submit("Put", "k", "on the new definition")
        assert await contract.evaluate("Get", "k") == b"on the new definition"
    assert "second" in (network.state / "consortium.yaml").read_text()
    assert "run already" in network.run("up").stdout


@pytest.mark.parametrize("new_key", [False, True], ids=["same-key", "new-key"])
async def test_a_raft_orderers_certificate_is_renewed(network: Network, new_key: bool) -> None:
    """After the scenarios above. A new key is a change of the channel, one consenter at a time."""
    node = "orderer0.dso.ped"
    said = network.run("cert renew", "--node", node, *(("--new-key",) if new_key else ())).stdout
    assert f"{node} takes part again" in said
    async with await profile.connect(network.profile("DSO")) as gateway:
        contract = gateway.network(CHANNEL).contract("registry")
        await contract.submit("Put", "renewed", str(new_key))
        assert await contract.evaluate("Get", "renewed") == str(new_key).encode()
    assert network.status()["state"] == "up"


# --- beyond loopback ---


def own_address() -> str:
    """This machine's address towards others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


@pytest.mark.serial
@pytest.mark.native
@pytest.mark.timeout(300)
async def test_nodes_listen_where_the_topology_says_and_there_by_tls_only(tmp_path: Path) -> None:
    """Embedded nodes are for loopback alone."""
    host = own_address()
    shape = tmp_path / "wide.yaml"
    text = reader.reference().read_text().replace("host: 127.0.0.1 ", f"host: {host} ")
    for name in ("DSO", "DistrictA", "DistrictB", "Aggregator"):
        text = re.sub(rf"name: {name},", f'name: {name}, listen: "0.0.0.0",', text)
    shape.write_text(text)
    with make_network("native", tmp_path, NOTES, shape) as network:
        network.run("up")
        assert network.status()["state"] == "up"
        told = network.run("doctor", check=False).stdout
        assert "fail" not in told, told
        async with await profile.connect(network.profile("DistrictA")) as gateway:
            contract = gateway.network(CHANNEL).contract("registry")
            await contract.submit("Put", "k", "from outside")
        topology = reader.load(network.topology)
        for node in (topology.peers()[0], topology.orderers()[0]):
            refuses_strangers(topology.address(node, "operations"))
            assert topology.address(node).startswith(f"{host}:")


def refuses_strangers(address: str) -> None:
    """Metrics are for whoever shows a certificate of the organisation."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for scheme, code in (("http", 400), ("https", 401)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{scheme}://{address}/metrics", timeout=5, context=context)
        refused.value.close()
        assert refused.value.code == code
