# SPDX-License-Identifier: Apache-2.0
"""Settlement of a session by what was measured and proven (rules K10, P)."""

import random

import pytest

from pedchain_chaincode.settlement import limits
from pedchain_domain.market.tokenid import MONEY, to_hex
from tests.unit.chaincode.certified import Certified
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import NOON, POWER
from tests.unit.chaincode.refusals import refused
from tests.unit.chaincode.settling import ENDS, RICH, Energies, Settling


@pytest.fixture
async def market() -> Settling:
    found = Settling()
    await found.prepare()
    return found


ONE_PAIR = (("sam", "OFFER", 1_000, 120), ("bea", "BID", 1_000, 120))


@pytest.mark.parametrize(
    ("delivered", "used", "settled", "to_seller"),
    [
        (1_000, 1_000, 1_000, 120_000),
        (600, 1_000, 600, 72_000 - 64_000),
        (1_000, 700, 700, 84_000 + 12_000),
        (600, 700, 600, 72_000 - 16_000),
        (0, 1_000, 0, -160_000),
        (5_000, 5_000, 1_000, 120_000),
    ],
)
async def test_a_pair_settles_as_the_rules_example(
    market: Settling, delivered: int, used: int, settled: int, to_seller: int
) -> None:
    await market.trade(*ONE_PAIR)
    trades = await market.settle({"sam": (delivered, 0), "bea": (0, used)})
    assert trades[0][:4] == ["sam", "bea", 1_000, settled]
    assert await market.gains() == {"sam": to_seller, "bea": -to_seller}
    promise = to_hex(POWER.minted_by(2).token)
    assert await market.balance(market.people["bea"], promise) == settled
    assert await market.supply(promise) == settled
    assert market.lines() == []
    for one in market.people.values():
        about = await market.ask("tokens:GetAccount", one.name)
        assert (about["orders"], about["locked"]) == (0, 0)
    assert (await market.session())["state"] == "SETTLED"


async def test_a_session_settles_once(market: Settling) -> None:
    await market.trade(*ONE_PAIR)
    await market.settle({"sam": (1_000, 0), "bea": (0, 1_000)})
    await refused(market.submit("market:Settle", to_hex(POWER.token)), "wrong-state")
    assert await market.supply() == 2 * RICH


async def test_an_hour_not_measured_gives_the_deposits_back_and_says_why(market: Settling) -> None:
    await market.trade(*ONE_PAIR)
    trades = await market.settle({"sam": None, "bea": (0, 1_000)})
    assert trades[0][3:] == [0, 0, 0, 0, "not-measured", 120_000]
    assert await market.gains() == {"sam": 0, "bea": 0}
    assert await market.supply(to_hex(POWER.minted_by(2).token)) == 0


async def test_nobody_gains_by_keeping_a_proof_back(market: Settling) -> None:
    """Not shown is not settled; only once nobody can be waited for does it count as missing."""
    await market.trade(*ONE_PAIR)
    certified = await market.certify({"sam": (0, 0), "bea": (0, 1_000)})
    await market.attach(certified.proofs("bea.gcp", NOON))
    settle = ("market:Settle", to_hex(POWER.token))
    await refused(market.submit(*settle), "not-attached")
    await market.attach(certified.proofs("sam.gcp", NOON))
    await market.steps("Settle")
    for one in market.people.values():
        await market.take(one)
    assert await market.gains() == {"sam": -160_000, "bea": 160_000}


async def test_what_was_never_shown_counts_as_not_measured_in_the_end(market: Settling) -> None:
    await market.trade(*ONE_PAIR)
    await market.clock(ENDS + limits.LATE)
    await market.steps("Settle")
    for one in market.people.values():
        await market.take(one)
    assert await market.gains() == {"sam": 0, "bea": 0}
    assert market.lines() == []


