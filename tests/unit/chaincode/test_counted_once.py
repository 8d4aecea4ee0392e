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
    warm = [await noon.heat(name) for name in HEAT]
    assert all(one["sold"] <= one["fed_in"] and one["bought"] <= one["drawn"] for one in warm), warm
    assert sum(one["sold"] for one in warm) == sum(one["bought"] for one in warm)
    for given, got in (("sold", "bought"), ("shared_out", "shared_in")):
        assert sum(one[given] for one in found.values()) == sum(one[got] for one in found.values())
    return found


async def test_what_leaves_is_at_most_what_nobody_was_given(noon: Noon) -> None:
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


@pytest.mark.parametrize("seed", range(4))
async def test_random_mixes_never_count_a_wh_twice(noon: Noon, seed: int) -> None:
    """Markets of electricity and heat, sharing, its correction, certificates of two plants, and
    demand response; what all hold together stays what it is."""
    rng = random.Random(seed)
    paid, whole = 0, noon.money()
    ways: list[Callable[[], Awaitable[None]]] = [
        noon.settle, noon.warm, noon.share, noon.correct, noon.pay,
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
