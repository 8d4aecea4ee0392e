# SPDX-License-Identifier: Apache-2.0
"""The feeder's meter and the connections' power against a district's day."""

from typing import Any

import pytest

from pedchain_domain import plausibility
from pedchain_domain.documents import Parameters
from tests.unit.domain.homes import days

DAY = days(1)[0]


def totals(**changes: Any) -> dict[str, Any]:
    return {
        "sites": 20,
        "connections_w": 200_000,
        "peak": [150_000, 90_000],
        "feeder": {"points": 1, "I": 105_000, "E": 40_000, "missing": 0},
        "additive": {"I": 101_000, "E": 39_000},
        **changes,
    }


def judge(found: dict[str, Any], **setting: int) -> Any:
    return plausibility.judge(found, DAY, 3600, Parameters(connections=20, **setting))


def test_losses_are_what_the_feeder_sees_more_than_the_members() -> None:
    feeder = judge(totals())["feeder"]
    assert (feeder["kind"], feeder["residual_wh"], feeder["within"]) == ("balance", 3_000, True)
    assert feeder["tolerance_wh"] == 145_000 * 60_000 // 1_000_000 + 5


@pytest.mark.parametrize("share", [20_000, -40_000])
def test_what_losses_do_not_explain_is_not_plausible(share: int) -> None:
    found = totals(additive={"I": 101_000 + share, "E": 39_000})
    assert judge(found)["feeder"]["within"] is False


def test_where_others_share_the_feeder_only_a_bound_is_stated() -> None:
    """Its numbers would tell what the one other connection used."""
    found = plausibility.judge(totals(), DAY, 3600, Parameters(connections=21))["feeder"]
    assert found == {"kind": "bounds", "others": 1, "bound_wh": 600_000, "within": True}
    wide = totals(additive={"I": 900_000, "E": 39_000})
    assert (
        plausibility.judge(wide, DAY, 3600, Parameters(connections=21))["feeder"]["within"] is False
    )


def test_a_silent_member_widens_the_bound_and_its_draw_is_not_printed() -> None:
    found = judge(totals(additive={"I": 101_000, "E": 39_000, "class.X": 2, "draw": 40_000}))
    assert found["feeder"] == {"kind": "bounds", "others": 0, "bound_wh": 0, "within": True}


def test_without_the_number_of_connections_nothing_is_claimed() -> None:
    found = plausibility.judge(totals(), DAY, 3600, Parameters())["feeder"]
    assert found == {"kind": "bounds", "others": None, "bound_wh": None, "within": None}


def test_a_feeder_that_was_not_read_or_is_not_there_is_said() -> None:
    notes: dict[str, str] = {}
    silent = totals(feeder={"points": 1, "I": 0, "E": 0, "missing": 24})
    assert plausibility.shown(judge(silent), False, notes)["feeder"]["within"] is None
    assert notes == {"plausibility.feeder": "feeder-missing"}
    none = totals(feeder={"points": 0, "I": 0, "E": 0, "missing": 0})
    assert judge(none)["feeder"] is None


def test_the_feeders_numbers_are_as_secret_as_the_members_sums() -> None:
    notes: dict[str, str] = {}
    shown = plausibility.shown(judge(totals()), True, notes)["feeder"]
    assert (shown["residual_wh"], shown["import_wh"], shown["within"]) == (None, None, True)
    assert notes["plausibility.feeder.residual_wh"] == "group-too-small"


def test_more_than_all_connections_can_carry_is_not_plausible() -> None:
    assert judge(totals())["capacity"]["within"] is True
    assert judge(totals(peak=[204_002, 0]))["capacity"]["within"] is False
