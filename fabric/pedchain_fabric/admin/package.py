# SPDX-License-Identifier: Apache-2.0
"""Packages of chaincode that runs as a service: an address, no code.

The same label gives the same bytes and so the same id everywhere, computed without a peer; each
peer fills in its own address (`CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG`).
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from pedchain_fabric.admin.gzipfile import store
from pedchain_fabric.admin.limits import PACKAGE_BYTES

# persistence/chaincode_package.go, LabelRegexp
_LABEL = re.compile(r"[a-zA-Z0-9]+([.+\-_][a-zA-Z0-9]+)*")
# A name a Go template can look up after a dot.
_FIELD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

TLS_FIELDS = ("root_cert", "client_key", "client_cert")
"""What a peer's configuration holds besides addresses, if its chaincode is served with TLS."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installable package: its label and its bytes."""

    label: str
    content: bytes

    @property
    def id(self) -> str:
        """What peers call it: `label:sha256` (persistence.PackageID)."""
        return f"{self.label}:{hashlib.sha256(self.content).hexdigest()}"


def service_package(
    label: str, field: str = "", *, tls: bool = False, dial_timeout: str = "10s"
) -> Package:
    """The package of the chaincode server whose address each peer's configuration holds as
    `field` (default: the label).

    With `tls` peers and server show each other certificates: the configuration holds `root_cert`,
    `client_key` and `client_cert` too, as PEM. Raises `ValueError` if the label is none Fabric
    takes, or the field none that a template can look up.
    """
    name = field or label
    if not (_LABEL.fullmatch(label) and _FIELD.fullmatch(name)) or name in TLS_FIELDS:
        raise ValueError(f"{label!r} is no package label: letters, digits and single _ only")
    connection: dict[str, object] = {
        "address": _template(name),
        "dial_timeout": dial_timeout,
        "tls_required": tls,
    }
    if tls:
        connection["client_auth_required"] = True
        connection |= {each: _template(each) for each in TLS_FIELDS}
    code = _tgz({"connection.json": _json(connection)})
    content = _tgz({"metadata.json": _json({"type": "ccaas", "label": label}), "code.tar.gz": code})
    if len(content) > PACKAGE_BYTES:
        raise ValueError(f"the package of {label!r} is larger than {PACKAGE_BYTES} bytes")
    return Package(label, content)


def _tgz(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar of `files` in their order, without time, owner or umask."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return store(archive.getvalue())


def _template(field: str) -> str:
    return f"{{{{.{field}}}}}"


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
