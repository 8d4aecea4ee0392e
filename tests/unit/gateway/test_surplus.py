# SPDX-License-Identifier: Apache-2.0
"""The surplus a district publishes is made of what certificates print, and of nothing else."""

from typing import Any

from pedchain_gateway.service.surplus import PPM, expected, hours


def certificate(day: str, given: int | None, drawn: int | None = 24_000) -> dict[str, Any]:
    return {"day": day, "sites": 20, "electricity": {"given_wh": given, "drawn_wh": drawn}}


def test_it_is_the_mean_of_the_last_three_days_that_printed_it() -> None:
    days = [certificate(f"2026-03-0{at}", 1_000 * at) for at in range(1, 6)]
    days[3] = certificate("2026-03-04", None)
    days.append(certificate("2026-03-09", 99_000))
    found = expected(days, "A", "2026-03-09")
    assert found is not None
    assert found.of_days == ["2026-03-02", "2026-03-03", "2026-03-05"]
    assert (found.surplus_wh, found.drawn_wh, found.sites) == (3_333, 24_000, 20)


def test_a_group_too_small_publishes_nothing() -> None:
    assert expected([certificate("2026-03-01", None, None)], "A", "2026-03-02") is None
    assert expected([], "A", "2026-03-02") is None


def test_noon_has_the_most_and_night_none() -> None:
    told = hours(100_000, 24_000)
    assert len(told) == 24
    assert told[:6] == [0] * 6
    assert told[18:] == [0] * 6
    assert max(told) == told[11] == told[12] > PPM * 9 // 10
    assert hours(0, 0) == [0] * 24
