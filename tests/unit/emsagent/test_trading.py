# SPDX-License-Identifier: Apache-2.0
"""What a home would have in the market, and what it signs: within the owner's caps, never twice."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from emsagent import config as configuration
from emsagent.config import Config, GatewayConfig
from emsagent.errors import ConfigError, UplinkError
from emsagent.home import Home
from emsagent.steering.past import IN, OUT
from emsagent.steering.steward import Steward
from emsagent.steering.wishes import STEP_S
from emsagent.trading import intention
from emsagent.trading.broker import Broker
from emsagent.trading.intention import Session, differs, hourly, intended
from emsagent.uplink import Uplink
from emsagent.watching import Pulse, page
from pedchain_domain import canonical, debit, der
from pedchain_domain.market import orders
from pedchain_domain.market.orders import Kind
from tests.unit.emsagent.test_steering import DAY, NOW, TEXT, written

HOUR, CEILING, LOT = 3_600, 280_000, 100
KEY = ec.generate_private_key(ec.SECP256R1())
MARKET = """
[[market]]
home = "home"
account = "acc-1"
key_file = "account.pem"
token_file = "person.token"
zone = 1
offer_price = 100000
hour_max_wh = 5000
loss_max_ucur = 500000
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "account.pem").write_bytes(pem)
    (tmp_path / "person.token").write_text("a-token\n")
    return written(tmp_path, TEXT + MARKET)


def session(hour: int) -> Session:
    return Session(intention.session_of(1, hour), hour, CEILING, LOT)


NOON = NOW + DAY


def fed(*wh: int) -> dict[int, int]:
    """Fed in at noon on the days that are over, the last first."""
    return {NOON - (back + 2) * DAY: one for back, one in enumerate(wh)}


def test_an_offer_is_no_more_than_seven_of_ten_days_gave(config: Config) -> None:
    past = fed(*(100 * at for at in range(10, 0, -1)))  # 100 to 1,000 Wh
    [order] = intended(config.mandates[0], [session(NOON)], past, {}, {}, NOW)
    assert [line.wh for line in order.lines] == [400]
    assert sum(wh >= 400 for wh in past.values()) == 7
    # rules K9: 400 Wh x (280,000 - 100,000) ucur/kWh
    assert order.most_lost_ucur == 72_000
    checked = orders.check(order.body())
    assert sum(orders.deposits(checked, lambda _: CEILING)) == order.most_lost_ucur


def test_the_plan_and_the_owners_caps_bound_it_further(config: Config) -> None:
    mandate, past, one = config.mandates[0], fed(*[2_000] * 10), [session(NOON)]
    assert intended(mandate, one, past, {}, {NOON: -700}, NOW)[0].lines[0].wh == 700
    assert intended(mandate, one, past, {}, {NOON: 700}, NOW) == []  # it will draw then
    less = replace(mandate, hour_max_wh=300)
    assert intended(less, one, past, {}, {}, NOW)[0].lines[0].wh == 300
    poor = replace(mandate, loss_max_ucur=359_999)
    assert intended(poor, one, past, {}, {}, NOW) == []
    dear = replace(mandate, offer_price=CEILING + 1_000)
    assert intended(dear, one, past, {}, {}, NOW) == []  # nobody may ask more than the grid does
    assert intended(replace(mandate, offer_price=None), one, past, {}, {}, NOW) == []


def test_lines_are_taken_while_their_deposits_fit(config: Config) -> None:
    past = {**fed(*[1_000] * 10), **{at + HOUR: 1_000 for at in fed(*[0] * 10)}}
    both = [session(NOON), session(NOON + HOUR)]
    mandate = replace(config.mandates[0], loss_max_ucur=200_000)
    [order] = intended(mandate, both, past, {}, {}, NOW)
    assert [line.hour for line in order.lines] == [NOON]
    assert order.most_lost_ucur == 180_000


def test_a_bid_stands_only_where_no_offer_does(config: Config) -> None:
    mandate = replace(config.mandates[0], bid_price=200_000)
    drawn = {**fed(*[500] * 10), **{at + HOUR: 500 for at in fed(*[0] * 10)}}
    both = [session(NOON), session(NOON + HOUR)]
    offer, bid = intended(mandate, both, fed(*[500] * 10), drawn, {}, NOW)
    assert (offer.side, [one.hour for one in offer.lines]) == (Kind.OFFER, [NOON])
    assert (bid.side, [one.hour for one in bid.lines]) == (Kind.BID, [NOON + HOUR])
    assert bid.most_lost_ucur == 100_000


def test_an_order_is_amended_only_for_a_tenth_or_more(config: Config) -> None:
    [order] = intended(config.mandates[0], [session(NOON)], fed(*[1_000] * 10), {}, {}, NOW)
    held = {"session": order.lines[0].session, "quantity": 1_000, "limit": 100_000}
    assert not differs(order, {"lines": [held]})
    assert not differs(order, {"lines": [{**held, "quantity": 950}]})
    assert differs(order, {"lines": [{**held, "quantity": 900}]})
    assert differs(order, {"lines": [{**held, "limit": 90_000}]})
    assert differs(order, {"lines": []})


