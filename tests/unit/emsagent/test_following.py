# SPDX-License-Identifier: Apache-2.0
"""A home in demand response: it answers what it obeys, keeps promises, and leaves when it may."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emsagent import config as configuration
from emsagent.config import GatewayConfig
from emsagent.errors import ConfigError, Declined, NotObeyed, PlanUnreadable
from emsagent.following import Follower, consent_of
from emsagent.keyring import path_of
from emsagent.keys import load_or_create, public_hex
from emsagent.uplink import Uplink
from pedchain_domain import signed
from pedchain_domain.flexibility import enrolment, papers
from tests.unit.emsagent.conftest import config_text
from tests.unit.emsagent.flexhome import DOMAIN, HOUR, ISSUER, START, dispatch

FLEXIBLE = """
[[flexibility]]
home = "home-1"
meter = "home-1-grid"
site = "site-1"
device = "device-1"
provider = "aggregator"
account = "acc-1"
down_w = 400
issuers = ["{issuer}"]
setpoints = "setpoints/home-1.csv"
"""


class Gateway:
    """What the ledger has for the home, and what the home sent."""

    def __init__(self) -> None:
        self.dispatches: list[Any] = [dispatch()]
        self.sent: list[tuple[str, Any]] = []
        self.refuses: dict[str, tuple[int, str]] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.rpartition("/")[2]
        assert request.url.path == f"/v1/districts/DistrictA/flexibility/{name}"
        self.sent.append((name, json.loads(request.content)))
        if name in self.refuses:
            status, reason = self.refuses[name]
            return httpx2.Response(status, json={"reason": reason})
        told = {"dispatches": self.dispatches} if name == "dispatches" else {"status": "recorded"}
        return httpx2.Response(200, json=told)

    def answers(self) -> list[str]:
        return [
            one["document"]["answer"]
            for name, body in self.sent
            if name == "answers"
            for one in body["answers"]
        ]

    @property
    def uplink(self) -> Uplink:
        there = GatewayConfig("DistrictA", "http://gateway", None)
        return Uplink(there, httpx2.MockTransport(self))


Make = Callable[..., Follower]


@pytest.fixture
def follower(tmp_path: Path) -> Make:
    def make(more: str = "") -> Follower:
        file = tmp_path / "agent.toml"
        text = FLEXIBLE.format(issuer=public_hex(ISSUER))
        file.write_text(config_text("http://gateway") + text + more)
        config = configuration.load(file)
        load_or_create(path_of(config, "home-1-grid"))
        return Follower(config, consent_of(config, "home-1"))

    return make


def setpoints(home: Follower) -> list[str]:
    return home.consent.setpoints.read_text().splitlines()[1:]


async def test_a_dispatch_is_acknowledged_and_becomes_a_setpoint(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    async with gateway.uplink as uplink:
        for _ in range(2):
            await home.turn(uplink, START - HOUR)
    assert gateway.answers() == [papers.ACKNOWLEDGE]
    assert setpoints(home) == [f"{START},{START + 2 * HOUR},-400"]


async def test_all_it_sends_is_signed_by_its_device(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    async with gateway.uplink as uplink:
        paper = await home.enrol(uplink, "1234", START)
        await home.turn(uplink, START - HOUR)
        await home.withdraw(uplink, START)
    sent = [paper, gateway.sent[1][1]["inquiry"], gateway.sent[2][1]["answers"][0]]
    sent.append(gateway.sent[3][1]["withdrawal"])
    key = public_hex(home._key)
    for one in sent:
        message = papers.message(one["document"], *DOMAIN, papers.contract_of("DistrictA"))
        signed.verify(key, message, one["signature"])
        assert one["document"]["device"] == "device-1"
    assert gateway.sent[0][1]["code"] == "1234"
    enrolment.check(paper["document"], {"plan": "P0"})


async def test_what_is_not_obeyed_is_neither_answered_nor_done(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    gateway.dispatches = [dispatch(site="site-2"), dispatch(power_w=401)]
    async with gateway.uplink as uplink:
        await home.turn(uplink, START - HOUR)
    assert (gateway.answers(), setpoints(home)) == ([], [])


async def test_a_protected_home_neither_consents_nor_obeys(follower: Make) -> None:
    home, gateway = follower("protected = true\n"), Gateway()
    async with gateway.uplink as uplink:
        with pytest.raises(NotObeyed, match="protected"):
            await home.enrol(uplink, "1234", START)
        await home.turn(uplink, START - HOUR)
    assert (gateway.answers(), setpoints(home)) == ([], [])


async def test_an_order_taken_back_is_not_followed(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    async with gateway.uplink as uplink:
        await home.turn(uplink, START - HOUR)
        gateway.dispatches = []
        await home.turn(uplink, START - 1)
    assert setpoints(home) == []


async def test_an_order_taken_back_during_its_event_ends_there(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    async with gateway.uplink as uplink:
        await home.turn(uplink, START - HOUR)
        gateway.dispatches = []
        await home.turn(uplink, START + HOUR)
    assert setpoints(home) == [f"{START},{START + HOUR},-400"]


async def test_an_occupant_opts_out_and_the_ledger_is_told(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    async with gateway.uplink as uplink:
        await home.turn(uplink, START - HOUR)
        follower().leave("o-1", START - 60)  # another process, while the agent runs
        await home.turn(uplink, START - 30)
    assert gateway.answers() == [papers.ACKNOWLEDGE, papers.OPT_OUT]
    assert setpoints(home) == []
    with pytest.raises(NotObeyed, match="not-found"):
        home.leave("o-2", START)


async def test_a_silent_gateway_changes_no_promise(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    async with gateway.uplink as uplink:
        await home.turn(uplink, START - HOUR)
        gateway.refuses["dispatches"] = (503, "")
        await home.turn(uplink, START + HOUR)
    assert setpoints(home) == [f"{START},{START + 2 * HOUR},-400"]


async def test_an_answer_that_did_not_arrive_is_sent_again(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    gateway.refuses["answers"] = (503, "")
    async with gateway.uplink as uplink:
        await home.turn(uplink, START - HOUR)
        assert not home.promises["o-1"].sent
        gateway.refuses.clear()
        home = follower()  # the agent was started anew
        await home.turn(uplink, START - 1)
    assert home.promises["o-1"].sent
    assert gateway.answers() == [papers.ACKNOWLEDGE] * 2


async def test_the_ledger_s_reason_is_told(follower: Make) -> None:
    home, gateway = follower(), Gateway()
    gateway.refuses["enrolments"] = (409, "claim-refused")
    async with gateway.uplink as uplink:
        with pytest.raises(Declined) as told:
            await home.enrol(uplink, "wrong", START)
    assert told.value.reason == "claim-refused"


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"dispatches": 3}', b"\xff"])
async def test_an_answer_that_cannot_be_read_is_none(follower: Make, answer: bytes) -> None:
    home = follower()
    there = GatewayConfig("DistrictA", "http://gateway", None)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=answer))
    async with Uplink(there, transport) as uplink:
        await home.turn(uplink, START - HOUR)
    assert home.promises == {}


def test_promises_that_cannot_be_read_stop_the_home(follower: Make) -> None:
    home = follower()
    home._path.parent.mkdir(parents=True)
    home._path.write_text('{"o-1": {}}')
    with pytest.raises(PlanUnreadable):
        follower()


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ('home = "home-9"', "flexibility[0].home"),
        ('meter = "home-9-grid"', "flexibility[0].meter"),
        ("issuers = []", "flexibility[0].issuers"),
        ("issuers = [3]", "flexibility[0].issuers"),
        ('protected = "no"', "flexibility[0].protected"),
        ("watts = 3", "flexibility[0].watts"),
    ],
)
def test_a_wrong_offer_is_named(tmp_path: Path, entry: str, wrong: str) -> None:
    name = entry.partition(" ")[0]
    lines = [
        line for line in FLEXIBLE.format(issuer="00").splitlines() if line.partition(" ")[0] != name
    ]
    file = tmp_path / "agent.toml"
    file.write_text(config_text("http://gateway") + "\n".join([*lines, entry]))
    with pytest.raises(ConfigError) as told:
        configuration.load(file)
    assert told.value.where == wrong
