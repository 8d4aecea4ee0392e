# SPDX-License-Identifier: Apache-2.0
"""No Wh is sold, shared, certified abroad or paid twice, whatever is done in whatever order (P)."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.mixing import FED, HEAT, Noon
from tests.unit.chaincode.refusals import refused

Prepared = tuple[Noon, Any]


@pytest.fixture(scope="module")
async def prepared() -> Prepared:
    found = Noon()
    await found.prepare()
    return found, found.kept()


@pytest.fixture(scope="module")
async def prepared_apart() -> Prepared:
    found = Noon("energy-only")
    await found.prepare()
    return found, found.kept()


@pytest.fixture
def apart(prepared_apart: Prepared) -> Noon:
    """The same noon with orders and terms that keep the origin."""
    found, kept = prepared_apart
    found.restore(kept)
    return found


@pytest.fixture
def noon(prepared: Prepared) -> Noon:
    found, kept = prepared
    found.restore(kept)
    return found


async def counted(noon: Noon) -> dict[str, dict[str, int]]:
    """Everybody's noon, each term of it once."""
    found = {name: await noon.position(name) for name in noon.people}
    for one in found.values():
        assert one["sold"] + one["shared_out"] + one["left"] <= one["fed_in"], found
        assert one["bought"] + one["shared_in"] <= one["drawn"], found
        assert one["followed"] <= one["sold"] + one["first_shared_out"], found
        assert one["followed"] + one["left"] <= one["fed_in"], found
    warm = [await noon.heat(name) for name in HEAT]
    assert all(one["sold"] <= one["fed_in"] and one["bought"] <= one["drawn"] for one in warm), warm
    assert sum(one["sold"] for one in warm) == sum(one["bought"] for one in warm)
    for given, got in (("sold", "bought"), ("shared_out", "shared_in")):
        assert sum(one[given] for one in found.values()) == sum(one[got] for one in found.values())
    return found


async def test_what_leaves_is_at_most_what_nobody_was_given(apart: Noon) -> None:
    noon = apart
    await refused(noon.leave("m1", 100), "market-open")
    await noon.settle()
    await refused(noon.leave("m1", 100), "too-early")
    await noon.share()
    before = (await counted(noon))["m1"]
    rest = FED["m1"] - before["sold"] - before["shared_out"]
    await refused(noon.leave("m1", rest + 1), "counted-twice")
    await noon.leave("m1", 200)
    await refused(noon.leave("m1", rest - 199), "counted-twice")
    after = (await counted(noon))["m1"]
    assert after == {**before, "left": 200}
    await noon.warm()  # of 800 Wh of heat 700 came, and one of two homes drew 300 of its 400
    assert (await noon.heat("m1"))["sold"] == 350 + 300


async def test_what_is_given_takes_its_origin_along(noon: Noon) -> None:
    await noon.follow()  # nothing is over: nothing is done
    await noon.settle()
    await noon.share()
    await refused(noon.leave("m1", 100), "not-followed")
    await noon.follow()
    for name in FED:
        given = (await counted(noon))[name]
        (one,) = await noon.certificates(name)
        parts = {"market:1": given["sold"], "sharing:street": given["shared_out"]}
        assert one["followed"] == {pool: wh for pool, wh in parts.items() if wh}
        assert one["wh"] == FED[name] - given["sold"] - given["shared_out"] > 0
    await noon.follow()  # once
    pools = await noon.flex.ledger.ask("origin:GetPools", noon.day)
    (went,) = pools.values()
    found = (await counted(noon)).values()
    assert went == {
        "market:1": sum(one["sold"] for one in found),
        "sharing:street": sum(one["shared_out"] for one in found),
    }
    assert await noon.flex.ledger.ask("origin:GetFollowed", noon.day) == {
        "cells": 2,
        "done": [0, 1],
    }
    rest = (await noon.certificates("m1"))[0]["wh"]
    await noon.leave("m1", rest - 1)
    assert (await counted(noon))["m1"]["left"] == rest - 1


async def test_where_the_origin_stays_nothing_goes_along(apart: Noon) -> None:
    await apart.settle()
    await apart.share()
    await apart.follow()
    found = [one for name in FED for one in await apart.certificates(name)]
    assert [(one["wh"], one["followed"]) for one in found] == [(wh, {}) for wh in FED.values()]


async def test_what_came_with_its_origin_is_claimed_by_that_alone(noon: Noon) -> None:
    """A home that bought 500 Wh and drew more claims other certificates for the rest only."""
    home = next(name for name in noon.people if name not in FED)
    wallet = await noon.wallet(home)
    await refused(noon.claim("m1", wallet, 1), "market-open")
    await noon.settle()
    await noon.share()
    await noon.follow()
    mine = (await counted(noon))[home]
    room = mine["drawn"] - mine["bought"] - mine["shared_in"]
    await refused(noon.claim("m1", wallet, room + 1), "beyond-consumption")
    assert room
    await noon.claim("m1", wallet, room)


@pytest.mark.parametrize("seed", range(4))
async def test_random_mixes_never_count_a_wh_twice(noon: Noon, seed: int) -> None:
    """Markets of electricity and heat, sharing, its correction, certificates of two plants, and
    demand response; what all hold together stays what it is."""
    rng = random.Random(seed)
    paid, whole = 0, noon.money()
    ways: list[Callable[[], Awaitable[None]]] = [
        noon.settle, noon.warm, noon.share, noon.correct, noon.pay, noon.follow,
    ]  # fmt: skip
    for _ in range(20):
        leaving = rng.choice(sorted(FED)), rng.choice((100, 200, 400, 700))
        way = rng.choice([*ways, lambda what=leaving: noon.leave(*what)])
        try:
            await way()
            paid += way == noon.pay
        except TransactionFailed:
            pass  # not now, or more than there is; each reason has its own test
        await counted(noon)
        assert noon.money() == whole
    assert paid <= 1
