# SPDX-License-Identifier: Apache-2.0
"""What becomes of an operator's rows: summer time, gaps, repetitions, corrections, broken files."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from pedchain_domain.intervals import Knot, Register, of_register
from pedchain_gateway.importing.mapping import MappingError, load
from pedchain_gateway.importing.rows import TableError
from tests.unit.importing.operator_files import DRAWN, NORTH, Desk, rows

ROME = ZoneInfo("Europe/Rome")
T0 = 1_774_742_400  # 2026-03-29T00:00Z, 01:00 in Rome


def day(date: str, point: str = "IT001E1", wh: int = 100) -> list[str]:
    """A local day of quarter-hours as the operator writes it: wall time alone."""
    begin = datetime.fromisoformat(date).replace(tzinfo=ROME)
    end = (datetime.fromisoformat(date) + timedelta(days=1)).replace(tzinfo=ROME)
    instants = range(int(begin.timestamp()), int(end.timestamp()), 900)
    return [
        f"{point};Prelievo;{datetime.fromtimestamp(at, ROME):%d.%m.%Y %H:%M};0,{wh + place:03d};R"
        for place, at in enumerate(instants)
    ]


def quarter(place: int, wh: int, mark: str = "R") -> str:
    at = datetime.fromtimestamp(T0 + 86_400 + 900 * place, ROME)
    return f"IT001E1;Prelievo;{at:%d.%m.%Y %H:%M};0,{wh:03d};{mark}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("date", "count"), [("2026-03-29", 92), ("2026-03-30", 96), ("2026-10-25", 100)]
)
def test_a_local_day_has_all_its_quarter_hours(desk: Desk, date: str, count: int) -> None:
    assert desk.take(rows(day(date)))[1:] == (count, 0, 0, 0)
    found = desk.energies()
    start = int(datetime.fromisoformat(date).replace(tzinfo=ROME).timestamp())
    assert found == [(start + 900 * place, 100 + place) for place in range(count)]


def test_a_missing_row_is_missing_and_no_energy_is_made_up(desk: Desk) -> None:
    """As the day's close sees it: class X there, the neighbours measured."""
    desk.take(rows([quarter(place, 100) for place in range(96) if place not in (40, 41)]))
    ((_, _, knots),) = desk.told()
    read = [Knot(at, micro // 1_000_000) for at, micro, _ in knots]
    start = T0 + 86_400
    series = of_register([read], start, start + 86_400, 900, Register(20_000, None, 1))
    assert series.classes == "M" * 40 + "XX" + "M" * 54
    assert sum(series.values) == 94 * 100


def test_a_row_that_comes_twice_counts_once(desk: Desk) -> None:
    lines = [quarter(0, 100), quarter(0, 100), quarter(1, 200)]
    assert desk.take(rows(lines))[1:] == (2, 1, 0, 0)
    assert [wh for _, wh in desk.energies()] == [100, 200]


def test_two_values_for_one_interval_in_a_file_contradict(desk: Desk) -> None:
    desk.take(rows([quarter(0, 100), quarter(0, 101)]))
    assert desk.reasons == [(3, "contradicts")]


def test_a_later_file_fills_a_gap_by_correcting_what_follows(desk: Desk) -> None:
    desk.take(rows([quarter(0, 100), quarter(2, 300), quarter(3, 400)]), "one.csv")
    ((_, _, before),) = desk.told()
    assert desk.take(rows([quarter(1, 200)]), "two.csv")[1:] == (1, 0, 0, 0)
    ((_, _, after),) = desk.told()
    final = {at: (micro, mark) for at, micro, mark in [*before, *after]}
    rises = [final[at][0] for at in sorted(final)]
    assert [(b - a) // 10**6 for a, b in pairwise(rises)] == [
        100,
        200,
        300,
        400,
    ]
    assert {mark for at, _, mark in after} == {"S"}  # only a substitute changes what stands


def test_a_correction_moves_the_registers_behind_it(desk: Desk) -> None:
    desk.take(rows([quarter(place, 100) for place in range(4)]), "one.csv")
    ((_, _, before),) = desk.told()
    assert desk.take(rows([quarter(1, 150)]), "two.csv")[1:] == (0, 0, 1, 0)
    ((_, _, after),) = desk.told()
    assert [at - T0 - 86_400 for at, _, _ in after] == [1800, 2700, 3600]
    moved = {at: micro for at, micro, _ in before}
    assert {micro - moved[at] for at, micro, _ in after} == {50_000_000}


def test_history_after_the_present_leaves_the_present_as_it_was(desk: Desk) -> None:
    desk.take(rows(day("2026-04-03")), "now.csv")
    ((_, _, present),) = desk.told()
    desk.take(rows([*day("2026-04-01"), *day("2026-04-02")]), "history.csv")
    ((_, _, news),) = desk.told()
    assert len(news) == 192  # up to where the present begins, and nothing of it
    assert {mark for _, _, mark in news} == {"M"}
    final = {at: micro for at, micro, _ in [*present, *news]}
    rises = [final[at] // 10**6 for at in sorted(final)]
    assert [b - a for a, b in pairwise(rises)] == [*range(100, 196)] * 3


def test_a_mark_says_what_is_a_substitute_and_what_is_missing(desk: Desk) -> None:
    lines = [quarter(0, 1), quarter(1, 2, "S"), quarter(2, 3, "M"), quarter(3, 4, "?")]
    desk.take(rows(lines))
    assert desk.reasons == [(4, "marked-missing"), (5, "unknown-quality")]
    ((_, _, knots),) = desk.told()
    assert [mark for _, _, mark in knots] == ["M", "M", "S"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("IT001E1;Prelievo;29.03.2026 02:15;0,1;R", "no-such-local-time"),
        ("IT001E1;Prelievo;30.03.2026;0,1;R", "no-time"),
        ("IT001E1;Prelievo;30.03.2026 00:15;zero;R", "no-number"),
        ("IT001E1;Prelievo;30.03.2026 00:15;-0,1;R", "negative"),
        ("IT001E1;Prelievo;30.03.2026 00:07;0,1;R", "off-grid"),
        (";Prelievo;30.03.2026 00:15;0,1;R", "no-point"),
        ("IT001E1;Prelievo;30.03.2026 00:15", "too-few-cells"),
    ],
)
def test_a_row_that_cannot_be_taken_is_reported_and_the_rest_taken(
    desk: Desk, line: str, reason: str
) -> None:
    done = desk.take(rows([line, quarter(0, 1)]))
    assert done[1:] == (1, 0, 0, 1)
    assert desk.reasons == [(2, reason)]


def test_a_broken_file_leaves_nothing(desk: Desk) -> None:
    whole = rows(day("2026-03-30")).encode()
    with pytest.raises(TableError):
        desk.take(whole + b'"IT001E1;Prelievo')  # cut off within a quoted cell
    assert list(desk.told()) == []
    assert desk.take(whole)[1:] == (96, 0, 0, 0)


def test_a_file_of_another_encoding_is_refused_whole(desk: Desk) -> None:
    with pytest.raises(TableError):
        desk.take(rows([quarter(0, 1)]).encode() + "Straße".encode("latin-1"))


def test_a_file_taken_before_is_not_taken_again(desk: Desk) -> None:
    text = rows(day("2026-03-30"))
    first = desk.take(text)
    list(desk.told())
    assert desk.take(text, "renamed.csv") == first
    assert list(desk.told()) == []


def test_a_file_without_a_column_is_refused_by_its_name(desk: Desk) -> None:
    with pytest.raises(TableError, match="no column Stato"):
        desk.take("Punto;Registro;Inizio;Energia\n")


def test_registers_are_told_as_they_were_read(tmp_path: Path) -> None:
    """Cumulative values: gaps are for the ledger to bridge, and nothing is counted here."""
    desk = Desk(tmp_path, NORTH.replace("delimiter", 'kind = "register"\ndelimiter', 1))
    desk.take(
        rows(["A;Prelievo;30.03.2026 00:00;1.000,5;R", "A;Prelievo;30.03.2026 06:00;1.007;R"])
    )
    ((_, _, knots),) = desk.told()
    assert [micro // 1_000_000 for _, micro, _ in knots] == [1_000_500, 1_007_000]


def test_intervals_and_registers_of_one_point_do_not_mix(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take(rows([quarter(0, 100)]))
    desk.style = desk.style.model_copy(update={"kind": "register"})
    desk.take(rows([quarter(1, 100)]), "two.csv")
    assert desk.reasons == [(2, "other-kind")]


def test_a_spreadsheet_is_read_as_the_same_csv(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Messwerte Netzgebiet 7"])
    sheet.append(["Punto", "Registro", "Inizio", "Energia", "Stato"])
    for place in range(4):
        at = datetime(2026, 3, 30, tzinfo=UTC).replace(tzinfo=None)
        sheet.append(["A", "Prelievo", at + timedelta(minutes=15 * place), 0.1 + place, "R"])
    held = BytesIO()
    book.save(held)
    desk = Desk(tmp_path, NORTH.replace("delimiter", 'format = "xlsx"\nskip = 1\ndelimiter', 1))
    assert desk.take(held.getvalue(), "file.xlsx")[1:] == (4, 0, 0, 0)
    ((_, obis, knots),) = desk.told()
    assert obis == DRAWN
    assert [knot[1] - knots[0][1] for knot in knots[1:]] == [
        10**8,
        12 * 10**8,
        33 * 10**8,
        64 * 10**8,
    ]
    assert knots[0][0] == T0 + 79_200


def test_what_is_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path, NORTH.replace("delimiter", 'format = "xlsx"\ndelimiter', 1))
    with pytest.raises(TableError, match="no spreadsheet"):
        desk.take("Punto;Registro")


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ("zone = 'Mars/Olympus'", "zone"),
        ("interval_s = 7", "interval_s"),
        ("colour = 1", "colour"),
        ("", "needs columns.point"),
        ("[quality]\nR = 'Q'", "quality.R"),
        ("x =", "Invalid value"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path: Path, mapping: str, told: str) -> None:
    (tmp_path / "m.toml").write_text(mapping)
    with pytest.raises(MappingError, match=told):
        load(tmp_path / "m.toml")
