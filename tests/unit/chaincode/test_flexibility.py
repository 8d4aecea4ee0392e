# SPDX-License-Identifier: Apache-2.0
"""Orders of demand response from issue to payment, and what each step refuses (rules D)."""

import json
from collections.abc import Awaitable
from typing import Any

import pytest

from pedchain_domain.flexibility import papers
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import DAY, DSO, OPERATOR, START, day_name
from tests.unit.chaincode.flexing import (
    BEFORE,
    EVENT,
    HOUR,
    NOTICE,
    PROVIDER,
    SYSTEM_OPERATOR,
    Flexible,
    order,
)

ALL = 20_000_000


@pytest.fixture(scope="module")
async def made() -> tuple[Flexible, Any]:
    """Fifteen homes that consented, sixteen days before the order's."""
    found = Flexible()
    await found.prepare()
    await found.clock(NOTICE)
    return found, found.kept()


@pytest.fixture
async def street(made: tuple[Flexible, Any]) -> Flexible:
    """The same, whatever the test before did."""
    found, kept = made
    found.restore(kept)
    found.peer.now = START + 40 * DAY
    return found


async def refused(awaited: Awaitable[object], reason: str) -> None:
    with pytest.raises(TransactionFailed, match=reason):
        await awaited


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
    assert await street.waiting(street.provider) == {_money(): 360_000 + 1_800_000}
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
    assert await street.waiting(street.dso) == {_money(): 3_600_000}
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


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": NOTICE - HOUR}, "past-hour"),
        ({"start": NOTICE + HOUR}, "too-late"),
        ({"power_w": 0}, "bad-quantity"),
        ({"power_w": -1}, "malformed-document"),
        ({"grain": 900, "power_w": 1_001}, "indivisible-power"),
        ({"count": 1}, "bad-quantity"),
        ({"price": 300_001}, "bad-price"),
        ({"penalty": 601_000}, "penalty-too-high"),
        ({"toe_price": 1_000}, "bad-price"),
        ({"direction": "up", "rule": "high5of10"}, "direction-refused"),
        ({"rule": "declared"}, "unknown-baseline"),
        ({"rule": "mbma", "notice_s": 900}, "unknown-baseline"),
        ({"provider": "dso"}, "both-sides"),
        ({"provider": "nobody"}, "unknown-account"),
        ({"issuer": "aggregator"}, "not-owner"),
        ({"districts": ["DistrictC"]}, "unknown-district"),
        ({"districts": ["DistrictA", "DistrictA"]}, "malformed-document"),
        ({"power_w": 60_000}, "insufficient-funds"),
        ({"colour": "red"}, "malformed-document"),
    ],
)
async def test_an_order_that_breaks_a_rule_is_not_issued(
    change: dict[str, Any], reason: str, street: Flexible
) -> None:
    await refused(street.issue(order(**change)), reason)
    assert await street.balance(street.dso) == 10_000_000


async def test_an_order_is_issued_once_and_accepted_by_its_provider(street: Flexible) -> None:
    await street.issue()
    await refused(street.issue(), "already-registered")
    await refused(street.accept(2_000), "bad-quantity")
    await refused(street.accept(parts={"DistrictB": 3_000}), "bad-quantity")
    await refused(street.accept(name="o-2"), "not-found")
    signed = street.dso.signed(
        "flexibility",
        "accept-order",
        {"order": "o-1", "parts": {"DistrictA": 3_000}, "plant": False},
    )
    call = street.submit(
        "flexibility:AcceptOrder", transient=street.fresh(debit=signed), creator=PROVIDER
    )
    await refused(call, "not-owner")
    await street.clock(EVENT - HOUR)
    await refused(street.accept(), "too-late")


async def test_nobody_signs_for_another(street: Flexible) -> None:
    street.dso.key, kept = street.provider.key, street.dso.key
    forged = street.dso.signed("flexibility", "issue-order", {"order": order()})
    street.dso.key = kept
    call = street.submit(
        "flexibility:IssueOrder", transient=street.fresh(debit=forged), creator=SYSTEM_OPERATOR
    )
    await refused(call, "bad-signature")


