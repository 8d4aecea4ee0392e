# SPDX-License-Identifier: Apache-2.0
"""Token ids, bit by bit (rules K1)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.market import tokenid
from pedchain_domain.market.tokenid import HOUR, MONEY, Carrier, Product, mask, matches
from pedchain_domain.reasons import DomainError, Reason

START = 1_774_789_200  # 2026-03-29 13:00 UTC
SPRING = Product(Carrier.ELECTRICITY, 7, START, producer=12)

products = st.builds(
    Product,
    st.sampled_from(Carrier),
    st.integers(1, 2**32 - 1),
    st.integers(0, 10**6).map(lambda hour: hour * HOUR),
    st.sampled_from([None, 0, 1, 2, 3]),
    st.integers(0, 2**48 - 1),
)


def test_every_field_of_an_id_stands_where_the_layout_says() -> None:
    token = SPRING.token
    assert token >> 254 == 0b01  # energy, not money
    assert token >> 240 & 0b11 == 0b01  # electricity, not heat
    assert token >> 216 & 0xFFFFFF == 1 << 13
    assert token >> 212 & 0xF == 0b1111
    assert token >> 128 & (1 << 84) - 1 == 0
    assert token >> 96 & 0xFFFFFFFF == START // 86_400
    assert token >> 64 & 0xFFFFFFFF == 7
    assert token >> 16 & (1 << 48) - 1 == 12
    assert token & 0xFFFF == tokenid.VERSION


def test_the_spelling_of_an_id_is_64_hex_digits() -> None:
    assert (
        tokenid.to_hex(SPRING.token)
        == "4001002000f0000000000000000000000000503d0000000700000000000c0001"
    )
    assert tokenid.to_hex(MONEY) == "8" + "0" * 62 + "1"
    assert tokenid.from_hex(tokenid.to_hex(SPRING.token)) == SPRING.token


def test_names_for_people_stand_beside_the_numbers() -> None:
    assert tokenid.name_of(SPRING.token) == "electricity 2026-03-29 13:00Z zone 7 producer 12"
    quarter = Product(Carrier.HEAT, 2, START, quarter=3)
    assert quarter.name == "heat 2026-03-29 13:45Z 15 min zone 2"
    assert (quarter.begins, quarter.ends) == (START + 2_700, START + HOUR)
    assert tokenid.name_of(MONEY) == "money"


@given(products)
def test_exactly_one_hour_mask_matches_each_energy_token(product: Product) -> None:
    token = product.token
    found = [hour for hour in range(24) if matches(token, mask(hour=hour))]
    assert found == [product.start % 86_400 // HOUR]


@given(products)
def test_exactly_one_carrier_mask_matches_each_energy_token(product: Product) -> None:
    found = [carrier for carrier in Carrier if matches(product.token, mask(carrier=carrier))]
    assert found == [product.carrier]
    assert not matches(MONEY, mask(carrier=product.carrier))
    assert not matches(product.token, tokenid.MONEY_BIT)


@given(products, st.sampled_from(Carrier), st.integers(0, 23), st.integers(0, 3))
def test_a_combined_mask_selects_what_has_every_property(
    product: Product, carrier: Carrier, hour: int, quarter: int
) -> None:
    wanted = (
        product.carrier == carrier
        and product.start % 86_400 // HOUR == hour
        and product.quarter in (None, quarter)
    )
    found = mask(carrier=carrier, hour=hour, quarter=quarter)
    assert matches(product.token, found) == wanted
    assert found == mask(carrier=carrier) | mask(hour=hour) | mask(quarter=quarter)


@given(products)
def test_an_id_says_what_it_was_made_of(product: Product) -> None:
    assert tokenid.product_of(product.token) == product
    assert tokenid.product_of(tokenid.from_hex(tokenid.to_hex(product.token))) == product


@given(products, st.integers(0, 255))
def test_a_flipped_bit_is_another_token_or_none(product: Product, bit: int) -> None:
    other = product.token ^ 1 << bit
    with contextlib.suppress(DomainError):
        assert tokenid.product_of(other).token == other != product.token


@pytest.mark.parametrize(
    "text", ["", "0" * 64, "F" * 64, "1" * 63, 7, None, "4" + "0" * 63, "８" + "0" * 63]
)
def test_what_is_no_token_is_refused(text: object) -> None:
    with pytest.raises(DomainError) as caught:
        tokenid.from_hex(text)
    assert caught.value.reason == Reason.UNKNOWN_TOKEN


@pytest.mark.parametrize(
    "product",
    [
        Product(Carrier.HEAT, 0, START),
        Product(Carrier.HEAT, 2**32, START),
        Product(Carrier.HEAT, 1, START + 900),
        Product(Carrier.HEAT, 1, START, quarter=4),
        Product(Carrier.HEAT, 1, START, producer=2**48),
        Product(Carrier.HEAT, 1, -HOUR),
    ],
)
def test_what_no_id_can_say_has_none(product: Product) -> None:
    with pytest.raises(DomainError):
        _ = product.token


def test_masks_of_no_hour_are_refused() -> None:
    with pytest.raises(DomainError):
        mask(hour=24)
    with pytest.raises(DomainError):
        mask(quarter=4)
