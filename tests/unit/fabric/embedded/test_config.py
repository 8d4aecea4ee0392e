# SPDX-License-Identifier: Apache-2.0
"""What the process refuses to be started with."""

import json
from pathlib import Path
from typing import Any

import pytest

from pedchain_fabric.embedded.config import Address, ConfigError, NetworkConfig, load, parse

NOTHING: dict[str, Any] = {"data_dir": None, "peers": [], "orderers": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cert.pem", "key.pem", "ca.pem"):
        (tmp_path / name).write_text(name)
    return tmp_path


def peer(**changes: Any) -> dict[str, Any]:
    tls = {"certificate": "cert.pem", "key": "key.pem", "client_ca": None}
    return {
        "name": "peer0.a",
        "msp_id": "AMSP",
        "msp_dir": "msp",
        "listen": "127.0.0.1:7051",
        "tls": tls,
        "operations": "127.0.0.1:9443",
        "chaincode_config": {"notes": "127.0.0.1:9999"},
    } | changes


def orderer(**changes: Any) -> dict[str, Any]:
    node = peer(name="orderer0.a", listen="127.0.0.1:7050", operations=None)
    return node | {"admin_listen": "127.0.0.1:7053", "admin_client_ca": "ca.pem"} | changes


def read(folder: Path, *peers: dict[str, Any], orderers: Any = ()) -> NetworkConfig:
    return parse({"peers": list(peers), "orderers": list(orderers)}, folder)


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({"data_dir": "data", "peers": [peer()], "orderers": [orderer()]}))
    config = load(path)
    assert config.data_dir == folder / "data"
    assert config.peers[0].msp_dir == folder / "msp"
    assert config.peers[0].tls.key == b"key.pem"
    assert config.orderers[0].admin_client_ca == b"ca.pem"
    assert config.orderers[0].operations is None


def test_without_data_dir_everything_is_in_memory(folder: Path) -> None:
    assert parse(NOTHING, folder).data_dir is None


@pytest.mark.parametrize("field", ["listen", "operations"])
@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "[::]", "example.org", ""])
def test_only_loopback_is_served(folder: Path, field: str, host: str) -> None:
    with pytest.raises(ConfigError, match=rf"peers\[0\].{field}.*not a loopback address"):
        read(folder, peer(**{field: f"{host}:7051"}))


def test_the_admin_interface_too_is_on_loopback_only(folder: Path) -> None:
    with pytest.raises(ConfigError, match="admin_listen"):
        read(folder, orderers=[orderer(admin_listen="10.0.0.1:7053")])


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:-1"])
def test_an_address_has_a_port(folder: Path, address: str) -> None:
    with pytest.raises(ConfigError, match="is not host:port"):
        read(folder, peer(listen=address))


def test_localhost_and_ipv6_loopback_are_loopback(folder: Path) -> None:
    config = read(folder, peer(listen="localhost:1", operations="[::1]:2"))
    assert config.peers[0].listen == Address("127.0.0.1", 1)
    assert str(config.peers[0].operations) == "[::1]:2"


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (peer(), peer(listen="127.0.0.1:2", operations=None), "name"),
        (peer(), peer(name="peer1.a", operations=None), "address"),
        (peer(), peer(name="peer1.a", listen="127.0.0.1:9443", operations=None), "address"),
    ],
)
def test_two_nodes_share_nothing(
    folder: Path, first: dict[str, Any], second: dict[str, Any], what: str
) -> None:
    with pytest.raises(ConfigError, match=f"two nodes share one {what}"):
        read(folder, first, second)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": ""}, "name must be a text"),
        ({"name": "../../peer"}, "name may hold"),
        ({"msp_id": 3}, "msp_id must be a text"),
        ({"tls": None}, "tls must be an object"),
        ({"tls": {"certificate": "none.pem", "key": "key.pem"}}, "cannot read none.pem"),
        ({"chaincode_config": {"notes": 1}}, "chaincode_config must be an object of texts"),
    ],
)
def test_a_wrong_field_is_named(folder: Path, change: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=rf"peers\[0\].*{text}"):
        read(folder, peer(**change))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"peers": 1}', '{"orderers": [1]}'])
def test_what_is_no_configuration_is_refused(folder: Path, text: str) -> None:
    path = folder / "config.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load(path)


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read none\.json"):
        load(tmp_path / "none.json")
