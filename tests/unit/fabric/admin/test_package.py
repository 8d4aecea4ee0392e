# SPDX-License-Identifier: Apache-2.0
"""Goal: one package id everywhere. Method: fixed bytes, read back by the standard library."""

import gzip
import hashlib
import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.admin.gzipfile import store
from pedchain_fabric.admin.package import service_package


def files(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        found = {}
        for member in tar.getmembers():
            content = tar.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
        return found


def test_the_bytes_of_a_label_never_change() -> None:
    """A changed id would mean a new install and approval by everybody."""
    known = "950fa01513a1d47890be7bc6d8c5a33a2e1b807e27e31eab3131eac509bdef1d"
    assert service_package("registry").id == f"registry:{known}"


def test_the_id_is_label_and_hash_of_the_bytes() -> None:
    package = service_package("metering")
    assert package.id == f"metering:{hashlib.sha256(package.content).hexdigest()}"


def test_the_address_is_left_to_each_peer() -> None:
    outer = files(service_package("metering").content)
    assert json.loads(outer["metadata.json"]) == {"type": "ccaas", "label": "metering"}
    connection = json.loads(files(outer["code.tar.gz"])["connection.json"])
    assert connection == {
        "address": "{{.metering}}",
        "dial_timeout": "10s",
        "tls_required": False,
    }


@pytest.mark.parametrize("label", ["", "a-b", "a.b", "a b", "9lives", "_a", "a__b", "a}}"])
def test_a_label_no_template_can_name_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="label"):
        service_package(label)


@given(st.binary(max_size=200_000))
def test_what_is_stored_comes_back(data: bytes) -> None:
    assert gzip.decompress(store(data)) == data


def test_more_than_one_block_comes_back() -> None:
    data = bytes(range(256)) * 1_000
    assert gzip.decompress(store(data)) == data
