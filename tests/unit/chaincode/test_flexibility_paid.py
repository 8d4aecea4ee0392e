# SPDX-License-Identifier: Apache-2.0
"""What an order of demand response brings, who is paid for it, what no trick gains (rules D)."""

from typing import Any

import pytest

from pedchain_chaincode.flexibility import orders
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim import Refusal
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import DAY, day_name
from tests.unit.chaincode.exchange import MONEY
from tests.unit.chaincode.flexing import ALL, BEFORE, EVENT, Flexible
from tests.unit.chaincode.refusals import refused


async def test_a_full_delivery_is_paid_and_divided(street: Flexible) -> None:
    """Eight homes of 375 W each take 400 Wh off in both hours: 6,000 Wh at 300,000 µcur/kWh, of
    which four fifths are theirs."""
    await street.notice()
    asked = await street.asked()
    assert len(asked) == 8
    await street.event({(home.name, hour): 200 for home in asked for hour in (12, 13)})
    result = await street.settle()
    assert (result["delivered_wh"], result["deficiency_wh"]) == (6_000, 0)
    assert (result["pay"], result["penalty"], result["users"]) == (1_800_000, 0, 1_440_000)
    assert await street.waiting(street.provider) == {MONEY: 360_000 + 1_800_000}
    assert await street.waiting(street.dso) == {}
    found = [await street.statement(home) for home in asked]
    assert sum(one["money"] for one in found) == 1_440_000
    assert all(one["contributed"] == 750 == one["dispatched"] for one in found)
    assert all(one["kept"] is None and one["flags"] == [] for one in found)
    held = await street.ask("tokens:ListCredits", f"acc-{asked[0].name}", "")
    assert [one["amount"] for one in held.values()] == [found[0]["money"]]
    assert await street.ask("flexibility:GetOutcomeOf", "o-1") == [[3_000, 0], [3_000, 0]]
    assert await street.everything() == ALL


async def test_more_consumption_is_bought_the_same_way(street: Flexible) -> None:
    await street.notice(direction="up")
    asked = await street.asked()
    await street.event({(home.name, hour): 1_000 for home in asked for hour in (12, 13)})
    result = await street.settle()
    assert (result["delivered_wh"], result["pay"]) == (6_000, 1_800_000)
    assert await street.everything() == ALL


async def test_nobody_acts_and_only_the_provider_pays(street: Flexible) -> None:
    """Noise delivers next to nothing; the penalty ends at the cap, and no user is charged."""
    await street.notice()
    await street.event({})
    result = await street.settle()
    assert result["delivered_wh"] < 60
    assert result["deficiency_wh"] > 5_900
    assert result["users"] == 0
    assert await street.ask("tokens:ListCredits", "acc-h00", "") == {}
    assert await street.everything() == ALL


async def test_whoever_goes_the_other_way_costs_no_more_than_the_cap(street: Flexible) -> None:
    await street.notice()
    asked = await street.asked()
    await street.event({(home.name, hour): 5_000 for home in asked for hour in (12, 13)})
    result = await street.settle()
    assert (result["pay"], result["penalty"]) == (0, 1_800_000)
    assert await street.waiting(street.dso) == {MONEY: 3_600_000}
    assert await street.waiting(street.provider) == {}
    assert await street.everything() == ALL


async def unheard(street: Flexible, hours: list[int]) -> dict[str, Any]:
    """The event with readings at these hours only; the first home's statement."""
    await street.notice()
    await street.file(BEFORE, hours, {})
    if max(hours) > 13:
        await street.file(BEFORE + 1, [0], {})
    await street.seal()
    await street.close(BEFORE, "P")
    for day in range(BEFORE + 1):
        await street.close(day, "F")
    await street.clock(EVENT + 12 * DAY)
    await street.settle()
    return await street.statement((await street.asked())[0])


async def test_a_silent_meter_is_assumed_where_it_helps_the_portfolio_least(
    street: Flexible,
) -> None:
    """Nothing came after noon: each home counts at the highest of its days, so nothing is paid."""
    found = await unheard(street, [9, 10, 11, 12])
    assert found["letters"] == "XX"
    assert all(wh >= b for b, wh in zip(found["baseline"], found["measured"], strict=True))
    assert found["shown"]["measured"][-1] is None
    assert found["contributed"] == 0
    assert (await street.state())["result"]["delivered_wh"] == 0


