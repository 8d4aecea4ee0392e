# SPDX-License-Identifier: Apache-2.0
"""A Wh that was sold or shared while its certificate of origin left the district (rules P1)."""

import pytest

from pedchain_audit.once import twice

PLACE = ("DistrictA", "home-1.gcp", 0)


@pytest.mark.parametrize(
    ("given", "exported", "fed_in", "beyond"),
    [(600, 400, 1_000, 0), (600, 401, 1_000, 1), (600, 0, 500, 0), (0, 900, 900, 0)],
)
def test_what_goes_beyond_the_feed_in_is_counted(
    given: int, exported: int, fed_in: int, beyond: int
) -> None:
    exports = {("DistrictA", "home-1", 0): exported, ("DistrictA", "home-1", 3_600): 5_000}
    found = twice({PLACE: given}, exports, lambda *_: "home-1", lambda _: fed_in)
    assert found == beyond


def test_what_the_audit_has_not_closed_is_left_out() -> None:
    exports = {("DistrictA", "home-1", 0): 900}
    assert twice({PLACE: 600}, exports, lambda *_: None, lambda _: 0) == 0
    assert twice({PLACE: 600}, exports, lambda *_: "home-1", lambda _: None) == 0
