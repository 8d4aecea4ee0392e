# SPDX-License-Identifier: Apache-2.0
"""Chaincode packages: their metadata, and where the chaincode they name is served.

Source: core/chaincode/persistence/chaincode_package.go (form and refusals), ccaas_builder
(connection.json as templates), core/container/externalbuilder/instance.go (what it may say).
"""

import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedchain_fabric.embedded import limits
from pedchain_fabric.wire.durations import seconds

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_FIELD = re.compile(r"\{\{-?\s*\.([A-Za-z_][A-Za-z0-9_]*)\s*-?\}\}")


class PackageRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The package cannot be installed, or its chaincode cannot be reached."""


@dataclass(frozen=True, slots=True)
class Package:
    """A chaincode package taken apart; `code` is the inner code.tar.gz."""

    type: str
    label: str
    code: bytes


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a chaincode server listens and how to dial it. Certificates and keys are PEM."""

    address: str
    dial_timeout_s: float
    root_cert: bytes | None
    client_key: bytes | None
    client_cert: bytes | None


def parse(source: bytes) -> Package:
    """Takes a package apart. Raises PackageRefused with Fabric's text."""
    metadata: dict[str, Any] | None = None
    code: bytes | None = None
    for name, content in _members(source):
        if name == "metadata.json":
            metadata = _json(content, "metadata.json")
        elif name == "code.tar.gz":
            code = content
    if code is None:
        raise PackageRefused("did not find a code package inside the package")
    if metadata is None:
        raise PackageRefused("did not find any package metadata (missing metadata.json)")
    label = str(metadata.get("label", ""))
    if not _LABEL.fullmatch(label):
        raise PackageRefused(
            f"invalid label '{label}'. Label must be non-empty, can only consist of alphanumerics, "
            "symbols from '.+-_', and can only begin with alphanumerics"
        )
    return Package(str(metadata.get("type", "")), label, code)


def connection(package: Package, values: Mapping[str, str]) -> Connection:
    """What the ccaas builder makes of connection.json. Raises PackageRefused."""
    if package.type.lower() != "ccaas":
        raise PackageRefused("no DockerBuilder, cannot build")
    document = dict(_members(package.code)).get("connection.json")
    if document is None:
        raise PackageRefused(_builder("connection.json not found "))
    return _connection(_Fields(_json(document, "connection.json"), values))


def _connection(fields: "_Fields") -> Connection:
    address = fields.text("address")
    if not address:
        raise PackageRefused("chaincode address not provided")
    try:
        timeout = seconds(fields.text("dial_timeout")) or limits.DIAL_TIMEOUT_S
    except ValueError as error:
        raise PackageRefused(f"malformed chaincode info: {error}") from error
    if not fields.flag("tls_required"):
        return Connection(address, timeout, None, None, None)
    # The builder fills in all three, needed or not.
    root, key, cert = (fields.text(name) for name in ("root_cert", "client_key", "client_cert"))
    shows_itself = fields.flag("client_auth_required")
    for missing, what in ((shows_itself and not key, "key"), (shows_itself and not cert, "cert")):
        if missing:
            raise PackageRefused(f"chaincode tls {what} not provided")
    if not root:
        raise PackageRefused("chaincode tls root cert not provided")
    if not shows_itself:
        return Connection(address, timeout, root.encode(), None, None)
    return Connection(address, timeout, root.encode(), key.encode(), cert.encode())


@dataclass(frozen=True, slots=True)
class _Fields:
    """connection.json, its texts being templates over the peer's values."""

    document: Mapping[str, Any]
    values: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.document.get(name, "")
        if not isinstance(value, str):
            raise PackageRefused(_builder(f"{name} must be a text"))
        return _FIELD.sub(self._value, value)

    def _value(self, match: re.Match[str]) -> str:
        if match[1] not in self.values:
            raise PackageRefused(_builder(f'map has no entry for key "{match[1]}"'))
        return self.values[match[1]]

    def flag(self, name: str) -> bool:
        value = self.document.get(name, False)
        if not isinstance(value, bool):
            raise PackageRefused(_builder(f"{name} must be true or false"))
        return value


def _builder(reason: str) -> str:
    return (
        "external builder failed: external builder failed to build: "
        f"external builder 'ccaas' failed: {reason}"
    )


def _json(content: bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PackageRefused(f"could not unmarshal {name} as json: {error}") from error
    if not isinstance(document, dict):
        raise PackageRefused(f"could not unmarshal {name} as json: not an object")
    return document


def _members(source: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a gzipped tar, bounded in size. Only regular files are allowed."""
    if source[:2] != b"\x1f\x8b":
        raise PackageRefused("error reading as gzip stream: gzip: invalid header")
    try:
        with tarfile.open(fileobj=io.BytesIO(_unpacked(source)), mode="r:") as archive:
            for member in archive:
                # A sparse file is regular to tarfile, and its holes may be larger than memory.
                if not member.isreg() or member.issparse():
                    raise PackageRefused(
                        f"tar entry {member.name} is not a regular file, type {ord(member.type):d}"
                    )
                file = archive.extractfile(member)
                yield member.name, b"" if file is None else file.read()
    except tarfile.TarError as error:
        raise PackageRefused(f"error inspecting next tar header: {error}") from error


def _unpacked(source: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(source, limits.MAX_PACKAGE_UNPACKED_BYTES)
    except zlib.error as error:
        raise PackageRefused(f"error reading as gzip stream: {error}") from error
    if not unpacker.eof:
        raise PackageRefused("error reading as gzip stream: unexpected EOF")
    return data
