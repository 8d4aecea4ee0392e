# SPDX-License-Identifier: Apache-2.0
"""A home reads, signs and remembers; a counter never stands for two payloads."""

from dataclasses import replace
from pathlib import Path

import pytest

from emsagent import home as home_module
from emsagent import keys
from emsagent.config import Config
from emsagent.errors import KeyFileError, OutboxFull, StateRegressed
from emsagent.home import Home, outbox_path
from emsagent.keyring import path_of
from emsagent.outbox import Outbox, State, Verdict
from pedchain_domain import ocmf

T0 = 1_774_742_400
HOUR = 3_600


@pytest.fixture
def home(street: Config):
    with Home(street, street.homes[0]) as opened:
        yield opened


def test_a_record_names_device_counter_domain_and_every_reading(home: Home) -> None:
    assert home.collect(until=T0 + 2 * HOUR) == 1
    (entry,) = home.outbox.due(10)
    record = ocmf.parse(entry.content)
    ocmf.verify(record, home.meters["home-1-grid"].key.public_key())
    assert (record.context, record.counter, record.device) == ("F", 1, "home-1-grid")
    assert record.domain == ("test", "ped")
    found = [(one.instant, one.obis, one.register, one.unit) for one in record.readings]
    assert found == [
        (T0 + hour * HOUR, obis, str(value), "Wh")
        for hour in range(3)
        for obis, value in (("1-0:1.8.0*255", 1_000 + 250 * hour), ("1-0:2.8.0*255", hour))
    ]


def test_an_instant_is_signed_once(home: Home) -> None:
    assert home.collect(until=T0 + HOUR) == 1
    assert home.collect(until=T0 + HOUR) == 0
    assert home.collect(until=T0 + 2 * HOUR) == 1
    instants = [
        [reading.instant for reading in ocmf.parse(entry.content).readings[::2]]
        for entry in home.outbox.due(10)
    ]
    assert instants == [[T0, T0 + HOUR], [T0 + 2 * HOUR]]


def test_a_backlog_goes_into_records_that_carry_many_readings(street: Config) -> None:
    config = replace(street.homes[0], samples_per_record=24)
    with Home(street, config) as home:
        assert home.collect(until=T0 + 72 * HOUR) == 4
        sizes = [len(ocmf.parse(entry.content).readings) for entry in home.outbox.due(10)]
        counters = [entry.counter for entry in home.outbox.due(10)]
    assert sizes == [48, 48, 48, 2]
    assert counters == [1, 2, 3, 4]


def test_a_reserved_counter_is_signed_with_its_first_payload(
    street: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends between taking the counter and signing: nothing is taken twice."""

    class PowerCutError(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCutError

    with Home(street, street.homes[0]) as home, monkeypatch.context() as patch:
        patch.setattr(home_module.records, "sign", cut)
        with pytest.raises(PowerCutError):
            home.collect(until=T0 + HOUR)
        (reserved,) = home.outbox.unsigned()
    with Home(street, street.homes[0]) as home:
        (entry,) = home.outbox.due(10)
        assert ocmf.parse(entry.content).payload == reserved.content
        assert home.outbox.unsigned() == []
        assert home.collect(until=T0 + HOUR) == 0


def test_a_restored_outbox_is_refused(street: Config) -> None:
    path = outbox_path(street, "home-1")
    with Home(street, street.homes[0]) as home:
        home.collect(until=T0 + HOUR)
    copy = path.read_bytes()
    with Home(street, street.homes[0]) as home:
        home.collect(until=T0 + 2 * HOUR)
    path.write_bytes(copy)
    with pytest.raises(StateRegressed, match="ends at 1"):
        Home(street, street.homes[0])


def test_a_lost_outbox_is_refused(street: Config) -> None:
    with Home(street, street.homes[0]) as home:
        home.collect(until=T0 + HOUR)
    for file in outbox_path(street, "home-1").parent.iterdir():
        file.unlink()
    with pytest.raises(StateRegressed, match="ends at 0"):
        Home(street, street.homes[0])


def test_a_lost_key_is_not_replaced_in_silence(street: Config) -> None:
    with Home(street, street.homes[0]) as home:
        home.collect(until=T0 + HOUR)
    path_of(street, "home-1-grid").unlink()
    with pytest.raises(KeyFileError, match="is gone"):
        Home(street, street.homes[0])


def test_a_full_outbox_refuses_loudly_and_the_energy_comes_with_the_next(street: Config) -> None:
    config = replace(street.homes[0], samples_per_record=1, records_max=2)
    with Home(street, config) as home:
        with pytest.raises(OutboxFull, match="2 records were not accepted"):
            home.collect(until=T0 + 3 * HOUR)
        assert [name for _, name, _ in home.outbox.alarms()] == ["outbox-full"]
        home.outbox.settle([Verdict(entry.id, State.RECORDED) for entry in home.outbox.due(2)])
        assert home.collect(until=T0 + 3 * HOUR) == 2
        last = ocmf.parse(home.outbox.due(10)[-1].content)
    assert last.readings[0].register == "1750"


def test_a_meters_fault_is_an_alarm_and_stops_no_other(street: Config, tmp_path: Path) -> None:
    devices = street.homes[0].devices + street.homes[1].devices
    broken = tmp_path / "registers/home-1-grid.csv"
    broken.write_text("instant,1-0:1.8.0*255/Wh\n900,garbage\n")
    with Home(street, replace(street.homes[0], devices=devices)) as home:
        assert home.collect(until=T0 + HOUR) == 1
        ((_, name, detail),) = home.outbox.alarms()
    assert name == "driver-fault"
    assert "home-1-grid" in detail


def test_a_change_of_time_status_starts_a_new_record(street: Config, tmp_path: Path) -> None:
    file = tmp_path / "registers/home-1-grid.csv"
    file.write_text("instant,1-0:1.8.0*255/Wh,sync\n900,1,S\n1800,2,U\n2700,3,U\n")
    with Home(street, street.homes[0]) as home:
        home.collect(until=T0)
        records = [ocmf.parse(entry.content) for entry in home.outbox.due(10)]
    assert [[one.state for one in record.readings] for record in records] == [["S"], ["U", "U"]]


def test_a_device_that_left_the_configuration_keeps_its_records(street: Config) -> None:
    with Home(street, street.homes[0]) as home:
        home.collect(until=T0 + HOUR)
        key = keys.public_hex(home.meters["home-1-grid"].key)
    assert key == keys.public_hex(keys.load(path_of(street, "home-1-grid")))
    with Outbox(outbox_path(street, "home-1")) as outbox:
        assert len(outbox.due(10)) == 1
