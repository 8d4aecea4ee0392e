# SPDX-License-Identifier: Apache-2.0
"""Other shapes than the reference: Raft, a member without an orderer, a member with its own CA."""

import re
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
    grown = grown.replace("[registry, metering]", "[registry, metering, second]")
    network.topology.write_text(f"{grown.rstrip()}\n{second}\n")

    assert "agreed on second" in network.run("up").stdout

    async with await profile.connect(network.profile("DSO")) as gateway:
        contract = gateway.network(CHANNEL).contract("second")
        await contract.submit("Put", "k", "on the new definition")
        assert await contract.evaluate("Get", "k") == b"on the new definition"
    assert "second" in (network.state / "consortium.yaml").read_text()
    assert "run already" in network.run("up").stdout