async def test_a_bridged_hour_counts_by_its_bridge(street: Flexible) -> None:
    """The reading at one o'clock is missing: what both hours drew together is known."""
    found = await unheard(street, [*range(9, 13), *range(14, 24)])
    assert found["letters"] == "GG"
    assert abs(found["measured"][0] - found["measured"][1]) <= 1


async def test_who_opted_out_in_time_is_not_in_the_portfolio(street: Flexible) -> None:
    await street.notice()
    asked = await street.asked()
    await street.answer(asked[:4], papers.OPT_OUT)
    await street.clock(EVENT)
    await street.answer(asked[4:5], papers.OPT_OUT)
    late = street.answer(asked[:1], papers.ACKNOWLEDGE)
    await refused(late, "too-late")
    await street.event({(home.name, hour): 200 for home in asked for hour in (12, 13)})
    await street.settle()
    assert (await street.state())["districts"]["DistrictA"]["measured"] == 4
    with pytest.raises(TransactionFailed, match="not-found"):
        await street.statement(asked[0])
    assert (await street.statement(asked[4]))["contributed"] == 750


async def test_an_adjustment_needs_readings_filed_before_the_notice(street: Flexible) -> None:
    """The same event, but nothing of the morning was sealed when the sites were chosen."""
    await street.issue()
    await street.accept()
    await street.steps("FreezeOrder")
    await street.dispatch()
    asked = await street.asked()
    await street.answer(asked)
    await street.file(BEFORE, range(1, 9), {})
    await street.event({(home.name, hour): 200 for home in asked for hour in (12, 13)})
    await street.settle()
    found = await street.statement(asked[0])
    assert (found["ratio"], found["kept"]) == (1_000_000, "window-not-measured-before-notice")


async def test_a_load_raised_after_the_notice_raises_no_baseline(street: Flexible) -> None:
    await street.notice()
    asked = await street.asked()
    raised = {(asked[0].name, hour): 1_500 for hour in (9, 10, 11)}
    fallen = {(home.name, hour): 200 for home in asked for hour in (12, 13)}
    await street.event(raised | fallen)
    await street.settle()
    found = await street.statement(asked[0])
    assert found["flags"] == ["load-after-notice"]
    assert (found["ratio"], found["kept"]) == (1_000_000, "load-after-notice")


async def test_readings_amended_after_the_settlement_change_nothing_that_was_paid(
    street: Flexible,
) -> None:
    """What run FINAL says otherwise is shared and seen; the statement stays as settled [our]."""
    await street.notice()
    await street.event({})
    result = await street.settle()
    home = (await street.asked())[0]
    before = await street.statement(home)
    street.peer.now = EVENT + 80 * DAY
    for day in range(BEFORE + 1):
        await street.close(day, "FINAL")
    shared = await street.look("flexibility:GetFigure", home.name, day_name(BEFORE))
    assert shared["run"] == "FINAL"
    assert await street.statement(home) == before
    assert (await street.state())["result"] == result


async def test_availability_is_paid_by_what_a_provider_brought_before(street: Flexible) -> None:
    """1,000,000 µcur per kW and hour for 3 kW and two hours; nothing is known of the provider, so
    half of it, and the other half comes back."""
    await street.notice(availability=100_000)
    assert (await street.state())["escrow"] == 1_800_000 + 600_000
    await street.event({})
    assert (await street.settle())["availability"] == 300_000
    assert await street.everything() == ALL


async def test_what_a_peer_does_not_hold_is_refused_and_never_taken_for_nothing() -> None:
    class Lacking:
        async def load_many(self, names: list[tuple[str, ...]]) -> list[dict[str, Any] | None]:
            return [{"sums": [[0, 0]]} if name[-1] == "DistrictA" else None for name in names]

    book: Any = Lacking()
    assert len(await orders.kept(book, "o-1", ["DistrictA"])) == 1
    with pytest.raises(Refusal, match="private-data-missing"):
        await orders.kept(book, "o-1", ["DistrictA", "DistrictB"])
