# SPDX-License-Identifier: Apache-2.0
"""A home that plans by itself: what is learnt, what is planned, who is told what, who wins."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from emsagent import config as configuration
from emsagent import limits
from emsagent.acting import Actor
from emsagent.check import check
from emsagent.config import Config, GatewayConfig
from emsagent.drivers import Register, Sample
from emsagent.drivers.battery import EXPORT, IMPORT, Battery
from emsagent.errors import ConfigError, UplinkError
from emsagent.home import Home
from emsagent.keyring import path_of
from emsagent.keys import load_or_create
from emsagent.promises import Promise
from emsagent.steering import foresight, signal
from emsagent.steering.foresight import Asked
from emsagent.steering.gain import Offer, gain
from emsagent.steering.hands import Hand
from emsagent.steering.past import IN, OUT, Past, load
from emsagent.steering.pausing import pause
from emsagent.steering.steward import Steward
from emsagent.steering.wishes import STEP_S
from emsagent.uplink import Uplink

DAY = 86_400
NOW = 1_774_742_400 + 12 * 3_600
TEXT = """
schema = "emsagent/1"
network = "test"
channel = "ped"
[gateway.DistrictA]
url = "http://gateway"
[[home]]
id = "home"
district = "DistrictA"
[[home.device]]
id = "grid"
driver = { kind = "csv", file = "grid.csv" }
[[home.device]]
id = "battery"
driver = { kind = "battery", capacity_wh = 8000, level_wh = 8000 }
[[plan]]
home = "home"
grid = "grid"
buy = [BUY]
sell = 80000
local_value = 20000
[[plan.store]]
device = "battery"
capacity_wh = 8000
in_w = 3000
out_w = 3000
efficiency_ppm = 950000
reserve_wh = 800
""".replace("[BUY]", str([220_000] * 7 + [320_000] * 15 + [220_000] * 2))


def written(folder: Path, text: str = TEXT) -> Config:
    (folder / "agent.toml").write_text(text)
    (folder / "grid.csv").write_text("instant,1-0:1.8.0*255/Wh\n0,0\n")
    return configuration.load(folder / "agent.toml")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return written(tmp_path)


def learnt(steward: Steward, days: int = 5) -> None:
    """A home that has drawn 125 Wh in each quarter-hour of the days before."""
    slots = dict.fromkeys(range(NOW - days * DAY, NOW, STEP_S), 125)
    steward.past.slots["grid"] = {IN: slots, OUT: dict.fromkeys(slots, 0)}


class Gateway:
    """Tells of a surplus, or of nothing."""

    def __init__(self, ppm: int | None = 0) -> None:
        self.ppm, self.asked = ppm, 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        assert request.url.path.startswith("/v1/districts/DistrictA/surplus/")
        if self.ppm is None:
            return httpx2.Response(404, json={"reason": "group-too-small"})
        at_noon = [self.ppm if 10 <= hour < 16 else 0 for hour in range(24)]
        return httpx2.Response(200, json={"hours_ppm": at_noon})

    @property
    def uplink(self) -> Uplink:
        return Uplink(
            GatewayConfig("DistrictA", "http://gateway", None), httpx2.MockTransport(self)
        )


def follower(*promises: Promise, acts: str | None = "battery") -> Any:
    found = SimpleNamespace(promises={str(at): one for at, one in enumerate(promises)})
    found.consent = SimpleNamespace(acts=acts)
    found.setpoint = lambda now: next(
        (one.watts for one in promises if one.start <= now < one.until), None
    )
    return found


def order(start: int, watts: int, hours: int = 1) -> Promise:
    body = {"direction": "down" if watts < 0 else "up", "power_w": abs(watts), "start": start}
    return Promise({**body, "count": hours, "grain": 3_600}, "acknowledge")


async def test_it_learns_plans_and_tells_its_battery_the_power(config: Config) -> None:
    with Home(config, config.homes[0]) as home:
        steward = Steward(config, config.plans[0], home, None, lambda: NOW)
        assert not steward.is_due()  # nothing was measured yet
        assert steward.setpoint("battery", NOW) is None
        learnt(steward)
        assert steward.is_due()
        gateway = Gateway()
        async with gateway.uplink as uplink:
            await steward.plan(uplink)
        assert gateway.asked == 3
        assert not steward.is_due()
        # by day drawing is dear: the battery covers the load, 500 W
        assert steward.setpoint("battery", NOW) == pytest.approx(-500, abs=5)
        kept = json.loads((config.state / "plan" / "home.json").read_text())
        assert kept["figures"]["cost_ucur"] < kept["unmanaged"]["cost_ucur"]
        assert set(kept["plan"]["reasons"]) <= {"cover-load", "take-cheap", "idle", "sell-dear"}
        shown = home.intent()["plan"]
        assert isinstance(shown, dict)
        assert shown["cost_ucur"] < shown["unmanaged_cost_ucur"]
        late = NOW + config.plans[0].every_s + limits.PLAN_LATE_S + 1
        assert steward.setpoint("battery", late) is None  # a plan nobody renews tells nothing


async def test_the_occupants_word_wins_over_plan_and_order(config: Config) -> None:
    promised = order(NOW - 3_600, -300, hours=3)
    with Home(config, config.homes[0]) as home:
        steward = Steward(config, config.plans[0], home, follower(promised), lambda: NOW)
        assert steward.setpoint("battery", NOW) == -300  # an order without a plan
        learnt(steward)
        async with Gateway(None).uplink as uplink:
            await steward.plan(uplink)
        planned = steward.setpoint("battery", NOW)
        assert planned is not None
        assert planned <= -299
        pause(config, "home", paused=True)
        assert steward.setpoint("battery", NOW) is None
        assert not steward.is_due()
        pause(config, "home", paused=False)
        assert steward.setpoint("battery", NOW) is not None
        promised.ends = NOW - 3_600  # opted out
        assert steward.is_due()
    with pytest.raises(ConfigError, match="plans nothing"):
        pause(config, "other", paused=True)


async def test_a_hand_is_a_voice_for_one_device(config: Config) -> None:
    told: list[int | None] = []

    class Device:
        async def command(self, watts: int | None) -> None:
            told.append(watts)

    with Home(config, config.homes[0]) as home:
        steward = Steward(config, config.plans[0], home, follower(order(NOW, -400)), lambda: NOW)
        actor = Actor("battery", Device(), Hand(steward, "battery"))
        await actor.turn(NOW, 0.0)
        pause(config, "home", paused=True)
        await actor.turn(NOW, 1.0)
    assert told == [-400, None]


async def test_the_surplus_moves_what_is_taken_into_its_hours(config: Config) -> None:
    """With one price all day, stores are filled when the district has most to spare."""
    flat = config.plans[0]
    text = (config.state.parent / "agent.toml").read_text()
    flat_text = text.replace(str(list(flat.buy)), "300000").replace(
        "level_wh = 8000", "level_wh = 0"
    )
    flat_text = flat_text.replace("reserve_wh = 800", "reserve_wh = 0\nused_wh = 4000")
    made = written(config.state.parent, flat_text)
    taken = {}
    for ppm in (0, 900_000):
        with Home(made, made.homes[0]) as home:
            steward = Steward(made, made.plans[0], home, None, lambda: NOW)
            learnt(steward)
            async with Gateway(ppm).uplink as uplink:
                await steward.plan(uplink)
            assert steward.made is not None
            _, asked, plan = steward.made
            noon = [at for at in range(96) if 10 <= (asked.start // 3_600 + at // 4) % 24 < 16]
            taken[ppm] = sum(max(0, plan.moves["battery"][at]) for at in noon)
    assert taken[900_000] > taken[0]


def test_an_order_bounds_the_plan_against_what_would_be_drawn(config: Config) -> None:
    past = Past(config.state / "none.json")
    past.slots["grid"] = {IN: dict.fromkeys(range(NOW - DAY, NOW, STEP_S), 125), OUT: {}}
    wish = config.plans[0]
    orders = [Asked(NOW + 3_600, NOW + 7_200, -400), Asked(NOW + 7_200, NOW + 10_800, 300)]
    found = foresight.problem(wish, past, {"battery": 99_999}, NOW, orders)
    assert found.ceiling_w[3:9] == [None, 100, 100, 100, 100, None]
    assert found.floor_w[7:13] == [None, 800, 800, 800, 800, None]
    assert found.stores[0].level_wh == 8_000
    assert foresight.problem(wish, past, {}, NOW).stores == []


def test_a_car_is_away_and_ready_when_it_leaves(config: Config, tmp_path: Path) -> None:
    car = "away_from_hour = 7\naway_to_hour = 18\nready_wh = 6000\nused_wh = 3000\n"
    made = written(tmp_path, TEXT + car)
    past = Past(tmp_path / "none.json")
    past.slots["grid"] = {IN: dict.fromkeys(range(NOW - DAY, NOW, STEP_S), 125), OUT: {}}
    [store] = foresight.problem(made.plans[0], past, {"battery": 0}, NOW).stores
    hours = [(NOW // 3_600 + at // 4) % 24 for at in range(192)]
    assert [not 7 <= hour < 18 for hour in hours] == list(store.connected)
    assert sum(store.drain_wh) == 2 * 3_000
    assert max(store.least_wh) == 6_000
    assert hours[store.least_wh.index(6_000)] == 6


def test_energy_is_learnt_by_quarter_hours_and_gaps_are_left_out(tmp_path: Path) -> None:
    past = Past(tmp_path / "past.json")

    def read(at: int, drawn: int) -> Sample:
        return Sample(at, "S", (Register(IMPORT, str(drawn), "Wh"), Register(EXPORT, "0", "kWh")))

    past.hear("grid", [read(NOW, 0), read(NOW + 1_350, 300), read(NOW + 1_350 + 7 * 3_600, 900)])
    assert past.of("grid", IN) == {NOW: 200, NOW + 900: 100}
    past.hear("grid", [read(NOW + 8 * 3_600, 100)])  # a register that went back tells nothing
    assert past.power("grid", NOW + 1_350) is None
    past.hear("grid", [read(NOW + 8 * 3_600 + 60, 110)])
    assert past.power("grid", NOW + 8 * 3_600 + 70) == (600, 0)
    past.keep()
    again = Past(tmp_path / "past.json")
    assert again.slots == past.slots
    (tmp_path / "past.json").write_text("{")
    assert Past(tmp_path / "past.json").slots == {}


def test_what_was_used_leaves_out_what_stores_took(config: Config) -> None:
    past = Past(config.state / "none.json")
    past.slots = {
        "grid": {IN: {0: 500, 900: 100}, OUT: {0: 0}},
        "battery": {IN: {0: 300}, OUT: {900: 200}},
    }
    assert load(past, config.plans[0]) == {0: 200, 900: 300}


async def test_what_an_order_would_bring_is_told_before(config: Config) -> None:
    offer = Offer(NOW + 6 * 3_600, NOW + 7 * 3_600, -400, 2_000_000)
    with pytest.raises(ConfigError, match="no plan yet"):
        await gain(config, "home", offer)
    with Home(config, config.homes[0]) as home:
        steward = Steward(config, config.plans[0], home, None, lambda: NOW)
        learnt(steward)
        async with Gateway().uplink as uplink:
            await steward.plan(uplink)
    found = await gain(config, "home", offer)
    assert found["of_wh"] == 400
    assert 0 < int(str(found["would_deliver_wh"])) <= 400
    assert found["pays_ucur"] == int(str(found["would_deliver_wh"])) * 1_600
    assert found["gain_ucur"] == int(str(found["pays_ucur"])) - int(str(found["costs_ucur"]))
    with pytest.raises(ConfigError, match="not within"):
        await gain(config, "home", Offer(NOW - DAY, NOW, -400, 1))


@pytest.mark.parametrize("told", [{}, {"hours_ppm": [0] * 23}, {"hours_ppm": [2_000_000] * 24}])
def test_a_signal_that_is_none_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(UplinkError, match="cannot be read"):
        signal.read(told, NOW)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('grid = "grid"', 'grid = "other"', r"plan\[0\].grid"),
        ("sell = 80000", "sell = [1, 2]", r"plan\[0\].sell"),
        ("reserve_wh = 800", "reserve_wh = 9000", r"plan\[0\].store\[0\].reserve_wh"),
        ("local_value = 20000", "curtails = true", r"plan\[0\].curtails"),
    ],
)
def test_a_wrong_wish_is_named(tmp_path: Path, old: str, new: str, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        written(tmp_path, TEXT.replace(old, new))


async def test_the_simulated_battery_keeps_its_limits_and_rests_when_forgotten() -> None:
    now = [0.0]
    battery = Battery(60, 1_000, 500, 2_000, 1_000, lambda: now[0])
    await battery.command(9_000)
    now[0] = 60
    assert battery.level_ppm() == 533_000
    await battery.command(-9_000)
    now[0] = 60 + 2 * limits.COMMAND_S
    assert battery.level_ppm() == (533_333 - 1_000_000 * limits.COMMAND_S // 3_600) // 1_000 * 1_000
    [sample] = battery.samples(None, int(now[0]))
    assert [one.text for one in sample.registers] == ["33", "83"]
    assert list(battery.samples(sample.instant, int(now[0]))) == []


async def test_a_plan_is_made_by_a_running_task(config: Config) -> None:
    load_or_create(path_of(config, "grid"))
    with Home(config, config.homes[0]) as home:
        steward = Steward(config, config.plans[0], home, None, lambda: NOW)
        learnt(steward)
        async with Gateway().uplink as uplink:
            task = asyncio.create_task(steward.serve(uplink, asyncio.Semaphore(1)))
            async with asyncio.timeout(30):
                while steward.made is None:  # noqa: ASYNC110 - another process makes it true
                    await asyncio.sleep(0.01)
            task.cancel()


def test_check_names_a_device_that_cannot_be_told_a_power(config: Config, tmp_path: Path) -> None:
    assert check(config) == []
    text = TEXT.replace('device = "battery"', 'device = "grid"')
    [finding] = check(written(tmp_path, text))
    assert (finding["device"], finding["code"]) == ("grid", "config")
    live = 'kind = "mqtt", host = "h", registers = [{ obis = "1-0:1.8.0*255", topic = "t" }]'
    assert check(written(tmp_path, TEXT.replace('kind = "csv", file = "grid.csv"', live))) == []
