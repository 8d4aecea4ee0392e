# SPDX-License-Identifier: Apache-2.0
"""Rules G1 to G3: what an hour certifies, and what a storage gives back of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import origin, originstorage
from pedchain_domain.calendar import Day
from pedchain_domain.origin import Charge, Discharge, Made, Point
from pedchain_domain.reasons import DomainError

DAY: Day = {"day": "2026-01-01", "start": 1_767_225_600, "end": 1_767_312_000, "type": "working"}
HOUR = 3_600
H = DAY["start"]
M, G, S, X = "MGSX"


def series(first: int, letter: str = M, grain: int = HOUR) -> list[object]:
    count = 86_400 // grain
    return [[first] + [0] * (count - 1), letter + M * (count - 1)]


def p1(g: int = 900, e: int = 700, letters: str = "MM") -> list[Point]:
    return [
        Point("gcp", "GCP", 20_000, {"I": series(100), "E": series(e, letters[0])}),
        Point("gen", "GEN", 20_000, {"G": series(g, letters[1])}),
    ]


def p3(g: int, e: int, ch: int = 0, d: int = 0, letter: str = M) -> list[Point]:
    battery = Point("sto", "STO", 20_000, {"Ch": series(ch, letter), "D": series(d, letter)})
    return [*p1(g, e), battery]


def test_what_is_fed_in_is_grid_class_and_the_rest_the_sites_own() -> None:
    assert origin.made("P1", p1(), DAY, HOUR) == [Made("gen", H, 700, 200)]


def test_feed_in_beyond_generation_comes_from_the_storage() -> None:
    """The rules' second example: generation 900, feed-in 1100, discharge 300."""
    points = p3(900, 1_100, d=300)
    assert origin.made("P3", points, DAY, HOUR) == [Made("gen", H, 900, 0)]
    assert origin.discharges(points, DAY, HOUR) == [Discharge(H, 300, 200, True, True)]


@pytest.mark.parametrize("letters", [M + c for c in (G, S, X)] + [c + M for c in (G, S, X)])
def test_only_measured_hours_are_certified(letters: str) -> None:
    assert origin.made("P1", p1(letters=letters), DAY, HOUR) == []


def test_an_hour_is_measured_only_if_each_quarter_of_it_is() -> None:
    points = [
        Point("gcp", "GCP", 20_000, {"I": series(0, M, 900), "E": series(50, M, 900)}),
        Point("gen", "GEN", 20_000, {"G": [[90] * 96, "MMMG" + M * 92]}),
    ]
    found = origin.made("P1", points, DAY, 900)
    assert [each.hour for each in found] == [H + n * HOUR for n in range(1, 24)]


def test_no_more_is_certified_than_the_point_can_make() -> None:
    points = p1(g=2_000, e=2_000)
    points[1] = points[1]._replace(power_w=1_000)
    assert origin.made("P1", points, DAY, HOUR) == [Made("gen", H, 1_021, 0)]


@pytest.mark.parametrize("plan", ["P0", "P4", "P5"])
def test_plans_whose_generation_cannot_be_told_get_none(plan: str) -> None:
    assert origin.made(plan, p1(), DAY, HOUR) == []


def test_a_plant_with_its_own_connection_is_certified_for_all_it_feeds_in() -> None:
    assert origin.made("P2", p1(), DAY, HOUR) == [Made("gcp", H, 700, 0)]


def test_several_generators_share_what_is_fed_in_exactly() -> None:
    points = [*p1(500, 700), Point("wind", "GEN", 20_000, {"G": series(400)})]
    found = origin.made("P1", points, DAY, HOUR)
    assert sum(each.grid for each in found) == 700
    assert sum(each.grid + each.own for each in found) == 900


def test_an_hour_that_two_market_days_share_is_not_certified() -> None:
    half = DAY["start"] + 1_800
    day: Day = {**DAY, "start": half, "end": half + 86_400}
    assert origin.hours_of(day) == [half + 1_800 + n * HOUR for n in range(23)]


def test_an_erased_point_has_nothing_to_certify() -> None:
    roster = {"points": {"gen": {"site": "s", "kind": "GEN", "p_max_w": 1}}}
    found = origin.points_of("s", roster, {"points": {"gen": {"root": "00"}}})
    assert found == [Point("gen", "GEN", 1, {})]
    assert origin.made("P1", found, DAY, HOUR) == []


def test_a_claims_bound_is_the_measured_import() -> None:
    assert origin.drawn(p1(), DAY, HOUR, H) == 100
    assert origin.drawn([Point("gcp", "GCP", 1, {"I": series(5, G)})], DAY, HOUR, H) is None


def test_charging_from_the_own_roof_is_certified_at_once() -> None:
    points = p3(1_200, 400, ch=500)
    made = origin.made("P3", points, DAY, HOUR)
    assert origin.charges(points, made, DAY, HOUR) == [Charge(H, 500, 500)]


