# SPDX-License-Identifier: Apache-2.0
"""An agent's home, its outbox and uplink, the gateway's application, a ledger in memory."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from emsagent import config as configuration
from emsagent.delivery import deliver
from emsagent.home import Home
from emsagent.outbox import State
from emsagent.uplink import Uplink
from pedchain_domain.reasons import Reason
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Unavailable
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services

T0 = 1_774_742_400
HOUR = 3_600


@pytest.fixture
def home(tmp_path: Path) -> Any:
    """A home with two days of hourly registers, signed into records of six hours."""
    lines = ["instant,1-0:1.8.0*255/Wh"]
    lines += [f"{T0 + hour * HOUR},{hour * 250}" for hour in range(48)]
    (tmp_path / "meter.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "agent.toml").write_text(
        'schema = "emsagent/1"\nnetwork = "test"\nchannel = "ped"\n'
        '[gateway.DistrictA]\nurl = "http://gateway"\n'
        '[[home]]\nid = "home"\ndistrict = "DistrictA"\nsamples_per_record = 6\n'
        '[[home.device]]\nid = "meter"\ndriver = { kind = "csv", file = "meter.csv" }\n'
    )
    config = configuration.load(tmp_path / "agent.toml")
    with Home(config, config.homes[0]) as opened:
        opened.collect(until=T0 + 48 * HOUR)
        yield opened


@pytest.fixture
async def uplink(home: Any, services: Services, tmp_path: Path) -> Any:
    config = configuration.load(tmp_path / "agent.toml")
    transport = httpx2.ASGITransport(app=create(services))
    async with Uplink(config.gateways["DistrictA"], transport) as opened:
        yield opened


async def test_what_the_meter_counted_stands_on_the_ledger_byte_for_byte(
    home: Any, uplink: Uplink, ledger: Any
) -> None:
    signed = [entry.content for entry in home.outbox.due(100)]
    assert len(signed) == 8
    assert await deliver(home, uplink) == 0
    assert ledger.records == signed
    assert home.outbox.counts()[State.RECORDED] == 8


async def test_a_day_without_ordering_drains_in_order_afterwards(
    home: Any, uplink: Uplink, ledger: Any
) -> None:
    signed = [entry.content for entry in home.outbox.due(100)]
    ledger.unavailable = Unavailable("no orderers")
    assert await deliver(home, uplink) > 0
    assert home.outbox.counts()[State.SENT] == 8
    ledger.unavailable = None
    home.outbox.set_pause(0, 0)
    assert await deliver(home, uplink) == 0
    assert ledger.records == signed


@pytest.mark.parametrize("committed", [True, False])
async def test_a_lost_outcome_ends_as_one_reading(
    home: Any,
    uplink: Uplink,
    ledger: Any,
    lost: Any,
    committed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signed = [entry.content for entry in home.outbox.due(100)]
    ledger.faults.append(lost(committed))
    assert await deliver(home, uplink) > 0
    monkeypatch.setattr(limits, "UNKNOWN_RESUBMIT_S", 0.0)
    home.outbox.set_pause(0, 0)
    assert await deliver(home, uplink) == 0
    assert sorted(ledger.records) == sorted(signed)
    assert home.outbox.counts()[State.RECORDED] == 8
    assert home.outbox.alarms() == []


async def test_a_rejection_reaches_the_agent_with_its_reason(
    home: Any, uplink: Uplink, ledger: Any
) -> None:
    ledger.verdicts["meter"] = Reason.REVOKED_KEY
    await deliver(home, uplink)
    assert home.outbox.counts()[State.REJECTED] == 8
    assert home.outbox.alarms()[0][1:] == ("rejected", "meter counter 1: revoked-key")


async def test_a_device_the_ledger_learns_of_later_loses_nothing(
    home: Any, uplink: Uplink, ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.verdicts["meter"] = Reason.UNKNOWN_DEVICE
    assert await deliver(home, uplink) > 0
    ledger.verdicts.clear()
    monkeypatch.setattr(limits, "REJECTION_REMEMBERED_S", 0.0)
    home.outbox.set_pause(0, 0)
    assert await deliver(home, uplink) == 0
    assert home.outbox.counts()[State.RECORDED] == 8
