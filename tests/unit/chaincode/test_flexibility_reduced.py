# SPDX-License-Identifier: Apache-2.0
"""An order reduced to who is left, best effort, a price that the provider guarantees (rules D2, D3,
D10)."""

from pedchain_domain.flexibility import papers
from tests.unit.chaincode.exchange import MONEY
from tests.unit.chaincode.flexing import ALL, EVENT, HOUR, NOTICE, Flexible, order
from tests.unit.chaincode.refusals import refused


async def test_an_order_that_homes_left_is_reduced_to_the_rest(street: Flexible) -> None:
    """Two of eight homes of 375 Wh leave: 2,250 Wh an hour are asked, and all of it comes."""
    await street.notice()
    asked = await street.asked()
    await street.answer(asked[:2], papers.OPT_OUT)
    await street.reduce()
    await street.event({(home.name, hour): 200 for home in asked[2:] for hour in (12, 13)})
    result = await street.settle()
    assert (result["delivered_wh"], result["deficiency_wh"], result["penalty"]) == (4_500, 0, 0)
    assert (result["pay"], result["users"]) == (1_350_000, 1_080_000)
    assert await street.waiting(street.dso) == {MONEY: 450_000}
    assert (await street.state())["districts"]["DistrictA"]["ordered"] == 2_250
    assert await street.everything() == ALL


async def test_an_order_is_reduced_by_its_issuer_once_before_it_begins(street: Flexible) -> None:
    await street.issue()
    await refused(street.reduce(), "wrong-state")
    await street.accept()
    await refused(street.reduce(), "wrong-state")
    await street.steps("FreezeOrder")
    await street.dispatch()
    await refused(street.reduce(power_w=1), "malformed-document")
    issuer, street.dso = street.dso, street.provider
    await refused(street.reduce(), "not-owner")
    street.dso = issuer
    await street.clock(EVENT)
    await refused(street.reduce(), "too-late")


async def test_an_order_is_reduced_once(street: Flexible) -> None:
    await street.notice()
    await street.reduce()
    await street.clock(EVENT - HOUR)
    await refused(street.reduce(), "wrong-state")


async def test_a_guaranteed_price_is_paid_whatever_the_order_earns(street: Flexible) -> None:
    """One home follows, seven raise what they draw: the order earns nothing and pays its penalty,
    the home has the price of its 750 Wh, and the provider bears both."""
    await street.issue()
    await street.accept(guaranteed=True)
    assert (await street.state())["collateral"] == 2 * 1_800_000
    await street.steps("FreezeOrder")
    await street.dispatch()
    first, *others = await street.asked()
    await street.answer([first, *others])
    more = {(home.name, hour): 900 for home in others for hour in (12, 13)}
    await street.file(16, range(1, 9), {})
    await street.event(more | {(first.name, hour): 200 for hour in (12, 13)})
    result = await street.settle()
    assert (result["delivered_wh"], result["penalty"], result["users"]) == (0, 1_800_000, 225_000)
    assert await street.waiting(street.provider) == {MONEY: 1_800_000 - 225_000}
    assert (await street.statement(first))["money"] == 225_000
    assert await street.everything() == ALL


async def test_best_effort_is_paid_for_what_it_brings_and_charged_nothing(street: Flexible) -> None:
    """Two of eight homes follow: 750 of 3,000 Wh an hour. A firm order would have earned nothing;
    this one locks no collateral and earns its 1,500 Wh."""
    await street.clock(NOTICE)
    await refused(street.issue(order(product="best-effort")), "penalty-too-high")
    await street.file(16, range(1, 9), {})
    await street.issue(order(product="best-effort", penalty=0))
    before = await street.balance(street.provider)
    await street.accept()
    assert (await street.state())["collateral"] == 0
    assert await street.balance(street.provider) == before
    await street.seal()
    await street.steps("FreezeOrder")
    await street.dispatch()
    asked = await street.asked()
    await street.answer(asked)
    await street.event({(home.name, hour): 200 for home in asked[:2] for hour in (12, 13)})
    result = await street.settle()
    assert result["penalty"] == 0 < result["deficiency_wh"]
    assert result["delivered_wh"] > 0
    assert result["pay"] == 300 * result["delivered_wh"]
    assert result["users"] == result["pay"] * 8 // 10
    assert await street.waiting(street.provider) == {MONEY: result["pay"] - result["users"]}
    assert await street.everything() == ALL
