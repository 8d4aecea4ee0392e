# SPDX-License-Identifier: Apache-2.0
"""Chaincode packages: what may be installed, and what connection.json may say."""

import gzip
import io
import json
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.chaincode.package import PackageRefused, connection, parse

VALUES = {"notes": "127.0.0.1:9999", "ca": "PEM"}


def archive(files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    """The same bytes at any time: they are in names of tests, which workers must agree on."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.type = kind
            member.size = len(content) if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def code(**changes: Any) -> bytes:
    document = {"address": "{{.notes}}", "dial_timeout": "10s", "tls_required": False} | changes
    return archive({"connection.json": json.dumps(document).encode()})


def package(inner: bytes | None = None, **metadata: Any) -> bytes:
    described = {"type": "ccaas", "label": "notes"} | metadata
    content = code() if inner is None else inner
    return archive({"metadata.json": json.dumps(described).encode(), "code.tar.gz": content})


def test_the_address_comes_from_the_peers_values() -> None:
    found = connection(parse(package()), VALUES)
    assert (found.address, found.dial_timeout_s) == ("127.0.0.1:9999", 10.0)
    assert found.root_cert is None


@pytest.mark.parametrize("text", ["{{ .notes }}", "{{- .notes -}}", "127.0.0.1:9999"])
def test_templates_may_have_spaces_or_be_plain_text(text: str) -> None:
    assert connection(parse(package(code(address=text))), VALUES).address == "127.0.0.1:9999"


def test_tls_material_is_a_template_too() -> None:
    inner = code(tls_required=True, root_cert="{{.ca}}")
    assert connection(parse(package(inner)), VALUES).root_cert == b"PEM"


def test_client_authentication_needs_key_and_certificate() -> None:
    inner = code(
        tls_required=True, client_auth_required=True, root_cert="r", client_key="k", client_cert="c"
    )
    found = connection(parse(package(inner)), VALUES)
    assert (found.client_key, found.client_cert) == (b"k", b"c")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"address": "{{.other}}"}, 'map has no entry for key "other"'),
        ({"address": ""}, "chaincode address not provided"),
        ({"address": 5}, "address must be a text"),
        ({"dial_timeout": "soon"}, "malformed chaincode info: invalid duration"),
        ({"tls_required": "true"}, "tls_required must be true or false"),
        ({"tls_required": True}, "chaincode tls root cert not provided"),
        ({"tls_required": True, "client_auth_required": True}, "chaincode tls key not provided"),
        (
            {"tls_required": True, "client_auth_required": True, "client_key": "k"},
            "chaincode tls cert not provided",
        ),
    ],
)
def test_an_unusable_connection_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(PackageRefused, match=text):
        connection(parse(package(code(**changes))), VALUES)


def test_a_package_without_connection_cannot_be_reached() -> None:
    with pytest.raises(PackageRefused, match=r"connection\.json not found"):
        connection(parse(package(archive({"main.py": b""}))), VALUES)


def test_only_services_are_run() -> None:
    with pytest.raises(PackageRefused, match="cannot build"):
        connection(parse(package(type="golang")), VALUES)


METADATA = json.dumps({"type": "ccaas", "label": "notes"}).encode()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"", "gzip: invalid header"),
        (b"\x1f\x8bxx", "error reading as gzip stream"),
        (package()[:-20], "unexpected EOF"),
        (gzip.compress(b"no tar", mtime=0), "error inspecting next tar header|did not find"),
        (archive({"metadata.json": METADATA}), "did not find a code package"),
        (archive({"code.tar.gz": b""}), "did not find any package metadata"),
        (archive({"metadata.json": b"{", "code.tar.gz": b""}), "could not unmarshal metadata"),
        (archive({"metadata.json": b"[]", "code.tar.gz": b""}), "could not unmarshal metadata"),
        (archive({"metadata.json": b"[" * 99999, "code.tar.gz": b""}), "could not unmarshal"),
        (archive({"link": b""}, tarfile.SYMTYPE), "link is not a regular file, type 50"),
        (package(label="no label"), "invalid label 'no label'"),
        (package(label=""), "invalid label ''"),
    ],
)
def test_what_is_no_package_is_refused_in_fabrics_words(source: bytes, text: str) -> None:
    with pytest.raises(PackageRefused, match=text):
        parse(source)


def test_a_package_unpacks_to_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PACKAGE_UNPACKED_BYTES", 10_000)
    with pytest.raises(PackageRefused, match="unexpected EOF"):
        parse(gzip.compress(bytes(20_000)))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for source in (content, gzip.compress(content)):
        with pytest.raises(PackageRefused):
            parse(source)
