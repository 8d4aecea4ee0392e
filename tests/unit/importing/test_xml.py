# SPDX-License-Identifier: Apache-2.0
"""Green Button feeds and CIM documents, as portals hand them out."""

from itertools import pairwise
from pathlib import Path

import pytest

from pedchain_gateway.importing.rows import TableError
from tests.unit.importing.operator_files import Desk

T0 = 1_774_742_400
USAGE = "https://utility.example/espi/1_1/resource/RetailCustomer/7/UsagePoint/4711"


def entry(link: str, content: str, *, up: str = "", related: str = "") -> str:
    return (
        f'<entry><link rel="self" href="{link}"/><link rel="up" href="{up}"/>'
        f'<link rel="related" href="{related}"/><content>{content}</content></entry>'
    )


def reading(start: int, value: str, quality: str = "17", seconds: int = 900) -> str:
    return (
        f"<IntervalReading><ReadingQuality><quality>{quality}</quality></ReadingQuality>"
        f"<timePeriod><duration>{seconds}</duration><start>{start}</start></timePeriod>"
        f"<value>{value}</value></IntervalReading>"
    )


def feed(*readings: str, uom: str = "72", power: str = "0", flow: str = "1", more: str = "") -> str:
    meter = f"{USAGE}/MeterReading/1"
    kind = "https://utility.example/espi/1_1/resource/ReadingType/3"
    described = (
        f"<ReadingType><flowDirection>{flow}</flowDirection>{more}"
        f"<powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{uom}</uom></ReadingType>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        + entry(USAGE, '<UsagePoint xmlns="http://naesb.org/espi"/>')
        + entry(meter, '<MeterReading xmlns="http://naesb.org/espi"/>', related=kind)
        + entry(
            f"{meter}/IntervalBlock/1",
            f'<IntervalBlock xmlns="http://naesb.org/espi">{"".join(readings)}</IntervalBlock>',
            up=f"{meter}/IntervalBlock",
        )
        + entry(
            kind, described.replace("<ReadingType>", '<ReadingType xmlns="http://naesb.org/espi">')
        )
        + "</feed>"
    )


@pytest.fixture
def green(tmp_path: Path) -> Desk:
    return Desk(tmp_path, 'format = "espi"\n[points]\n4711 = "IT001E1"\n')


def test_a_green_button_feed_gives_its_intervals(green: Desk) -> None:
    assert green.take(feed(reading(T0, "125"), reading(T0 + 900, "250")))[1:] == (2, 0, 0, 0)
    ((point, obis, knots),) = green.told()
    assert (point, obis) == ("IT001E1", "1-0:1.8.0*255")
    assert [b[1] - a[1] for a, b in pairwise(knots)] == [
        125 * 10**6,
        25 * 10**7,
    ]


def test_its_power_of_ten_flow_and_qualities_count(green: Desk) -> None:
    text = feed(reading(T0, "1", "8"), reading(T0 + 900, "2", "10"), power="3", flow="19")
    green.take(text)
    assert green.reasons == [(0, "marked-missing")]
    ((_, obis, knots),) = green.told()
    assert obis == "1-0:2.8.0*255"
    assert (knots[1][1] - knots[0][1], knots[1][2]) == (10**9, "S")


def test_its_cumulative_registers_are_registers(green: Desk) -> None:
    more = "<accumulationBehaviour>3</accumulationBehaviour>"
    green.take(
        feed(reading(T0, "1000", seconds=0), reading(T0 + 900, "1100", seconds=0), more=more)
    )
    ((_, _, knots),) = green.told()
    assert [(at, micro // 10**6) for at, micro, _ in knots] == [(T0, 1_000), (T0 + 900, 1_100)]


def test_units_that_are_no_energy_are_refused_by_row(green: Desk) -> None:
    green.take(feed(reading(T0, "1"), uom="61"))
    assert green.reasons == [(0, "unknown-unit")]


@pytest.mark.parametrize("text", ["<feed", "<feed/>", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'])
@pytest.mark.parametrize("kind", ["espi", "cim"])
def test_what_is_no_such_document_is_refused_whole(tmp_path: Path, text: str, kind: str) -> None:
    desk = Desk(tmp_path, f'format = "{kind}"\n')
    with pytest.raises(TableError):
        desk.take(text)
    assert list(desk.told()) == []


def series(points: str, *, curve: str = "A01", unit: str = "KWH", step: str = "PT15M") -> str:
    return (
        "<TimeSeries><mRID>1</mRID><flowDirection.direction>A02</flowDirection.direction>"
        f"<quantity_Measure_Unit.name>{unit}</quantity_Measure_Unit.name>"
        f"<curveType>{curve}</curveType>"
        '<marketEvaluationPoint.mRID codingScheme="A10">735999</marketEvaluationPoint.mRID>'
        "<Period><timeInterval><start>2026-03-29T00:00Z</start><end>2026-03-29T01:00Z</end>"
        f"</timeInterval><resolution>{step}</resolution>{points}</Period></TimeSeries>"
    )


def document(*found: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><MeasurementData_MarketDocument '
        'xmlns="urn:iec62325.351:tc57wg16:451-n:measurementdata:1:0">'
        f"<mRID>d1</mRID>{''.join(found)}</MeasurementData_MarketDocument>"
    )


def point(position: int, quantity: str, quality: str = "A04") -> str:
    return (
        f"<Point><position>{position}</position><quantity>{quantity}</quantity>"
        f"<quality>{quality}</quality></Point>"
    )


@pytest.fixture
def cim(tmp_path: Path) -> Desk:
    return Desk(tmp_path, 'format = "cim"\n')


def test_a_cim_document_gives_its_points_by_position(cim: Desk) -> None:
    text = document(series(point(1, "0.1") + point(2, "0.2", "A03") + point(4, "0.4")))
    assert cim.take(text)[1:] == (3, 0, 0, 0)
    ((name, obis, knots),) = cim.told()
    assert (name, obis) == ("735999", "1-0:1.8.0*255")
    assert [(at - T0, mark) for at, _, mark in knots] == [
        (0, "M"), (900, "M"), (1800, "S"), (2700, "M"), (3600, "M"),
    ]  # fmt: skip


def test_left_out_positions_repeat_where_the_curve_says_so(cim: Desk) -> None:
    cim.take(document(series(point(1, "0.1") + point(3, "0.3"), curve="A03")))
    assert cim.energies() == [(T0 + 900 * at, wh) for at, wh in enumerate((100, 100, 300, 300))]


def test_power_becomes_energy_and_what_is_not_available_is_not_taken(cim: Desk) -> None:
    cim.take(document(series(point(1, "4") + point(2, "9", "A02"), unit="KWT")))
    assert cim.reasons == [(0, "marked-missing")]
    assert cim.energies() == [(T0, 1_000)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (series(point(5, "1")), "off-grid"),
        (series(point(1, "1"), step="P1M"), "unknown-interval"),
        (series(point(1, "1"), unit="C62"), "unknown-unit"),
        (series(point(1, "1", "Z99")), "unknown-quality"),
    ],
)
def test_a_point_that_cannot_be_placed_is_reported(cim: Desk, text: str, reason: str) -> None:
    cim.take(document(text))
    assert [one for _, one in cim.reasons] == [reason]
