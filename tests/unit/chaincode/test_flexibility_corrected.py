# SPDX-License-Identifier: Apache-2.0
"""A settled order put right by run FINAL: what it says anew, who owes whom, who never pays."""

from dataclasses import replace
from typing import Any

from tests.unit.chaincode.district import DAY, METERING, START
from tests.unit.chaincode.exchange import MONEY
from tests.unit.chaincode.flexing import (
    ALL,
    BEFORE,
    EVENT,
    HOUR,
    Flexible,
    order,
)
from tests.unit.chaincode.refusals import refused


async def closed(street: Flexible) -> dict[str, Any]:
    """What was filed so far, closed by run F and settled."""
    await street.seal()
    await street.close(BEFORE, "P")
    for day in range(BEFORE + 1):
        await street.close(day, "F")
    await street.clock(EVENT + 12 * DAY)
    return await street.settle()


async def better(street: Flexible, **changes: Any) -> dict[str, Any]:
    """Eight homes brought it all, but their readings after noon came after run F."""
    await street.notice(**changes)
    wh = {(home.name, hour): 200 for home in await street.asked() for hour in (12, 13)}
    await street.file(BEFORE, range(9, 13), wh)
    result = await closed(street)
    await street.file(BEFORE, range(13, 24), wh)
    await street.file(BEFORE + 1, [0], {})
    await street.seal()
    return result


async def worse(street: Flexible) -> dict[str, Any]:
    """The reading at 14 o'clock came after run F, which had shared out two hours' energy: in truth
    nobody did anything in the second hour of the event."""
    await street.notice()
    asked = await street.asked()
    wh = {(home.name, 12): 200 for home in asked} | {(home.name, 14): 100 for home in asked}
    await street.file(BEFORE, range(9, 14), wh)
    late = dict(street.registers)
    for home in street.homes:
        street.registers[home.name] += wh.get((home.name, 14), 600)
    await street.file(BEFORE, range(15, 24), wh)
    await street.file(BEFORE + 1, [0], {})
    result = await closed(street)
    at = START + BEFORE * DAY + 14 * HOUR
    values = [home.grid.record([(at, "I", late[home.name]), (at, "E", 0)]) for home in street.homes]
    await street.ledger.file(*values)
    await street.seal()
    return result


async def credited(street: Flexible) -> int:
    """All that users were credited, µcur."""
    total = 0
    for home in street.homes:
        found = await street.ask("tokens:ListCredits", f"acc-{home.name}", "")
        total += sum(one["amount"] for one in found.values())
    return total


async def test_what_was_measured_late_is_paid_by_who_owes_it(street: Flexible) -> None:
    before = await better(street)
    assert (before["delivered_wh"], before["users"]) == (0, 0)
    after = await street.correct()
    assert (after["delivered_wh"], after["pay"], after["penalty"]) == (6_000, 1_800_000, 0)
    owed = before["penalty"] + 1_800_000
    assert after["owed"] == {"issuer": owed, "provider": 0, "supplier": 0}
    assert (await street.state())["result"] == before
    await refused(street.owe(street.provider), "wrong-state")
    users = {"DistrictA": 1_440_000}
    assert after["pools"] == users
    await street.fold(street.dso)
    await street.fold(street.provider)
    await street.owe(street.dso)
    await street.owe(street.provider, "DistrictA")
    assert await credited(street) == 1_440_000
    assert await street.waiting(street.provider) == {MONEY: owed}
    await refused(street.owe(street.dso), "wrong-state")
    await refused(street.owe(street.provider, "DistrictA"), "wrong-state")
    assert await street.everything() == ALL


async def test_a_corrected_statement_stands_beside_the_one_it_supersedes(street: Flexible) -> None:
    await better(street)
    home = (await street.asked())[0]
    settled = await street.statement(home)
    await refused(street.look("flexibility:GetCorrection", "o-1", home.name, "0", "0"), "not-found")
    await street.correct()
    assert await street.statement(home) == settled
    pools = ("0", "1440000")
    found = await street.look("flexibility:GetCorrection", "o-1", home.name, *pools)
    assert (settled["letters"], found["letters"]) == ("XX", "MM")
    assert found["measured"] == [200, 200]
    assert (found["contributed"], found["added"]) == (750, 180_000)
    for name in ("days", "ratio", "kept", "flags", "dispatched"):
        assert found[name] == settled[name]
    assert found["shown"]["baseline"] == settled["shown"]["baseline"]


async def test_a_user_keeps_what_it_was_paid_and_the_provider_owes(street: Flexible) -> None:
    before = await worse(street)
    paid = await credited(street)
    assert paid == before["users"] > 0
    after = await street.correct()
    assert after["pay"] < before["pay"]
    owed = before["pay"] - after["pay"] + after["penalty"] - before["penalty"]
    assert after["owed"] == {"issuer": 0, "provider": owed, "supplier": 0}
    await street.fold(street.provider)
    await refused(street.accept(name="o-1"), "wrong-state")
    await street.issue(order(id="o-2", start=EVENT + 15 * DAY))
    await refused(street.accept(name="o-2"), "correction-owed")
    await street.owe(street.provider)
    await refused(street.accept(name="o-2"), "correction-owed")
    await street.owe(street.provider, "DistrictA")
    await street.accept(name="o-2")
    assert await credited(street) == paid
    assert await street.everything() == ALL


async def test_a_correction_that_changes_nothing_is_owed_by_nobody(street: Flexible) -> None:
    await street.notice()
    await street.event({})
    result = await street.settle()
    after = await street.correct()
    assert after["owed"] == {"issuer": 0, "provider": 0, "supplier": 0}
    assert sorted(after["paid"]) == ["issuer", "provider"]
    assert after["pay"] == result["pay"]
    await street.issue(order(id="o-2", start=EVENT + 15 * DAY))
    await street.clock(EVENT + 13 * DAY)
    await street.accept(name="o-2")


async def test_a_correction_comes_after_run_final_once_in_its_order(street: Flexible) -> None:
    await street.notice()
    await refused(street.step("CorrectDistrict", "o-1", "DistrictA"), "wrong-state")
    await street.event({})
    await street.settle()
    await refused(street.step("CorrectDistrict", "o-1", "DistrictA"), "run-missing")
    await refused(street.step("CorrectOrder", "o-1"), "not-measured")
    await refused(street.owe(street.provider), "not-measured")
    await refused(street.owe(street.provider, "DistrictA"), "wrong-state")
    await street.correct()
    await refused(street.step("CorrectDistrict", "o-1", "DistrictA"), "wrong-state")
    await refused(street.step("CorrectOrder", "o-1"), "wrong-state")


async def test_a_statement_exchanged_behind_settlements_back_is_not_corrected(
    street: Flexible,
) -> None:
    await better(street)
    held = street.peer.private(METERING, "flex")
    place = next(key for key, value in held.items() if b'"contributed"' in value)
    forged = held[place].replace(b'"contributed":0', b'"contributed":9')
    entries = street.peer._world._state[(METERING, "flex")]
    entries[place] = replace(entries[place], value=forged)
    await refused(street.correct(), "not-certified")