def test_hours_are_whole(config: Config) -> None:
    assert hourly({0: 1, 900: 2, 1_800: 3, 2_700: 4, 3_600: 9}) == {0: 10}


class Gateway:
    """A ledger with one account and the sessions of one noon."""

    def __init__(self) -> None:
        self.counter = 4
        self.orders: dict[str, Any] = {}
        self.debits: list[Any] = []
        self.is_lost = False

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path.startswith("/v1/market/sessions/"):
            if path.rpartition("/")[2] != intention.session_of(1, NOON):
                return httpx2.Response(404, json={"reason": "not-found"})
            return httpx2.Response(200, json={"state": "OPEN", "ceiling": CEILING, "lot": LOT})
        if path.startswith("/v1/districts/"):
            return httpx2.Response(404, json={"reason": "group-too-small"})
        assert request.headers["authorization"] == "Bearer a-token"
        if path == "/v1/accounts/acc-1":
            return httpx2.Response(200, json={"counter": self.counter})
        if path == "/v1/accounts/acc-1/orders":
            return httpx2.Response(200, json={"orders": self.orders, "cursor": None})
        assert path == "/v1/accounts/acc-1/debits"
        return self.carried(request.content)

    def carried(self, content: bytes) -> httpx2.Response:
        signed = debit.decode(canonical.encode(json.loads(content)))
        domain = debit.Domain("test", "ped", "settlement:market")
        done = debit.check(signed, domain, der.spki_hex(KEY.public_key()), self.counter)
        self.counter += 1
        self.debits.append(done)
        body = dict(done.body)
        self.orders.pop(body.pop("order", ""), None)
        if body:
            rows = zip(body["tokens"], body["quantities"], body["prices"], strict=True)
            lines = [{"session": one, "quantity": wh, "limit": at} for one, wh, at in rows]
            self.orders[f"o-{self.counter}"] = {"kind": body["side"], "lines": lines}
        if self.is_lost:
            raise httpx2.ReadError("lost")
        return httpx2.Response(200, json={"status": "committed"})

    @property
    def uplink(self) -> Uplink:
        return Uplink(
            GatewayConfig("DistrictA", "http://gateway", None), httpx2.MockTransport(self)
        )


async def test_it_places_amends_and_withdraws_by_signed_debits(config: Config) -> None:
    gateway = Gateway()
    with Home(config, config.homes[0]) as home:
        steward = Steward(config, config.plans[0], home, None, lambda: NOW)
        broker = Broker(config, config.mandates[0], steward, lambda: NOW)
        async with gateway.uplink as uplink:
            fill(steward, 250)
            gateway.is_lost = True
            with pytest.raises(UplinkError):
                await broker.turn(uplink)  # it is on the ledger, though nobody said so
            gateway.is_lost = False
            await broker.turn(uplink)
            assert [one.action for one in gateway.debits] == ["register-order"]
            told = json.loads((config.state / "market" / "home.json").read_text())
            assert told["orders"][0]["most_lost_ucur"] == 180_000
            assert "180000 \u00b5cur" in page([home], Pulse())
            fill(steward, 100)
            await broker.turn(uplink)
            assert gateway.debits[-1].action == "amend-order"
            assert gateway.debits[-1].body["quantities"] == [400]
            fill(steward, 0)
            await broker.turn(uplink)
            assert gateway.debits[-1].action == "cancel-order"
            await broker.turn(uplink)
    assert len(gateway.debits) == 3
    assert gateway.orders == {}


def fill(steward: Steward, wh: int) -> None:
    """So much was fed in every quarter-hour of two weeks."""
    slots = range(NOW - 14 * DAY, NOW, STEP_S)
    steward.past.slots["grid"] = {IN: dict.fromkeys(slots, 0), OUT: dict.fromkeys(slots, wh)}


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('home = "home"\naccount', 'home = "other"\naccount', r"market\[0\].home"),
        ("offer_price = 100000", "offer_price = 100001", r"market\[0\].offer_price"),
        ("hour_max_wh = 5000\n", "", r"market\[0\].hour_max_wh"),
    ],
)
def test_a_wrong_mandate_is_named(tmp_path: Path, old: str, new: str, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        written(tmp_path, TEXT + MARKET.replace(old, new))


def test_a_key_that_is_none_is_named(config: Config) -> None:
    config.mandates[0].key_file.write_text("no key")
    with Home(config, config.homes[0]) as home:
        steward = Steward(config, config.plans[0], home, None)
        with pytest.raises(ConfigError, match="key_file"):
            Broker(config, config.mandates[0], steward)
    assert configuration.load(config.state.parent / "agent.toml").mandates == config.mandates
