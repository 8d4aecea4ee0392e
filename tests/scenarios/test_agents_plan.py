# SPDX-License-Identifier: Apache-2.0
"""An agent that plans by itself: over a certified district and its market, at its own gateway.

It learns from its meter, follows the surplus the district publishes, tells its battery a power, and
has an order in the market, which it amends when its owner wants another price. The day is one of
last year: the agent lives in the ledger's time.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from emsagent import config as configuration
from emsagent import run as live
from pedchain_domain.market.tokenid import to_hex
from tests import ports
from tests.scenarios.certified import BIN
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.trading import BEFORE, HOUR, NOON, POWER, TODAY, Trading, prosumer, trading
from tests.unit.chaincode.district import DAY
from tests.unit.chaincode.exchange import Prosumer

pytestmark = pytest.mark.timeout(500)
LEARNT_DAYS, QUARTER = 12, 900
NOW = BEFORE + HOUR
AGENT = """
schema = "emsagent/1"
network = "pedchain"
channel = "ped"
[gateway.DistrictA]
url = "URL"
[[home]]
id = "home-1"
district = "DistrictA"
[[home.device]]
id = "grid"
driver = { kind = "csv", file = "grid.csv" }
[[home.device]]
id = "battery"
driver = { kind = "battery", capacity_wh = 1000, level_wh = 500 }
[[plan]]
home = "home-1"
grid = "grid"
buy = 280000
sell = 80000
local_value = 20000
[[plan.store]]
device = "battery"
capacity_wh = 1000
in_w = 1000
out_w = 1000
efficiency_ppm = 950000
[[market]]
home = "home-1"
account = "acc-home-1"
key_file = "account.pem"
token_file = "person.token"
zone = 1
offer_price = PRICE
hour_max_wh = 5000
loss_max_ucur = 1000000
every_s = 5
"""


@contextmanager
def serving(network: Network, folder: Path) -> Iterator[str]:
    """DistrictA's gateway; its URL."""
    with ports.free() as port:
        (folder / "gateway.toml").write_text(
            f'profile = "{network.profile("DistrictA")}"\nstate = "gateway"\n'
            f'listen = "127.0.0.1:{port}"\n[districts.DistrictA]\n'
        )
        command = [str(BIN / "ped-gateway"), "serve", "--config", str(folder / "gateway.toml")]
        with (folder / "gateway.log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(60) is not None


def laid_out(folder: Path, who: Prosumer) -> None:
    """What the home's meter read, its account's key, its owner's token."""
    rows, drawn, fed = ["instant,1-0:1.8.0*255/Wh,1-0:2.8.0*255/Wh"], 0, 0
    for at in range(NOW - LEARNT_DAYS * DAY, NOW + DAY, QUARTER):
        rows.append(f"{at},{drawn},{fed}")
        is_noon = at % DAY // HOUR == 12
        drawn, fed = drawn + (0 if is_noon else 125), fed + (500 if is_noon else 0)
    (folder / "grid.csv").write_text("\n".join([*rows, ""]))
    pem = who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "account.pem").write_bytes(pem)
    command = [str(BIN / "ped-gateway"), "token", "--config", str(folder / "gateway.toml")]
    command += ["--role", "prosumer", "--account", who.name]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    (folder / "person.token").write_text(made.stdout)


@asynccontextmanager
async def agent(folder: Path, url: str, price: int) -> AsyncIterator[None]:
    """The agent, running while the block does, in the ledger's time."""
    text = AGENT.replace("URL", url).replace("PRICE", str(price))
    (folder / "agent.toml").write_text(text)
    config, stop, began = configuration.load(folder / "agent.toml"), asyncio.Event(), time.time()
    work = asyncio.create_task(live.run(config, stop, lambda: NOW + time.time() - began))
    try:
        yield
        assert not work.done(), work
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await work


async def until(holds: Callable[[], Any]) -> Any:
    """Wait for something, with a deadline."""
    async with asyncio.timeout(120):
        while not (found := await holds()):  # noqa: ASYNC110 - other processes make it true
            await asyncio.sleep(0.2)
    return found


async def offer(market: Trading, price: int) -> dict[str, Any] | None:
    """The account's one offer, once it is at this price."""
    found = list((await market.ask("market:ListOrders", "acc-home-1", "")).values())
    assert len(found) <= 1
    return found[0] if found and found[0]["lines"][0]["limit"] == price else None


@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_an_agent_plans_follows_the_surplus_and_places_an_order(
    runtime: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "emsagent")
    with make_network(runtime, tmp_path) as network:
        network.run("up")
        async with trading(network) as market:
            who = prosumer("home-1", 1)
            await market.register(who)
            with serving(network, tmp_path) as url:
                laid_out(tmp_path, who)
                await until(lambda: is_up(url))
                async with agent(tmp_path, url, 100_000):
                    first = await until(lambda: offer(market, 100_000))
                    await until(lambda: told(caplog))
                async with agent(tmp_path, url, 120_000):
                    await until(lambda: offer(market, 120_000))
                check_surplus(tmp_path, httpx2.get(f"{url}/v1/districts/DistrictA/surplus/{day()}"))
    [line] = first["lines"]
    assert line["session"] == to_hex(POWER.token)
    wanted = json.loads((tmp_path / "state/market/home-1.json").read_text())["orders"][0]
    # what it fed in at noon on each day was 2,000 Wh; the plan keeps some of it
    assert 1_000 <= line["quantity"] <= 2_000
    assert first["deposit"] == line["quantity"] * (280_000 - 100_000) // 1_000
    assert wanted["most_lost_ucur"] == wanted["lines"][0]["wh"] * (280_000 - 120_000) // 1_000


async def is_up(url: str) -> bool:
    try:
        async with httpx2.AsyncClient() as http:
            await http.get(f"{url}/healthz")
    except httpx2.TransportError:
        return False
    return True


async def told(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the battery was told a power."""
    return "told" in caplog.messages


def day() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(TODAY))


def check_surplus(folder: Path, answer: Any) -> None:
    """The plan's prices are the tariff, less what the published surplus makes of it."""
    ppm = answer.json()["hours_ppm"]
    assert max(ppm) > 0
    asked = json.loads((folder / "state/plan/home-1.json").read_text())["problem"]
    slots = range(len(asked["buy"]))
    buy = {asked["start"] + slot * asked["step_s"]: asked["buy"][slot] for slot in slots}
    for hour in range(24):
        if TODAY + hour * HOUR in buy:
            assert buy[TODAY + hour * HOUR] == 280_000 - 20_000 * ppm[hour] // 1_000_000
    assert buy[NOON] < buy[TODAY]
