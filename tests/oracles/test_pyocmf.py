# SPDX-License-Identifier: Apache-2.0
"""pyocmf, an independent reader of the format, as the oracle for ours.

What we accept as authentic, pyocmf accepts; what is changed by a byte, both refuse. The other way
round does not hold: pyocmf is lenient where a ledger may not be (trailing sections, key order).
"""

import warnings

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from pyocmf import OCMF
from pyocmf.exceptions import PyOCMFError

from pedchain_domain import der, ocmf, registers
from pedchain_domain.ocmf import OcmfError
from tests.unit.domain.test_ocmf import KEY, RECORD, published

SPKI = der.spki_hex(KEY.public_key())


def theirs(record: bytes, key: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return OCMF.from_string(record.decode()).verify_signature(key)
        except (PyOCMFError, UnicodeDecodeError, ValueError):
            return False


def ours(record: bytes, key: ocmf.PublicKey) -> bool:
    try:
        ocmf.verify(ocmf.parse(record), key)
    except OcmfError:
        return False
    return True


def test_both_accept_the_published_records() -> None:
    for record, key in published("keba_test.xml") + published("test_ocmf_keba_kcp30.xml"):
        assert theirs(record, key)
        assert ours(record, ocmf.load_key(key))


def test_both_refuse_the_published_forgery() -> None:
    ((record, key),) = published("test_ocmf_keba_kcp30_fail.xml")
    assert not theirs(record, key)
    assert not ours(record, ocmf.load_key(key))


def test_pyocmf_reads_what_our_agents_sign() -> None:
    assert theirs(RECORD, SPKI)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        payload = OCMF.from_string(RECORD.decode()).payload
    mine = ocmf.parse(RECORD)
    assert f"{mine.context}{mine.counter}" == payload.PG
    assert mine.meter == payload.MS
    for their, our in zip(payload.RD, mine.readings, strict=True):
        assert int(their.TM.timestamp.timestamp()) == our.instant
        assert registers.to_whole(str(their.RV), registers.OCMF_UNITS[our.unit]) == (
            registers.to_whole(our.register, registers.OCMF_UNITS[our.unit])
        )


@settings(max_examples=40)
@given(st.integers(5, len(RECORD) - 1), st.integers(1, 255))
def test_whatever_we_accept_pyocmf_accepts_too(at: int, change: int) -> None:
    mutant = bytearray(RECORD)
    mutant[at] ^= change
    accepted = ours(bytes(mutant), KEY.public_key())
    assert not accepted or theirs(bytes(mutant), SPKI)
    if at < RECORD.rindex(b"|"):
        assert not accepted
        assert not theirs(bytes(mutant), SPKI)


def test_both_refuse_another_devices_key() -> None:
    other = ec.derive_private_key(8, ec.SECP256R1()).public_key()
    assert not ours(RECORD, other)
    assert not theirs(RECORD, der.spki_hex(other))


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
def test_both_refuse_a_cut_record(cut: int) -> None:
    assert not ours(RECORD[:-cut], KEY.public_key())
    assert not theirs(RECORD[:-cut], SPKI)
