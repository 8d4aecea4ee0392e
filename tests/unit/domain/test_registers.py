# SPDX-License-Identifier: Apache-2.0
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import registers
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.registers import EXTENSION_UNITS, OCMF_UNITS, cap, rise, to_whole

KWH = OCMF_UNITS["kWh"]


def test_the_register_is_floored_never_the_difference() -> None:
    values = [to_whole(text, KWH) for text in ("1.0004", "1.0008", "1.0012")]
    assert values == [1000, 1000, 1001]
    assert to_whole("1234.56", KWH) == 1_234_560
    assert to_whole("0.0", KWH) == 0


def test_a_transformer_ratio_multiplies_before_the_floor() -> None:
    assert to_whole("12.345", KWH, 50) == 617_250
    assert to_whole("1", OCMF_UNITS["Wh"], 1, 3) == 0


def test_heat_and_gas_units_convert_exactly() -> None:
    assert to_whole("3.6", EXTENSION_UNITS["MJ"]) == 1_000
    assert to_whole("1", EXTENSION_UNITS["GJ"]) == 277_777
    assert to_whole("12.3456", EXTENSION_UNITS["m3"]) == 12_345
    assert to_whole("1.5", EXTENSION_UNITS["km"]) == 1_500


@pytest.mark.parametrize(
    "text", ["-1", "1e3", "1.", ".5", "", " 1", "1,5", "٣", "9" * 30, "1" * 19]
)
def test_what_is_no_register(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        to_whole(text, KWH)
    assert caught.value.reason == Reason.MALFORMED_REGISTER


@given(st.decimals(0, 10**9, places=6, allow_nan=False, allow_infinity=False))
def test_a_register_never_passes_through_a_float(value: Decimal) -> None:
    assert to_whole(f"{value:f}", KWH) == int(value * 1000 // 1)


@given(st.integers(0, 10**12))
def test_register_text_reads_back(wh: int) -> None:
    assert to_whole(registers.to_text(wh), KWH) == wh


def test_the_cap_of_an_interval() -> None:
    assert cap(20_000, 900, 900) == 5_101


@given(st.integers(1, 10**6), st.integers(1, 50), st.integers(1, 50))
def test_joining_intervals_never_lowers_the_cap(power: int, first: int, second: int) -> None:
    apart = cap(power, first * 900, 900) + cap(power, second * 900, 900)
    assert cap(power, (first + second) * 900, 900) >= apart


def test_rise_names_what_is_no_energy() -> None:
    assert rise(100, 150, 50, None) == 50
    assert rise(100, 151, 50, None) == Reason.SPIKE
    assert rise(52_000, 40, 5_101, None) == Reason.DECREASE
    assert rise(52_000, 40, 5_101, 10**9) == Reason.DECREASE


@pytest.mark.fault(9)
def test_a_rollover_needs_the_modulus_both_ends_and_the_cap() -> None:
    assert rise(999_999_800, 300, 5_100, 10**9) == 500
    assert rise(999_999_800, 300, 499, 10**9) == Reason.DECREASE
    assert rise(999_999_800, 300, 5_100, None) == Reason.DECREASE
    assert rise(900_000_000, 300, 10**9, 10**9) == Reason.DECREASE
    assert rise(999_999_800, 100_000_000, 10**9, 10**9) == Reason.DECREASE
