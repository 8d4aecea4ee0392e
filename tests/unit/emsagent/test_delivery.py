# SPDX-License-Identifier: Apache-2.0
"""Delivery: the same bytes until an answer, each answer with its own consequence."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emsagent import limits
from emsagent.backoff import wait_s
from emsagent.config import Config
from emsagent.delivery import deliver
from emsagent.home import Home
from emsagent.outbox import State
from emsagent.uplink import Uplink

T0 = 1_774_742_400
HOUR = 3_600
KEY = ("home-1-grid", 1)


@pytest.fixture
def home(street: Config):
    with Home(street, street.homes[0]) as opened:
        opened.collect(until=T0 + HOUR)
        yield opened


@pytest.fixture
async def uplink(street: Config) -> AsyncIterator[Uplink]:
    async with Uplink(street.gateways["DistrictA"]) as opened:
        yield opened


async def test_a_recorded_record_is_settled(home: Home, uplink: Uplink, gateway: Any) -> None:
    assert await deliver(home, uplink) == 0
    assert home.outbox.counts()[State.RECORDED] == 1
    assert list(gateway.payloads) == [KEY]
    assert home.outbox.alarms() == []


@pytest.mark.fault(33)
async def test_a_lost_answer_means_the_same_bytes_again(
    home: Home, uplink: Uplink, gateway: Any
) -> None:
    """`duplicate` after a lost answer is success: the ledger has the record once."""
    gateway.swallow_answers = 1
    assert await deliver(home, uplink) > 0
    (entry,) = home.outbox.due(10)
    assert entry.attempts == 1
    home.outbox.set_pause(1, 0)
    assert await deliver(home, uplink) == 0
    assert gateway.received == [KEY, KEY]
    assert home.outbox.counts()[State.RECORDED] == 1
    assert home.outbox.pause() == (0, 0)
    assert home.outbox.alarms() == []


async def test_a_duplicate_before_our_first_attempt_is_an_alarm(
    home: Home, uplink: Uplink, gateway: Any
) -> None:
    """Somebody else holds this key: a cloned disk."""
    gateway.override[KEY] = {"status": "duplicate", "transaction": "tx"}
    await deliver(home, uplink)
    assert [name for _, name, _ in home.outbox.alarms()] == ["sent-by-another"]
    assert home.outbox.counts()[State.RECORDED] == 1


async def test_a_conflict_raises_an_alarm_and_stops_the_device(
    home: Home, uplink: Uplink, gateway: Any
) -> None:
    gateway.override[KEY] = {"status": "conflict", "reason": "conflict"}
    await deliver(home, uplink)
    assert home.collect(until=T0 + 2 * HOUR) == 0
    names = [name for _, name, _ in home.outbox.alarms()]
    assert names == ["conflict", "device-blocked"]
    assert home.outbox.counts()[State.CONFLICT] == 1


async def test_a_rejection_is_kept_and_told(home: Home, uplink: Uplink, gateway: Any) -> None:
    gateway.override[KEY] = {"status": "rejected", "reason": "bad-signature"}
    assert await deliver(home, uplink) == 0
    ((_, name, detail),) = home.outbox.alarms()
    assert (name, detail) == ("rejected", "home-1-grid counter 1: bad-signature")


async def test_a_device_not_registered_yet_waits(home: Home, uplink: Uplink, gateway: Any) -> None:
    gateway.override[KEY] = {"status": "rejected", "reason": "unknown-device"}
    assert await deliver(home, uplink) > 0
    gateway.override.clear()
    home.outbox.set_pause(1, 0)
    assert await deliver(home, uplink) == 0
    assert home.outbox.counts()[State.RECORDED] == 1


async def test_an_unknown_outcome_stays_due(home: Home, uplink: Uplink, gateway: Any) -> None:
    gateway.override[KEY] = {"status": "unknown", "transaction": "tx"}
    assert await deliver(home, uplink) > 0
    assert len(home.outbox.due(10)) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_respected(
    home: Home, uplink: Uplink, gateway: Any, status: int
) -> None:
    gateway.refuse = [(status, {"retry-after": "120"})]
    assert 100 < await deliver(home, uplink) <= 121
    assert gateway.posts == 1
    assert await deliver(home, uplink) > 100
    assert gateway.posts == 1


async def test_a_request_too_large_is_halved(street: Config, uplink: Uplink, gateway: Any) -> None:
    gateway.refuse = [(413, {})]
    with Home(street, street.homes[1]) as home:
        for hour in range(4):
            home.collect(until=T0 + hour * HOUR)
        await deliver(home, uplink)
        home.outbox.set_pause(1, 0)
        assert await deliver(home, uplink) == 0
    assert uplink.records_max == 2
    assert [counter for _, counter in gateway.received] == [1, 2, 3, 4]


async def test_records_go_oldest_first_within_the_gateways_limits(
    street: Config, uplink: Uplink, gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "POST_BYTES_MAX", 1_000)
    with Home(street, street.homes[0]) as home:
        for hour in range(8):
            home.collect(until=T0 + hour * HOUR)
        assert await deliver(home, uplink) == 0
    assert [counter for _, counter in gateway.received] == list(range(1, 9))
    assert gateway.posts > 1


async def test_a_gateway_that_is_not_there_is_a_pause(home: Home, street: Config) -> None:
    gateway = street.gateways["DistrictA"]
    nowhere = type(gateway)(gateway.district, "http://127.0.0.1:9", None)
    async with Uplink(nowhere) as uplink:
        assert await deliver(home, uplink) > 0
    failures, until_ms = home.outbox.pause()
    assert failures == 1
    assert until_ms > 0


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_waits_double_within_bounds(failures: int, chance: float) -> None:
    wait = wait_s(failures, None, lambda: chance)
    assert limits.BACKOFF_FIRST_S / 2 <= wait <= limits.BACKOFF_MAX_S


def test_what_the_gateway_asks_for_is_the_least_within_reason() -> None:
    assert wait_s(1, 60.0, lambda: 0.0) == 60.0
    assert wait_s(1, 1e9, lambda: 0.0) == limits.RETRY_AFTER_MAX_S