async def test_a_proof_must_be_of_the_certificate_in_force(market: Settling) -> None:
    await market.trade(*ONE_PAIR)
    honest = await market.certify({"sam": (600, 0)})
    forged = Certified("DistrictA", {"sam.gcp": {NOON: {"E": (1_000, "M"), "I": (0, "M")}}})
    await refused(market.attach(forged.proofs("sam.gcp", NOON)), "not-certified: root")
    good = honest.proofs("sam.gcp", NOON)
    await refused(market.attach(good[:3]), "malformed-document: intervals")
    await refused(market.attach([*good[1:], good[0]]), "malformed-document: intervals")
    await refused(market.attach([]), "malformed-document")
    changed = good[0] | {"shown": good[0]["shown"].replace("150", "250")}
    await refused(market.attach([changed, *good[1:]]), "malformed-document")
    elsewhere = [one | {"district": "DistrictX"} for one in good]
    await refused(market.attach(elsewhere), "unknown-district")
    early = await market.certify({"sam": (600, 0)}, run="P")
    await refused(market.attach(early.proofs("sam.gcp", NOON)), "not-certified: run")
    await market.certify({"sam": (600, 0)})
    await market.attach(good)
    await market.attach(good)


async def test_what_an_hour_was_settled_by_is_not_shown_anew(market: Settling) -> None:
    first = await market.certify({"sam": (600, 0)})
    await market.attach(first.proofs("sam.gcp", NOON))
    other = await market.certify({"sam": (700, 0)})
    await refused(market.attach(other.proofs("sam.gcp", NOON)), "already-registered")
    later = await market.certify({"sam": (700, 0)}, run="FINAL")
    await market.attach(later.proofs("sam.gcp", NOON))
    await market.attach(later.proofs("sam.gcp", NOON))
    again = await market.certify({"sam": (800, 0)}, run="FINAL")
    await refused(market.attach(again.proofs("sam.gcp", NOON)), "already-registered")


async def test_an_hour_is_measured_only_when_it_is_over(market: Settling) -> None:
    people = [("sam", "OFFER", 1_000, 120)]
    market.people["sam"] = Prosumer("sam", 1)
    await market.register(market.people["sam"], RICH)
    for name, side, wh, price in people:
        await market.order(market.people[name], side, (POWER, wh, price))
    await market.clear()
    await refused(market.submit("market:Measure", to_hex(POWER.token)), "too-early")
    await refused(market.submit("market:Settle", to_hex(POWER.token)), "wrong-state")


@pytest.mark.parametrize("seed", range(3))
async def test_settling_conserves_money_and_energy_in_steps_of_any_size(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ACCOUNTS_TOGETHER", 1 + seed)
    chance = random.Random(seed)
    market = Settling()
    await market.prepare()
    orders = [
        (f"{'s' if at % 2 else 'b'}{at % 6}", "OFFER" if at % 2 else "BID", *terms)
        for at, terms in enumerate(
            (chance.randint(100, 900), chance.randint(100, 260)) for _ in range(9)
        )
    ]
    await market.trade(*orders)
    energies: Energies = {
        name: None if chance.random() < 0.2 else (chance.randint(0, 900), chance.randint(0, 900))
        for name in market.people
    }
    trades = await market.settle(energies)
    assert sum((await market.gains()).values()) == 0
    assert await market.supply() == RICH * len(market.people)
    for name, one in market.people.items():
        held = await market.supply(to_hex(POWER.minted_by(one.number).token))
        assert held == sum(row[3] for row in trades if row[0] == name)
        wh = energies[name] or (0, 0)
        assert sum(row[3] for row in trades if row[0] == name) <= wh[0]
        assert sum(row[3] for row in trades if row[1] == name) <= wh[1]
    assert market.lines() == []
    assert to_hex(MONEY) not in await market.waiting(next(iter(market.people.values())))


async def test_a_session_is_forgotten_when_its_retention_is_over_and_all_is_taken(
    market: Settling,
) -> None:
    await market.trade(*ONE_PAIR)
    certified = await market.certify({"sam": (1_000, 0), "bea": (0, 1_000)})
    for name in ("sam", "bea"):
        await market.attach(certified.proofs(f"{name}.gcp", NOON))
    await market.steps("Settle")
    purge = ("market:PurgeSession", to_hex(POWER.token))
    await refused(market.submit(*purge), "too-early")
    await market.clock(ENDS + limits.RETENTION)
    await market.take(market.people["sam"])
    await refused(market.submit(*purge), "wrong-state: take")
    await market.take(market.people["bea"])
    before = await market.gains()
    await market.submit(*purge)
    for gone in ("GetTrades", "GetSettled"):
        await refused(market.ask(f"market:{gone}", to_hex(POWER.token)), "not-found")
    await refused(market.ask("market:GetOutcome", "sam", to_hex(POWER.token)), "not-found")
    await refused(market.submit(*purge), "wrong-state")
    assert await market.gains() == before
    assert (await market.session())["state"] == "SETTLED"
