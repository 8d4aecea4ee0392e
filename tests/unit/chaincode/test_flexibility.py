# SPDX-License-Identifier: Apache-2.0
"""Orders of demand response: who may take which step when, and what each refuses (rules D)."""

import json
from typing import Any

import pytest

from pedchain_domain.flexibility import papers
from tests.unit.chaincode.district import DAY, DSO, OPERATOR, day_name
from tests.unit.chaincode.exchange import MONEY
from tests.unit.chaincode.flexing import (
    ALL,
    BEFORE,
    EVENT,
    HOUR,
    NOTICE,
    PROVIDER,
    SYSTEM_OPERATOR,
    Flexible,
    order,
)
from tests.unit.chaincode.refusals import refused


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
        ({"rule": "mine"}, "malformed-document"),
        ({"rule": "mbma", "notice_s": 901}, "notice-too-long"),
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
        {"order": "o-1", "parts": {"DistrictA": 3_000}, "plant": False, "guaranteed": False},
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
    await refused(street.step("CorrectDistrict", "o-1", "DistrictA", by=OPERATOR), "not-permitted")
    for function in ("FinishOrder", "CorrectOrder"):
        await refused(street.step(function, "o-1", by=OPERATOR), "not-permitted")


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
    sites = [sent[0]["document"]["site"], "h14"]
    asked = json.dumps([{"order": "o-1", "site": site} for site in sites])
    assert await street.look("flexibility:GetDispatches", asked) == [sent[0], None]


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
    assert await street.ask("flexibility:ListOrdersAhead", "", "") == []
    found = await street.ask("flexibility:ListOrdersIssued", "")
    assert found == {"o-1": "LAPSED", "o-2": "LAPSED", "o-3": "REVOKED"}
    assert await street.waiting(street.dso) == {MONEY: 3 * 1_800_000}
    assert await street.waiting(street.provider) == {MONEY: 1_800_000}
    assert await street.everything() == ALL


async def test_orders_ahead_are_listed_by_day_and_old_ones_not_looked_at(street: Flexible) -> None:
    days = {f"o-{at}": EVENT + at * DAY for at in (3, 1, 2)}
    for name, start in days.items():
        await street.issue(order(id=name, power_w=400, start=start))
        await street.accept(400, name)
    told = {"districts": ["DistrictA"], "notice": NOTICE, "product": "firm"}
    listed = [[day_name(BEFORE + at), f"o-{at}", told] for at in (1, 2, 3)]
    assert await street.ask("flexibility:ListOrdersAhead", "", "") == listed
    assert await street.ask("flexibility:ListOrdersAhead", *listed[0][:2]) == listed[1:]
    await street.clock(EVENT + 3 * DAY)
    assert await street.ask("flexibility:ListOrdersAhead", "", "") == listed[1:]


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