async def test_a_portfolio_must_be_enough_and_accurate(street: Flexible) -> None:
    await street.issue(order(power_w=7_000, penalty=100_000))
    await street.accept(7_000)
    await refused(street.steps("FreezeOrder"), "beyond-capacity")
    few = order(id="o-2", power_w=400, start=EVENT + 3 * HOUR)
    await street.issue(few)
    await street.accept(400, "o-2")
    for home in street.homes[:1]:
        document = json.dumps({"site": home.name, "protected": True}).encode()
        await street.metering("flexibility:ProtectSite", by=DSO, document=document)
    await refused(street.steps("FreezeOrder", "o-2"), "group-too-small")


async def test_a_weak_baseline_needs_the_issuers_word(street: Flexible) -> None:
    tiny = {"power_w": 10, "start": EVENT + 3 * HOUR}
    await street.issue(order(**tiny))
    await street.accept(10)
    await refused(street.steps("FreezeOrder"), "low-accuracy: order-below-noise")
    await street.issue(order(id="o-2", low_accuracy=True, **tiny))
    await street.accept(10, "o-2")
    await street.steps("FreezeOrder", "o-2")
    accuracy = (await street.state("o-2"))["districts"]["DistrictA"]["accuracy"]
    assert accuracy["doubts"] == ["order-below-noise"]


async def test_an_order_lies_in_one_local_day_on_the_districts_grain(street: Flexible) -> None:
    await street.issue(order(start=EVENT + 11 * HOUR))
    await street.accept()
    await refused(street.steps("FreezeOrder"), "outside-day")
    await street.issue(order(id="o-2", grain=900))
    await street.accept(name="o-2")
    await refused(street.steps("FreezeOrder", "o-2"), "bad-quantity")


async def test_a_site_follows_one_order_at_a_time_and_the_least_asked_first(
    street: Flexible,
) -> None:
    await street.notice()
    first = {home.name for home in await street.asked()}
    await street.issue(order(id="o-2", start=EVENT + HOUR, power_w=2_000))
    await street.accept(2_000, "o-2")
    await refused(street.steps("FreezeOrder", "o-2"), "group-too-small")
    plant = order(id="o-3", start=EVENT + HOUR, power_w=2_000)
    await street.issue(plant)
    await street.accept(2_000, "o-3", plant=True)
    await street.steps("FreezeOrder", "o-3")
    assert not first & {home.name for home in await street.asked("o-3")}
    plan = await street.look("flexibility:GetPlan", "o-3")
    assert plan["passed"] == dict.fromkeys(sorted(first), "overlaps")


async def test_only_those_across_districts_take_an_order_on(street: Flexible) -> None:
    await street.issue()
    await street.accept()
    for function in ("FreezeOrder", "DispatchOrder", "SettleDistrict", "PayDistrict"):
        await refused(street.step(function, "o-1", "DistrictA", by=OPERATOR), "not-permitted")
    await refused(street.step("FinishOrder", "o-1", by=OPERATOR), "not-permitted")


async def test_agents_get_what_the_issuer_signed_and_nothing_else(street: Flexible) -> None:
    await street.issue()
    await street.accept()
    await street.steps("FreezeOrder")
    sent = await street.dispatches()

    async def send(*papers_: Any) -> bytes:
        return await street.step(
            "DispatchOrder", "o-1", "DistrictA", by=DSO, dispatches=json.dumps(papers_).encode()
        )

    forged = {**sent[0], "signature": sent[1]["signature"]}
    await refused(send(forged), "bad-signature")
    more = {**sent[0], "document": {**sent[0]["document"], "power_w": 400}}
    await refused(send(more), "malformed-document")
    other = {**sent[0], "document": {**sent[0]["document"], "site": "h14"}}
    await refused(send(other), "unknown-site")
    await refused(send(), "malformed-document")
    assert await send(*sent[:3]) == b"more"
    assert await send(*sent[1:]) == b"done"
    held = await street.look("flexibility:GetDispatch", "o-1", sent[0]["document"]["site"])
    assert held == sent[0]


