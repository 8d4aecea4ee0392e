# SPDX-License-Identifier: Apache-2.0
"""The process's configuration: which peers and orderers it plays, their keys and addresses."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LONGEST_S = 1e9
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,250}")


class ConfigError(Exception):
    """The configuration file cannot be used; the message names the field."""


@dataclass(frozen=True, slots=True)
class Address:
    """A loopback host and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM bytes of a server's certificate and key; `client_ca` demands client certificates."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """One peer. `chaincode_config` fills the templates of connection.json, as
    CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG does for a real peer. With `user_runs_chaincode` chaincode
    may dial the peer and register unasked (Fabric's --peer-chaincodedev).
    """

    name: str
    msp_id: str
    msp_dir: Path
    listen: Address
    tls: TlsFiles
    operations: Address | None
    chaincode_config: Mapping[str, str]
    execute_timeout_s: float | None
    user_runs_chaincode: bool
    chaincode_keepalive_s: float


@dataclass(frozen=True, slots=True)
class OrdererConfig:
    """One orderer; `admin_listen` is the participation API, mutual TLS by `admin_client_ca`."""

    name: str
    msp_id: str
    msp_dir: Path
    listen: Address
    tls: TlsFiles
    admin_listen: Address
    admin_client_ca: bytes | None
    operations: Address | None


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Everything the process plays; `data_dir` None keeps all in memory."""

    data_dir: Path | None
    peers: tuple[PeerConfig, ...]
    orderers: tuple[OrdererConfig, ...]


def load(path: Path) -> NetworkConfig:
    """Reads CONFIG.json; relative paths are relative to the file. Raises ConfigError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot read {path.name}: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError("the configuration must be a JSON object")
    return parse(document, path.parent)


def parse(document: Mapping[str, Any], base: Path) -> NetworkConfig:
    """The configuration from its JSON object. Raises ConfigError naming the field at fault."""
    data_dir = document.get("data_dir")
    config = NetworkConfig(
        data_dir=None if data_dir is None else base / str(data_dir),
        peers=tuple(_peer(_Fields(p, f"peers[{i}]", base)) for i, p in _items(document, "peers")),
        orderers=tuple(
            _orderer(_Fields(o, f"orderers[{i}]", base)) for i, o in _items(document, "orderers")
        ),
    )
    _refuse_duplicates(config)
    return config


def _items(document: Mapping[str, Any], name: str) -> list[tuple[int, Mapping[str, Any]]]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ConfigError(f"{name} must be an array of objects")
    return list(enumerate(value))


def _refuse_duplicates(config: NetworkConfig) -> None:
    nodes: list[PeerConfig | OrdererConfig] = [*config.peers, *config.orderers]
    names = [node.name for node in nodes]
    listens = [node.listen for node in nodes]
    listens += [orderer.admin_listen for orderer in config.orderers]
    listens += [node.operations for node in nodes if node.operations is not None]
    used = [address for address in listens if address.port != 0]
    for what, values in (("name", names), ("address", used)):
        if len(set(values)) != len(values):
            raise ConfigError(f"two nodes share one {what}")


def _peer(fields: "_Fields") -> PeerConfig:
    return PeerConfig(
        name=fields.name(),
        msp_id=fields.text("msp_id"),
        msp_dir=fields.path("msp_dir"),
        listen=fields.address("listen"),
        tls=fields.tls(),
        operations=fields.optional_address("operations"),
        chaincode_config=fields.texts("chaincode_config"),
        execute_timeout_s=fields.seconds("execute_timeout_s"),
        user_runs_chaincode=bool(fields.value.get("user_runs_chaincode", False)),
        chaincode_keepalive_s=fields.seconds("chaincode_keepalive_s") or 0.0,
    )


def _orderer(fields: "_Fields") -> OrdererConfig:
    client_ca = fields.value.get("admin_client_ca")
    return OrdererConfig(
        name=fields.name(),
        msp_id=fields.text("msp_id"),
        msp_dir=fields.path("msp_dir"),
        listen=fields.address("listen"),
        tls=fields.tls(),
        admin_listen=fields.address("admin_listen"),
        admin_client_ca=None if client_ca is None else fields.read(str(client_ca)),
        operations=fields.optional_address("operations"),
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    """One node's object, and where it stands for the error messages."""

    value: Mapping[str, Any]
    where: str
    base: Path

    def text(self, name: str) -> str:
        value = self.value.get(name)
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{self.where}.{name} must be a text")
        return value

    def name(self) -> str:
        """A node's name is also its folder's."""
        name = self.text("name")
        if not _NODE.fullmatch(name):
            raise ConfigError(f"{self.where}.name may hold letters, digits and ._- only")
        return name

    def texts(self, name: str) -> Mapping[str, str]:
        value = self.value.get(name) or {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ConfigError(f"{self.where}.{name} must be an object of texts")
        return dict(value)

    def seconds(self, name: str) -> float | None:
        """A duration, None where none is given."""
        value = self.value.get(name)
        if value is None:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value <= _LONGEST_S:
            raise ConfigError(f"{self.where}.{name} must be a number of seconds")
        return float(value)

    def path(self, name: str) -> Path:
        return self.base / self.text(name)

    def read(self, name: str) -> bytes:
        try:
            return (self.base / name).read_bytes()
        except OSError as error:
            raise ConfigError(f"{self.where}: cannot read {name}: {error.strerror}") from error

    def address(self, name: str) -> Address:
        return loopback(self.text(name), f"{self.where}.{name}")

    def optional_address(self, name: str) -> Address | None:
        return None if self.value.get(name) is None else self.address(name)

    def tls(self) -> TlsFiles:
        value = self.value.get("tls")
        if not isinstance(value, dict):
            raise ConfigError(f"{self.where}.tls must be an object")
        inner = _Fields(value, f"{self.where}.tls", self.base)
        client_ca = value.get("client_ca")
        return TlsFiles(
            certificate=self.read(inner.text("certificate")),
            key=self.read(inner.text("key")),
            client_ca=None if client_ca is None else self.read(str(client_ca)),
        )


def loopback(text: str, where: str) -> Address:
    """Parses `host:port`. The embedded network is for one machine: anything but loopback fails."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"{where}: {text!r} is not host:port")
    if host == "localhost":
        return Address("127.0.0.1", int(port))
    try:
        is_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(f"{where}: {text!r} is not a loopback address; embedded serves no other")
    return Address(host, int(port))
