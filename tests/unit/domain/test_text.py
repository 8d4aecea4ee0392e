# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import text


@pytest.mark.parametrize(
    "wrong", ["１２", " 1", "1 ", "+1", "-0", "00", "1_0", "", "-", "1.0", "1\n"]
)
def test_integers_are_ascii_without_leading_zeros(wrong: str) -> None:
    assert text.integer(wrong, 18) is None


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_an_integer_reads_back(number: int) -> None:
    assert text.integer(str(number), 18) == number


def test_an_integer_has_a_greatest_length() -> None:
    assert text.integer("9" * 18, 18) is not None
    assert text.integer("1" + "0" * 18, 17) is None


@pytest.mark.parametrize("wrong", ["0", "0 0f", "00\n", "", "zz", "0x00"])
def test_hex_is_digits_only(wrong: str) -> None:
    assert text.from_hex(wrong) is None


@pytest.mark.parametrize("wrong", ["QUI", "QUJD\n", "QU==", "QR==", "Q U I=", "QUI==", "", "_-8="])
def test_base64_has_one_spelling(wrong: str) -> None:
    # QU== would be read as A by lenient decoders, although its last bits are not zero.
    assert text.from_base64(wrong) is None


def test_hex_and_base64_read() -> None:
    assert text.from_hex("00aF") == b"\x00\xaf"
    assert text.from_base64("QUI=") == b"AB"
