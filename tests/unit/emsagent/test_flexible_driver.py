# SPDX-License-Identifier: Apache-2.0
"""A simulated home that follows setpoints: energy is moved, never made, and registers ascend."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emsagent.config import DriverConfig
from emsagent.drivers import open_driver
from emsagent.drivers.flexible import EXPORT, IMPORT
from emsagent.errors import DriverFault

HOUR = 3_600
Hours = list[tuple[int, int]]


def lived(folder: Path, drawn: Hours, events: list[tuple[int, int, int]], step: int = 0) -> Hours:
    """What the meter reads of hours of import and export; `step` hours are read at a time."""
    at, lines = [10_000, 500], [f"instant,{IMPORT}/Wh,{EXPORT}/Wh", "0,10000,500"]
    for hour, (taken, given_) in enumerate(drawn, 1):
        at = [at[0] + taken, at[1] + given_]
        lines.append(f"{hour * HOUR},{at[0]},{at[1]}")
    (folder / "registers.csv").write_text("\n".join(lines) + "\n")
    rows = [f"{first * HOUR},{last * HOUR},{watts}" for first, last, watts in events]
    (folder / "setpoints.csv").write_text("\n".join(["start,end,watts", *rows]) + "\n")
    settings = {"file": "registers.csv", "setpoints": "setpoints.csv"}
    driver = open_driver(DriverConfig("flexible", settings, "", folder))
    end = len(drawn) * HOUR
    spans = [(None, end)] if not step else _spans(end, step * HOUR)
    read = [one for after, until in spans for one in driver.samples(after, until)]
    registers = [{one.obis: int(one.text) for one in sample.registers} for sample in read]
    return [(b[IMPORT] - a[IMPORT], b[EXPORT] - a[EXPORT]) for a, b in pairwise(registers)]


def _spans(end: int, step: int) -> list[tuple[int | None, int]]:
    edges = [-1, *range(0, end, step), end]
    return list(pairwise(edges))


def test_a_home_told_to_draw_less_draws_it_later_in_part(tmp_path: Path) -> None:
    found = lived(tmp_path, [(600, 0)] * 6, [(1, 3, -400)])
    assert found == [(600, 0), (200, 0), (200, 0), (720, 0), (720, 0), (600, 0)]


def test_nothing_is_fed_in_for_an_event(tmp_path: Path) -> None:
    assert lived(tmp_path, [(300, 0), (0, 200)], [(0, 2, -400)]) == [(0, 0), (0, 200)]


def test_a_home_told_to_draw_more_first_keeps_what_it_would_feed_in(tmp_path: Path) -> None:
    assert lived(tmp_path, [(0, 300), (500, 0)], [(0, 2, 400)]) == [(100, 0), (900, 0)]


def test_without_setpoints_the_file_is_read_as_it_is(tmp_path: Path) -> None:
    drawn = [(300, 0), (0, 200)]
    assert lived(tmp_path, drawn, []) == drawn
    (tmp_path / "setpoints.csv").unlink()
    settings = {"file": "registers.csv", "setpoints": "setpoints.csv"}
    driver = open_driver(DriverConfig("flexible", settings, "", tmp_path))
    assert len(list(driver.samples(None, 2 * HOUR))) == 3


def test_setpoints_that_cannot_be_read_are_a_fault(tmp_path: Path) -> None:
    lived(tmp_path, [(300, 0)], [])
    (tmp_path / "setpoints.csv").write_text("start,end,watts\n1,2\n")
    settings = {"file": "registers.csv", "setpoints": "setpoints.csv"}
    with pytest.raises(DriverFault, match="setpoints"):
        list(open_driver(DriverConfig("flexible", settings, "", tmp_path)).samples(None, HOUR))


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=8, max_size=8),
    st.integers(-900, 900),
    st.integers(1, 4),
)
def test_registers_ascend_and_read_the_same_in_parts(
    tmp_path_factory: pytest.TempPathFactory, drawn: Hours, watts: int, step: int
) -> None:
    folder = tmp_path_factory.mktemp("driver")
    events = [(1, 3, watts), (4, 6, -watts)]
    whole = lived(folder, drawn, events)
    assert all(wh >= 0 for hour in whole for wh in hour)
    assert whole == lived(folder, drawn, events, step)
