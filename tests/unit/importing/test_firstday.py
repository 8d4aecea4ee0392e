# SPDX-License-Identifier: Apache-2.0
"""Master data and a district from a folder of spreadsheets; the sharing preview."""

from pathlib import Path
from typing import Any

import pytest

from pedchain_gateway.firstday import district, master
from pedchain_gateway.firstday.preview import preview
from pedchain_gateway.importing.telling import tell
from tests.unit.importing.operator_files import Desk, rows

SPKI = (
    "3059301306072a8648ce3d020106082a8648ce3d030107034200"
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
SITES = "id,plan,connection_w,feeder,substation,zone,from\nS1,P1,6000,f,s,z,2025-12-31\n"
POINTS = "id;site;kind;parent;p_max_w\nA;S1;GCP;;6000\n"
DISTRICT = """
id = "D"
operator = "DMSP"
timezone = "Europe/Rome"
first = 2026-03-28
last = 2026-10-26
boundary = { kind = "feeder", id = "f" }
holidays = [2026-04-06]
[factors]
version = "v1"
source = "s"
grid_g_per_kwh = { 2026 = 331.86 }
"""


def folder(tmp_path: Path, sites: str = SITES, points: str = POINTS) -> Path:
    (tmp_path / "sites.csv").write_text(sites)
    (tmp_path / "points.csv").write_text(points)
    return tmp_path


def test_a_point_comes_with_the_device_by_which_the_dso_speaks(tmp_path: Path) -> None:
    site, point, device = master.load(folder(tmp_path), SPKI, 1_767_139_200)
    assert (site["heating"], site["from"]) == ("unknown", 1_767_139_200)
    assert point["parent"] is None
    assert (device["id"], device["authority"], device["from"]) == ("A@dso", "dso", 1_767_139_200)
    assert {obis: one["role"] for obis, one in device["registers"].items()} == {
        "1-0:1.8.0*255": "I", "1-0:2.8.0*255": "E",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sites", "points", "told"),
    [
        (SITES.replace("6000", "six"), POINTS, "sites.csv line 2: connection_w"),
        (SITES.replace("P1", "P9"), POINTS, "sites.csv line 2"),
        (SITES.replace("2025-12-31", "soon"), POINTS, "soon is no date"),
        (SITES + "S2,P1\n", POINTS, "sites.csv line 3: not as many cells"),
        (SITES, POINTS.replace("S1", "S2"), "points.csv line 2: no site S2"),
        (SITES, POINTS.replace("GCP", "XYZ"), "points.csv line 2"),
    ],
)
def test_a_row_that_makes_no_document_is_named(
    tmp_path: Path, sites: str, points: str, told: str
) -> None:
    with pytest.raises(master.MasterError, match=told):
        master.load(folder(tmp_path, sites, points), SPKI, 0)


def test_local_days_become_calendars(tmp_path: Path) -> None:
    (tmp_path / "district.toml").write_text(DISTRICT)
    found = district.registration(district.load(tmp_path / "district.toml"))
    (calendar,) = found.calendars
    days: dict[str, dict[str, Any]] = {row["day"]: row for row in calendar["rows"]}
    hours = {day: (days[day]["end"] - days[day]["start"]) // 3_600 for day in days}
    assert (hours["2026-03-29"], hours["2026-10-25"], hours["2026-06-01"]) == (23, 25, 24)
    assert days["2026-03-29"]["start"] == 1_774_738_800
    kinds = [days[day]["type"] for day in ("2026-04-03", "2026-04-04", "2026-04-05", "2026-04-06")]
    assert kinds == ["working", "saturday", "sunday_or_holiday", "sunday_or_holiday"]
    assert found.factors[0]["intensity"] == {"year": {"2026": 331_860}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Europe/Rome", "Europe/Roma", "timezone"),
        ('id = "D"', "", "id"),
        ("first", "fist", "fist|first"),
        ("[factors]", "[factors", "Expected"),
    ],
)
def test_a_district_that_cannot_be_meant_is_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    (tmp_path / "district.toml").write_text(DISTRICT.replace(old, new, 1))
    with pytest.raises(district.DistrictError, match=told):
        district.load(tmp_path / "district.toml")


def test_the_preview_shares_hour_by_hour_and_only_what_is_known(tmp_path: Path) -> None:
    """Rules S2: 800 Wh over draws of 300 and 600; an hour without a row counts for nobody."""
    sites = SITES + "S2,P1,6000,f,s,z,2025-12-31\n"
    points = POINTS + "B;S2;GCP;;6000\n"
    documents = master.load(folder(tmp_path, sites, points), SPKI, 1_767_139_200)
    desk = Desk(tmp_path)
    lines = [
        "A;Prelievo;30.03.2026 00:00;0,300;R", "B;Prelievo;30.03.2026 00:00;0,600;R",
        "A;Immissione;30.03.2026 00:00;0,800;R", "A;Prelievo;30.03.2026 05:00;0,100;R",
    ]  # fmt: skip
    desk.take(rows(lines))
    tell(desk.store)
    found = preview(desk.store, documents, 900)
    assert (found.sites["S1"].drawn, found.sites["S1"].given) == (400, 800)
    assert [found.sites[site].received for site in ("S1", "S2")] == [267, 533]
    assert found.months["2026-03"].received == 800
