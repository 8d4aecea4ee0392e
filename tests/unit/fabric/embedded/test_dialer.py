# SPDX-License-Identifier: Apache-2.0
"""Goal: chaincode is dialled by TLS as a real peer dials it. Method: a chaincode server that
demands certificates, and a package whose connection.json is templates."""

import datetime
import io
import json
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.admin.authority import Authority, Credential
from pedchain_fabric.embedded.chaincode import package
from pedchain_fabric.embedded.chaincode.dialer import DialFailed, connect
from pedchain_fabric.embedded.chaincode.package import Connection, Package, PackageRefused
from pedchain_fabric.shim import Contract, Tls
from pedchain_fabric.shim import Package as Served
from pedchain_fabric.shim.server import Listener

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
TEMPLATE = {
    "address": "{{.slot0}}",
    "dial_timeout": "2s",
    "tls_required": True,
    "client_auth_required": True,
    "root_cert": "{{.root_cert}}",
    "client_key": "{{.client_key}}",
    "client_cert": "{{.client_cert}}",
}


class Empty(Contract):
    """Has nothing to say."""

    name = "empty"


@dataclass(frozen=True)
class Side:
    """A CA and a certificate for this host by it."""

    authority: bytes
    leaf: Credential


def side(name: str, host: str = "127.0.0.1") -> Side:
    authority = Authority.create(f"ca.{name}", name, NOW, days=2)
    return Side(authority.credential.certificate, authority.tls(name, name, [host], days=1))


@pytest.fixture(scope="module")
def server_side() -> Side:
    return side("server")


@pytest.fixture(scope="module")
def peer_side() -> Side:
    return side("peer")


@pytest.fixture
async def address(server_side: Side, peer_side: Side) -> AsyncIterator[str]:
    """A chaincode server that only takes the peer's CA's clients."""
    tls = Tls(server_side.leaf.certificate, server_side.leaf.key, peer_side.authority)
    listener = Listener(Served("empty:1", "127.0.0.1:0", [Empty()], tls=tls))
    yield await listener.start()
    await listener.stop()


def values(address: str, server: Side, peer: Side) -> dict[str, str]:
    return {
        "slot0": address,
        "root_cert": server.authority.decode(),
        "client_key": peer.leaf.key.decode(),
        "client_cert": peer.leaf.certificate.decode(),
    }


def connection(given: dict[str, str], **changes: Any) -> Connection:
    """What the peer makes of the package."""
    content = json.dumps(TEMPLATE | changes).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("connection.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return package.connection(Package("ccaas", "empty", archive.getvalue()), given)


async def registered(made: Connection) -> ChaincodeMessage | None:
    """The first thing the chaincode says. Raises DialFailed."""
    async with connect("empty:1", made) as stream:
        return await stream.read()


async def test_both_show_their_certificates(
    address: str, server_side: Side, peer_side: Side
) -> None:
    said = await registered(connection(values(address, server_side, peer_side)))
    assert said is not None
    assert said.type == ChaincodeMessage.REGISTER


async def test_a_server_of_another_ca_is_not_believed(
    address: str, server_side: Side, peer_side: Side
) -> None:
    given = values(address, side("other"), peer_side)
    with pytest.raises(DialFailed, match="context deadline exceeded"):
        await registered(connection(given, dial_timeout="300ms"))


async def test_a_peer_of_another_ca_is_not_served(
    address: str, server_side: Side, peer_side: Side
) -> None:
    given = values(address, server_side, side("other"))
    with pytest.raises(DialFailed):
        await registered(connection(given, dial_timeout="300ms"))


async def test_a_peer_without_certificate_is_not_served(
    address: str, server_side: Side, peer_side: Side
) -> None:
    given = values(address, server_side, peer_side)
    with pytest.raises(DialFailed):
        await registered(connection(given, client_auth_required=False, dial_timeout="300ms"))


async def test_a_server_is_asked_for_the_name_it_is_dialled_by(
    server_side: Side, peer_side: Side
) -> None:
    elsewhere = side("server", host="elsewhere.example")
    tls = Tls(elsewhere.leaf.certificate, elsewhere.leaf.key, peer_side.authority)
    listener = Listener(Served("empty:1", "127.0.0.1:0", [Empty()], tls=tls))
    given = values(await listener.start(), elsewhere, peer_side)
    try:
        with pytest.raises(DialFailed):
            await registered(connection(given, dial_timeout="300ms"))
    finally:
        await listener.stop()


def test_without_client_authentication_nothing_of_the_peer_is_shown(
    server_side: Side, peer_side: Side
) -> None:
    given = values("127.0.0.1:1", server_side, peer_side)
    made = connection(given, client_auth_required=False)
    assert (made.client_key, made.client_cert) == (None, None)


def test_every_template_is_filled_in_needed_or_not(server_side: Side, peer_side: Side) -> None:
    given = values("127.0.0.1:1", server_side, peer_side)
    del given["client_key"]
    with pytest.raises(PackageRefused, match="client_key"):
        connection(given, client_auth_required=False)
