# SPDX-License-Identifier: Apache-2.0
"""A device's key is made once, read by its owner only, and never written over."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import keys
from emsagent.errors import KeyFileError, StateRegressed
from emsagent.mark import Mark


def test_a_new_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "meter.pem"
    key = keys.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.public_hex(keys.load(path)) == keys.public_hex(key)
    assert list(path.parent.iterdir()) == [path]


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "meter.pem"
    before = keys.public_hex(keys.create(path))
    with pytest.raises(KeyFileError, match="never written over"):
        keys.create(path)
    assert keys.public_hex(keys.load_or_create(path)) == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "meter.pem"
    keys.create(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="read by others"):
        keys.load(path)


def test_a_key_of_another_curve_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "meter.pem"
    key = ec.generate_private_key(ec.SECP384R1())
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(KeyFileError, match="P-256"):
        keys.load(path)


def test_an_error_never_shows_what_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "meter.pem"
    path.touch(mode=0o600)
    kind = "PRIVATE " + "KEY"  # in one word it would look like a key that was committed
    path.write_text(f"-----BEGIN {kind}-----\nc2VjcmV0\n-----END {kind}-----\n")
    with pytest.raises(KeyFileError) as caught:
        keys.load(path)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_state_older_than_the_mark_is_refused(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "home.mark")
    mark.advance({"meter": 7})
    again = Mark(tmp_path / "home.mark")
    again.check({"meter": 7})
    for restored in ({"meter": 6}, {}):
        with pytest.raises(StateRegressed, match="counter 7"):
            again.check(restored)


@pytest.mark.parametrize("text", ["", "[]", '{"meter": "7"}', "{"])
def test_a_mark_that_cannot_be_read_stops_signing(tmp_path: Path, text: str) -> None:
    (tmp_path / "home.mark").write_text(text)
    with pytest.raises(StateRegressed, match="nobody knows"):
        Mark(tmp_path / "home.mark")
