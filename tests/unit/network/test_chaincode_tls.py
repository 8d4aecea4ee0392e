# SPDX-License-Identifier: Apache-2.0
"""Goal: a chaincode server answers its own organisation's peer and nobody else.
Method: the shim's server with the files a topology names, dialled with several certificates."""

import io
import json
import os
import tarfile
from pathlib import Path

import grpc
import grpc.aio
import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.embedded.chaincode.package import connection, parse
from pedchain_fabric.shim import Contract, Package, Server, Tls
from pedchain_network.pki import crypto
from pedchain_network.runtimes import parts
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology

OPEN = "/protos.Chaincode/Connect"


class Quiet(Contract):
    """Answers nothing of its own."""

    name = "quiet"


@pytest.fixture(scope="module")
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture(scope="module")
def root(topology: Topology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("crypto")
    crypto.create(root, topology)
    return root


def material(topology: Topology, root: Path) -> Tls:
    """What `ped-network` names to the DSO's chaincode server."""
    node = topology.servers()[0]
    owned = crypto.of(root, node.member)
    told = parts.tls_environment(owned.tls(node), owned.authority("tlsca"))
    tls = Tls.from_environment({**os.environ, **told})
    assert tls is not None
    return tls


def credentials(
    topology: Topology, root: Path, organization: str, *, shows: bool = True
) -> grpc.ChannelCredentials:
    """What a peer's builder is told, as the peer dials with it."""
    peer = topology.node("peer", topology.by_name(organization))
    own = parts.builder_config(topology, root, peer)
    roots = parts.builder_config(topology, root, topology.peers()[0])["root_cert"].encode()
    if not shows:
        return grpc.ssl_channel_credentials(roots)
    return grpc.ssl_channel_credentials(
        roots, own["client_key"].encode(), own["client_cert"].encode()
    )


async def first_word(address: str, dialled: grpc.ChannelCredentials) -> str:
    async with grpc.aio.secure_channel(address, dialled) as channel:
        method = channel.stream_stream(
            OPEN,
            request_serializer=ChaincodeMessage.SerializeToString,
            response_deserializer=ChaincodeMessage.FromString,
        )
        call = method(timeout=10)
        said = await call.read()
        assert isinstance(said, ChaincodeMessage)
        return ChaincodeMessage.Type.Name(said.type)


async def test_only_the_own_peer_is_answered(topology: Topology, root: Path) -> None:
    served = Package("quiet:1", "127.0.0.1:0", [Quiet()], tls=material(topology, root))
    async with Server([served]) as server:
        address = server.addresses[0]
        assert await first_word(address, credentials(topology, root, "DSO")) == "REGISTER"
        for stranger in (
            credentials(topology, root, "DSO", shows=False),
            credentials(topology, root, "DistrictA"),
        ):
            with pytest.raises(grpc.aio.AioRpcError):
                await first_word(address, stranger)


def test_one_package_for_all_demands_mutual_tls(topology: Topology) -> None:
    package = parts.package_of(topology, "metering")
    with tarfile.open(fileobj=io.BytesIO(parse(package.content).code)) as archive:
        file = archive.extractfile("connection.json")
        assert file is not None
        document = json.load(file)
    assert document["tls_required"] is True
    assert document["client_auth_required"] is True
    assert document["address"] == "{{.slot1}}"
    assert "PRIVATE" not in json.dumps(document)


def test_every_peer_fills_the_package_with_its_own_address_and_certificates(
    topology: Topology, root: Path
) -> None:
    package = parse(parts.package_of(topology, "metering").content)
    filled = [
        connection(package, parts.builder_config(topology, root, peer)) for peer in topology.peers()
    ]
    assert [each.address for each in filled] == [
        f"127.0.0.1:{base + 31}" for base in (7050, 7150, 7250, 7350)
    ]
    assert len({each.client_cert for each in filled}) == 4
    assert all(each.root_cert and b"\n" in each.root_cert for each in filled)


def test_a_peer_knows_the_address_of_packages_to_come(topology: Topology, root: Path) -> None:
    told = parts.builder_config(topology, root, topology.peers()[0])
    assert [told[f"slot{number}"] for number in (0, 19)] == ["127.0.0.1:7080", "127.0.0.1:7099"]