def test_grid_energy_charged_without_certificates_yields_none() -> None:
    storage = originstorage.charged(originstorage.empty(), "d", [Charge(H, 1_000, 0)])
    rows = [Discharge(H + HOUR, 850, 850, True, True)]
    _, outs = originstorage.discharged(storage, "d", rows, 850_000, 0)
    assert outs == [originstorage.Out(H + HOUR, 0, 0)]


def test_what_was_charged_comes_out_first_in_first_out_less_losses() -> None:
    """1000 Wh certified, then 1000 Wh not: 850 Wh out are the first, the next 425 the second."""
    rows = [Charge(H, 1_000, 1_000), Charge(H + HOUR, 1_000, 0)]
    storage = originstorage.charged(originstorage.empty(), "d", rows)
    out = [
        Discharge(H + 2 * HOUR, 850, 600, True, True),
        Discharge(H + 3 * HOUR, 425, 425, True, True),
    ]
    after, outs = originstorage.discharged(storage, "d", out, 850_000, 0)
    assert [(each.grid, each.own) for each in outs] == [(600, 250), (0, 0)]
    assert after["entries"] == [[H + HOUR, 500, 0]]


def test_what_is_charged_later_does_not_come_out_earlier() -> None:
    storage = originstorage.charged(originstorage.empty(), "d", [Charge(H + HOUR, 1_000, 1_000)])
    _, outs = originstorage.discharged(storage, "d", [Discharge(H, 100, 100, True, True)], 10**6, 0)
    assert outs == [originstorage.Out(H, 0, 0)]


def test_certificates_given_up_certify_grid_charging_up_to_what_was_charged() -> None:
    storage = originstorage.charged(originstorage.empty(), "d", [Charge(H, 500, 200)])
    assert originstorage.certify(storage, H, 300)["entries"] == [[H, 500, 500]]
    for hour, energy in ((H, 301), (H + HOUR, 1)):
        with pytest.raises(DomainError, match="beyond-charge"):
            originstorage.certify(storage, hour, energy)


def test_unknown_charging_takes_the_certificates_with_it() -> None:
    storage = originstorage.charged(originstorage.empty(), "d", [Charge(H, 500, 500)])
    assert originstorage.charged(storage, "e", None)["entries"] == [[H, 500, 0]]
    silent = p3(900, 700, letter=X)
    assert origin.charges(silent, [], DAY, HOUR) is None


def test_unknown_discharging_empties_the_storage() -> None:
    storage = originstorage.charged(originstorage.empty(), "d", [Charge(H, 500, 500)])
    rows = origin.discharges(p3(900, 700, letter=X), DAY, HOUR)
    after, outs = originstorage.discharged(storage, "d", rows, 850_000, 0)
    assert (after["entries"], outs) == ([], [])


def test_no_more_is_in_a_storage_than_its_battery_holds() -> None:
    rows = [Charge(H, 1_000, 1_000), Charge(H + HOUR, 1_000, 0)]
    storage = originstorage.charged(originstorage.empty(), "d", rows)
    out = [Discharge(H + 2 * HOUR, 1_000, 1_000, True, True)]
    _, outs = originstorage.discharged(storage, "d", out, 10**6, 1_000)
    assert outs == [originstorage.Out(H + 2 * HOUR, 0, 0)]


def test_days_of_a_storage_are_settled_in_order() -> None:
    storage = originstorage.charged(originstorage.charged(originstorage.empty(), "d", []), "e", [])
    with pytest.raises(DomainError, match="wrong-state"):
        originstorage.discharged(storage, "e", [], 850_000, 0)


@given(
    charges=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 100)), max_size=8),
    outs=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 100)), max_size=8),
    ppm=st.integers(1, 1_000_000),
    battery=st.sampled_from([0, 500, 20_000]),
)
def test_never_more_comes_out_certified_than_was_charged_certified_less_losses(
    charges: list[tuple[int, int]], outs: list[tuple[int, int]], ppm: int, battery: int
) -> None:
    rows = [Charge(H + n * HOUR, wh, wh * part // 100) for n, (wh, part) in enumerate(charges)]
    storage = originstorage.charged(originstorage.empty(), "d", rows)
    taken = [
        Discharge(H + (n + 4) * HOUR, wh, wh * part // 100, True, True)
        for n, (wh, part) in enumerate(outs)
    ]
    after, found = originstorage.discharged(storage, "d", taken, ppm, battery)
    certified = sum(row.certified for row in rows)
    assert sum(each.grid + each.own for each in found) <= certified * ppm // 1_000_000
    assert all(0 <= entry[2] <= entry[1] for entry in after["entries"])
    for out, row in zip(found, [t for t in taken if t.energy], strict=True):
        assert out.grid <= row.fed
        assert out.grid + out.own <= row.energy