async def test_only_a_sites_own_device_answers_for_it(street: Flexible) -> None:
    await street.notice()
    first, second = (await street.asked())[:2]

    async def send(*answers: Any) -> None:
        await street.step(
            "AnswerOrder", "o-1", "DistrictA", by=OPERATOR, answers=json.dumps(answers).encode()
        )

    said = street.answer_of(first, papers.OPT_OUT)
    other = street.answer_of(second, papers.OPT_OUT)
    await refused(send({**said, "signature": other["signature"]}), "bad-signature")
    await refused(send(said, said), "malformed-document")
    await refused(send(street.answer_of(first, "opt-out", "o-9")), "wrong-domain")
    await refused(send(street.answer_of(street.homes[14], "opt-out")), "not-found")


async def test_steps_come_in_their_order_and_once(street: Flexible) -> None:
    await street.notice()
    await refused(street.step("FreezeOrder", "o-1", "DistrictA"), "wrong-state")
    await refused(street.step("SettleDistrict", "o-1", "DistrictA"), "too-early")
    await street.event({}, run="P")
    await refused(street.step("SettleDistrict", "o-1", "DistrictA"), "run-missing")
    for day in range(BEFORE + 1):
        await street.close(day, "F")
    await refused(street.step("FinishOrder", "o-1"), "not-measured")
    await refused(street.step("PayDistrict", "o-1", "DistrictA"), "wrong-state")
    await street.settle()
    for function in ("SettleDistrict", "PayDistrict", "FreezeOrder"):
        await refused(street.step(function, "o-1", "DistrictA"), "wrong-state")
    await refused(street.step("FinishOrder", "o-1"), "wrong-state")
    await refused(street.step("LapseOrder", "o-1"), "wrong-state")
    await refused(street.revoke(), "wrong-state")
    await refused(street.step("SettleDistrict", "o-1", "DistrictZ"), "wrong-state")


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


async def test_an_order_nobody_took_on_or_dispatched_gives_all_money_back(
    street: Flexible,
) -> None:
    await street.issue()
    await refused(street.step("LapseOrder", "o-1"), "too-early")
    await street.issue(order(id="o-2"))
    await street.accept(name="o-2")
    await street.issue(order(id="o-3"))
    await street.revoke("o-3")
    await street.clock(EVENT - HOUR)
    await street.step("LapseOrder", "o-1", by=OPERATOR)
    await refused(street.step("LapseOrder", "o-2"), "too-early")
    await street.clock(EVENT)
    await refused(street.step("FreezeOrder", "o-2", "DistrictA"), "too-late")
    await street.step("LapseOrder", "o-2", by=OPERATOR)
    found = await street.ask("flexibility:ListOrdersIssued", "")
    assert found == {"o-1": "LAPSED", "o-2": "LAPSED", "o-3": "REVOKED"}
    assert await street.waiting(street.dso) == {_money(): 3 * 1_800_000}
    assert await street.waiting(street.provider) == {_money(): 1_800_000}
    assert await street.everything() == ALL


async def test_an_order_is_taken_back_until_somebody_is_chosen_for_it(street: Flexible) -> None:
    await street.issue()
    await street.accept()
    await street.step("FreezeOrder", "o-1", "DistrictA")
    await refused(street.revoke(), "too-late")


async def test_an_order_that_is_never_settled_lapses_in_the_end(street: Flexible) -> None:
    await street.notice()
    await street.clock(EVENT + 2 * HOUR + 90 * DAY - 1)
    await refused(street.step("LapseOrder", "o-1"), "too-early")
    await street.clock(EVENT + 2 * HOUR + 90 * DAY)
    await street.step("LapseOrder", "o-1")
    assert await street.everything() == ALL


async def test_availability_is_paid_by_what_a_provider_brought_before(street: Flexible) -> None:
    """1,000,000 µcur per kW and hour for 3 kW and two hours; nothing is known of the provider, so
    half of it, and the other half comes back."""
    await street.notice(availability=100_000)
    assert (await street.state())["escrow"] == 1_800_000 + 600_000
    await street.event({})
    assert (await street.settle())["availability"] == 300_000
    assert await street.everything() == ALL


def _money() -> str:
    return "8" + "0" * 62 + "1"
