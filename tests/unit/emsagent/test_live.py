# SPDX-License-Identifier: Apache-2.0
"""Live meters: one reading an interval, near its end; nothing stale, nothing impossible."""

from pathlib import Path
from typing import Any

import pytest

from emsagent import config as configuration
from emsagent.clock import Clock
from emsagent.drivers import Register, live
from emsagent.errors import DriverFault, OutboxFull
from emsagent.home import Home
from emsagent.toml import Table
from tests.unit.emsagent.livedevices import driver_config

T0 = 1_774_742_400


class Meter(live.Live):
    async def watch(self) -> None:
        """Says nothing by itself."""


class Times:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.wall = self.steady = float(T0)
        self.clock = Clock("always", lambda: False, lambda: self.wall, lambda: self.steady)

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def meter(times: Times, interval_s: int = 900, **settings: Any) -> Meter:
    config = driver_config("x", interval_s=interval_s)
    return Meter(config, Table(settings), times.clock)


def wh(value: object, obis: str = "1-0:1.8.0*255") -> list[Register]:
    return [Register(obis, str(value), "Wh")]


def test_the_first_value_within_nine_seconds_of_an_end_is_its_reading() -> None:
    times = Times()
    made = meter(times)
    times.steady -= 3
    for second, passed in ((-3, 0), (4, 7), (5, 1), (10, 5), (899, 889), (910, 11), (1_805, 895)):
        times.pass_(passed)
        made.offer(T0 + second, wh(100 + second // 10))
    assert [one.instant - T0 for one in made.samples(None, T0 + 1_810)] == [4, 1_805]


def test_an_end_without_a_value_is_the_fault_stale() -> None:
    made = meter(Times())
    with pytest.raises(DriverFault, match="silent"):
        list(made.samples(None, T0 + 10))
    made.offer(T0, wh(100))
    made.stored(list(made.samples(None, T0 + 10)))
    assert list(made.samples(None, T0 + 10)) == []
    assert list(made.samples(None, T0 + 909)) == []  # it still may come
    with pytest.raises(DriverFault, match="stale"):
        list(made.samples(None, T0 + 910))


def test_an_end_before_the_agent_began_or_a_look_in_between_is_no_fault() -> None:
    times = Times()
    times.pass_(100)
    made = meter(times)
    assert list(made.samples(None, T0 + 110)) == []
    made.offer(T0 + 901, wh(100))
    made.stored(list(made.samples(None, T0 + 902)))
    assert list(made.samples(None, T0 + 903)) == []


@pytest.mark.parametrize(("value", "reason"), [(99, "decrease"), (26_000, "spike")])
def test_what_no_meter_can_say_is_held_back_and_flagged(value: int, reason: str) -> None:
    times = Times()
    made = meter(times, power_max_w=100_000)
    made.offer(T0, wh(100))
    times.pass_(900)
    with pytest.raises(DriverFault, match=reason):
        made.offer(T0 + 900, wh(value))
    assert [flag.split(":")[0] for flag in made.flagged()] == [reason]
    assert made.flagged() == []
    made.offer(T0 + 905, wh(25_100))  # the next good one counts from the last good one
    assert [one.registers[0].text for one in made.samples(None, T0 + 910)] == ["100", "25100"]


@pytest.mark.fault(36)
@pytest.mark.parametrize("jump", [3_600, -3_600])
def test_after_a_jump_of_the_clock_readings_are_not_vouched_for(jump: int) -> None:
    times = Times()
    made = meter(times)
    made.offer(int(times.clock.now()), wh(100))
    times.pass_(900)
    times.wall += jump
    made.offer(int(times.clock.now()), wh(200))
    times.pass_(900)
    times.wall -= jump
    made.offer(int(times.clock.now()), wh(300))
    found = list(made.samples(None, T0 + 1_800))
    assert [(one.instant - T0, one.sync) for one in found] == [
        (0, "S"),
        (900 + jump, "U"),
        (1_800, "S"),
    ]


def test_the_kernel_is_asked_whether_its_clock_is_disciplined() -> None:
    assert Clock("kernel", lambda: True).status() == "S"
    assert Clock("kernel", lambda: False).status() == "U"


def home_of(tmp_path: Path, made: Meter, records_max: int = 10) -> Home:
    (tmp_path / "m.csv").write_text("instant,1-0:1.8.0*255/Wh\n")
    (tmp_path / "agent.toml").write_text(
        'schema = "emsagent/1"\nnetwork = "n"\nchannel = "c"\n[gateway.D]\nurl = "http://g"\n'
        f'[[home]]\nid = "home"\ndistrict = "D"\nrecords_max = {records_max}\n'
        '[[home.device]]\nid = "meter"\ndriver = { kind = "csv", file = "m.csv" }\n'
    )
    config = configuration.load(tmp_path / "agent.toml")
    home = Home(config, config.homes[0])
    (known,) = home.meters.values()
    home.meters = {"meter": type(known)(known.device, made, known.key)}
    return home


@pytest.mark.fault(36)
def test_counters_go_on_whatever_the_clock_does(tmp_path: Path) -> None:
    times = Times()
    made = meter(times)
    with home_of(tmp_path, made) as home:
        for number, jump in enumerate((0, 3_600, -3_600, 0)):
            times.wall += jump
            made.offer(int(times.clock.now()), wh(100 * number))
            assert home.collect(until=int(times.clock.now())) == 1
            times.pass_(900)
        assert home.outbox.counters() == {"meter": 4}


def test_a_reading_waits_until_the_disk_takes_it(tmp_path: Path) -> None:
    times = Times()
    made = meter(times)
    with home_of(tmp_path, made, records_max=1) as home:
        made.offer(T0, wh(100))
        assert home.collect(until=T0 + 10) == 1
        times.pass_(900)
        made.offer(T0 + 900, wh(200))
        with pytest.raises(OutboxFull):
            home.collect(until=T0 + 910)
        assert [one.instant for one in made.samples(None, T0 + 910)] == [T0 + 900]


def test_what_is_held_back_is_told_with_the_alarms(tmp_path: Path) -> None:
    made = meter(Times())
    with home_of(tmp_path, made) as home:
        made.offer(T0, wh(100))
        with pytest.raises(DriverFault):
            made.offer(T0 + 1, wh(1))
        home.collect(until=T0 + 10)
        assert [(name, text) for _, name, text in home.outbox.alarms()] == [
            ("held-back", "meter: decrease: 1-0:1.8.0*255")
        ]
