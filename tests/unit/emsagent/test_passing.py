# SPDX-License-Identifier: Apache-2.0
"""Meters that sign themselves: their records go out as they are, once, under their own counters."""

import functools
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import config as configuration
from emsagent.delivery import deliver
from emsagent.home import Home
from emsagent.uplink import Uplink
from pedchain_domain import ocmf
from tests.unit.emsagent.conftest import FakeGateway

KEY = ec.generate_private_key(ec.SECP256R1())


@functools.cache  # a signature is another each time
def record(counter: int, value: str = "1.0", device: str = "meter") -> bytes:
    payload = (
        f'{{"FV":"1.0","GI":"M","GS":"{device}","PG":"F{counter}","MS":"{device}","RD":[{{"TM":'
        f'"2026-03-29T0{counter}:00:00,000+0000 S","RV":"{value}","RI":"1-0:1.8.0*255",'
        f'"RU":"kWh","ST":"G"}}]}}'
    )
    return ocmf.sign(payload.encode(), KEY)


@pytest.fixture
def config(tmp_path: Path, gateway: FakeGateway) -> configuration.Config:
    (tmp_path / "in").mkdir()
    (tmp_path / "agent.toml").write_text(
        f'schema = "emsagent/1"\nnetwork = "n"\nchannel = "c"\n[gateway.D]\nurl = "{gateway.url}"\n'
        '[[home]]\nid = "home"\ndistrict = "D"\n'
        '[[home.device]]\nid = "meter"\ndriver = { kind = "ocmf", folder = "in" }\n'
    )
    return configuration.load(tmp_path / "agent.toml")


def put(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "in" / f"{name}.ocmf").write_bytes(content + b"\n")


async def test_a_record_is_sent_as_its_meter_signed_it_and_once(
    config: configuration.Config, gateway: FakeGateway, tmp_path: Path
) -> None:
    gateway.keys["meter"] = KEY.public_key()
    put(tmp_path, "a", record(4))
    put(tmp_path, "b", record(5))
    with Home(config, config.homes[0]) as home:
        assert home.collect(until=0) == 2
        put(tmp_path, "again", record(4))
        assert home.collect(until=0) == 0
        async with Uplink(config.gateways["D"]) as uplink:
            assert await deliver(home, uplink) == 0.0
        assert home.outbox.alarms() == []
    assert sorted(gateway.payloads) == [("meter", 4), ("meter", 5)]
    assert [one.name for one in sorted((tmp_path / "in/sent").iterdir())] == [
        "a.ocmf",
        "again.ocmf",
        "b.ocmf",
    ]
    assert not (tmp_path / "state/keys/meter.pem").exists()


@pytest.mark.parametrize(
    ("content", "alarm"),
    [
        (record(1, device="other"), "meter: device: the record names another device"),
        (b"OCMF|{}|{}", "meter: record: malformed-signature"),
        (record(3) + b"\n" + record(4), "meter: record: too long, or of several lines"),
    ],
)
def test_what_can_be_no_record_of_this_meter_stops_nothing(
    config: configuration.Config, tmp_path: Path, content: bytes, alarm: str
) -> None:
    put(tmp_path, "bad", content)
    put(tmp_path, "good", record(2))
    with Home(config, config.homes[0]) as home:
        assert home.collect(until=0) == 1
        assert [text for _, _, text in home.outbox.alarms()] == [alarm]
    assert (tmp_path / "in/refused/bad.ocmf").exists()


def test_a_meter_that_signs_one_counter_twice_is_told(
    config: configuration.Config, tmp_path: Path
) -> None:
    with Home(config, config.homes[0]) as home:
        for number, value in enumerate(("1.0", "2.0")):
            put(tmp_path, str(number), record(2, value))
            home.collect(until=0)
        ((_, name, text),) = home.outbox.alarms()
    assert (name, text) == ("device-blocked", "meter: meter signed counter 2 twice")
