# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import der


@given(st.integers(0, 2**80))
def test_an_integer_is_read_as_written(value):
    assert der.read_integer(der.integer(value) + b"rest") == (value, b"rest")


@given(st.binary(max_size=70_000))
def test_contents_of_any_length_come_back(content):
    assert der.read(der.octet_string(content), der.OCTET_STRING) == (content, b"")


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100")]
)
def test_integers_are_as_x690_has_them(value, encoded):
    assert der.integer(value).hex() == encoded


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "02",
        "0401ff",
        "0202ff",
        "028101ff",
        "02820001ff",
        "0280",
        "02020001",
        "0202ff80",
        "0200",
    ],
)
def test_what_is_not_in_ders_form_is_refused(bad):
    with pytest.raises(WireError):
        der.read_integer(bytes.fromhex(bad))


@given(st.binary(max_size=100))
def test_garbage_raises_wire_errors_only(data):
    for read in (der.read_integer, der.read_signature):
        with contextlib.suppress(WireError):
            read(data)
