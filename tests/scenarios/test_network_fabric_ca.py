# SPDX-License-Identifier: Apache-2.0
"""An organisation whose certificates a real Fabric CA signs, step by step as the admin's guide says
(docs/admin/certificates.md)."""

import re
from pathlib import Path

import pytest

from pedchain_fabric.client import profile
from pedchain_network.topology import reader
from tests import ports
from tests.fabricca import FabricCa, binary, both
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import NOTES
from tests.scenarios.harness import network as make_network

ASKED = re.compile(
    r"(\S+): (?:identity, OU (\w+), CN [^\s,]+(?:, attribute (\S+))?|TLS server and client, )"
)

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        binary("fabric-ca-server") is None or binary("fabric-ca-client") is None,
        reason="no fabric-ca-server and fabric-ca-client in FABRIC_HOME/bin or on PATH",
    ),
]


@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_a_member_with_a_fabric_ca_orders_and_endorses(runtime: str, tmp_path: Path) -> None:
    shape = tmp_path / "shape.yaml"
    text = reader.reference().read_text()
    shape.write_text(text.replace("ports: 7250}", "ports: 7250, own_ca: true}"))
    asked, answers = tmp_path / "requests", tmp_path / "answers"
    answers.mkdir()
    with (
        ports.free() as base,
        both(tmp_path / "fabric-ca", base) as (members, tls),
        make_network(runtime, tmp_path, NOTES, shape) as network,
    ):
        given = ("--organization", "DistrictB", "--topology", str(network.topology))
        said = network.run("org csr", *given, "--out", str(asked)).stdout
        count = _signed(said, asked, answers, members, tls)
        assert count == len(list(asked.glob("*.csr")))
        (answers / "ca.pem").write_bytes(members.roots())
        (answers / "tlsca.pem").write_bytes(tls.roots())
        network.run("org csr", *given, "--answers", str(answers))

        network.run("up")

        async with await profile.connect(network.profile("DistrictB")) as gateway:
            contract = gateway.network("ped").contract("registry")
            await contract.submit("Put", "k", "by a member of a Fabric CA")
            assert await contract.evaluate("Get", "k") == b"by a member of a Fabric CA"
        assert network.status()["state"] == "up"


def _signed(said: str, asked: Path, answers: Path, members: FabricCa, tls: FabricCa) -> int:
    """Every request signed as its line asks; how many there were."""
    found = [match for line in said.splitlines() if (match := ASKED.search(line))]
    for match in found:
        title, role, told = match.groups()
        request = (asked / f"{title}.csr").read_bytes()
        if role:
            answer = members.sign(request, role, attributes=f'"{told}:ecert"' if told else "")
        else:
            answer = tls.sign(request, "client", profile="tls")
        (answers / f"{title}.pem").write_bytes(answer)
    return len(found)
