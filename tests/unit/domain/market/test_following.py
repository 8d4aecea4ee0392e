# SPDX-License-Identifier: Apache-2.0
"""Certificates that go with energy add up, whatever was given and whoever has a part (rules P2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import origincert
from pedchain_domain.market.following import along, received

WH = st.integers(min_value=0, max_value=10**9)


@given(
    st.lists(st.integers(1, 10**9), max_size=4),
    st.dictionaries(st.sampled_from(["market:1", "sharing:a", "sharing:b"]), WH),
)
def test_what_goes_along_is_what_was_given_as_far_as_certificates_reach(
    certificates: list[int], pools: dict[str, int]
) -> None:
    found = along(certificates, pools)
    went = [sum(parts.values()) for parts in found]
    assert all(wh <= whole for wh, whole in zip(went, certificates, strict=True))
    assert sum(went) == min(sum(certificates), sum(pools.values()))
    for pool, wh in pools.items():
        assert sum(parts.get(pool, 0) for parts in found) <= wh
    assert all(wh for parts in found for wh in parts.values())


@given(st.lists(WH, min_size=1, max_size=20), WH)
def test_parts_of_a_pool_are_never_more_than_it_holds(mine: list[int], certified: int) -> None:
    whole = sum(mine)
    certified = min(certified, whole)
    parts = [received(certified, mine=wh, whole=whole) for wh in mine]
    assert sum(parts) <= certified
    assert all(part <= wh for part, wh in zip(parts, mine, strict=True))


@pytest.mark.parametrize(
    ("parts", "state", "rest"),
    [({}, "active", 700), ({"market:1": 300}, "active", 400), ({"sharing:a": 700}, "followed", 0)],
)
def test_what_is_left_of_a_certificate_is_its_owners(
    parts: dict[str, int], state: str, rest: int
) -> None:
    made = origincert.new(
        "ab" * 16, "cd" * 16, "a", False, zone="z", hour=0, wh=700, source="generation"
    )
    found = origincert.followed(made, parts)
    assert (found["state"], found["wh"], found["followed"]) == (state, rest, parts)
    assert found["id"] == made["id"]
