# SPDX-License-Identifier: Apache-2.0
"""Consent to flexibility: who gives it, by what, what is shared by it, when it ends (rules D3)."""

import json
from typing import Any

import pytest

from pedchain_fabric.shim.testing import TransactionFailed, creator
from tests.unit.chaincode import people
from tests.unit.chaincode.district import (
    DAY,
    DSO,
    METERING,
    OPERATOR,
    START,
    Home,
    Meter,
    day_name,
    point,
)
from tests.unit.chaincode.flexing import AGGREGATOR, Flexible
from tests.unit.chaincode.refusals import refused


class Balcony(Home):
    """A home with a plug-in generator nobody meters."""

    def documents(self) -> list[dict[str, Any]]:
        first, *others = super().documents()
        return [{**first, "unmetered_generation_w": 800}, *others]


class Charging(Home):
    """A home whose charger has a meter of its own."""

    def documents(self) -> list[dict[str, Any]]:
        charger = point("h03.evse", self.name, "EVSE")
        return [*super().documents(), charger, CHARGER.document()]


CHARGER = Meter("h03.charger", "h03.evse", ("Ch",))


@pytest.fixture
async def street() -> Flexible:
    """Two homes with a grid meter, one with an unmetered roof, nobody enrolled."""
    found = Flexible(2)
    found.homes.append(Balcony("h02", "P5"))
    found.registers["h02"] = 0
    await found.ledger.adopt()
    await found.ledger.register(*found.homes)
    for home in found.homes:
        await found.offer(home)
    return found


async def test_a_site_consents_by_its_device_and_its_occupants_code(street: Flexible) -> None:
    home = street.homes[0]
    await street.enrol(home)
    (held,) = await street.look("flexibility:GetEnrolments", home.name)
    assert held == {"enrolment": street.consent(home), "occupancy": None, "to": None}
    assert await street.look("flexibility:GetEnrolments", street.homes[1].name) == []


async def test_a_code_serves_once_and_its_own_site_only(street: Flexible) -> None:
    first, second, _ = street.homes
    await refused(street.enrol(first, "1235"), "claim-refused")
    await refused(street.enrol(first, ""), "claim-refused")
    await street.offer(second, "9999")
    await refused(street.enrol(second, "1234"), "claim-refused")
    await street.enrol(first, to=START + DAY)
    later = {"from": START + DAY}
    await refused(street.enrol(first, **later), "claim-refused")
    await street.offer(first, "5678")
    await street.enrol(first, "5678", **later)


async def test_only_the_sites_own_device_consents_for_it(street: Flexible) -> None:
    first, second, _ = street.homes

    async def sent(document: dict[str, Any], by: Home, district: str = "DistrictA") -> None:
        paper = street.paper(document, by.grid, district)
        await street.metering("flexibility:EnrolSite", enrolment=paper, code=b"1234")

    await refused(sent(street.consent(first), second), "bad-signature")
    await refused(sent(street.consent(first), first, "DistrictB"), "bad-signature")
    await refused(sent(street.consent(first, device="nobody"), first), "unknown-device")
    of_other = street.consent(first, device=second.grid.name)
    await refused(sent(of_other, second), "key-meter-mismatch")
    await refused(sent(street.consent(first, site="h99"), first), "unknown-site")
    await refused(sent({**street.consent(first), "more": 1}, first), "malformed-document")
    revoke = {"schema": "revoke/1", "device": first.grid.name, "counter": 1}
    await street.ledger.submit("RevokeKey", json.dumps({**revoke, "compromised_since": None}))
    await refused(sent(street.consent(first), first), "revoked-key")


async def test_a_site_serves_one_provider_at_a_time(street: Flexible) -> None:
    home = street.homes[0]
    await street.enrol(home)
    await street.offer(home, "2")
    await refused(street.enrol(home, "2", provider="other"), "overlaps")


async def test_protected_and_unmetered_sites_never_consent(street: Flexible) -> None:
    home, _, roof = street.homes
    await refused(street.enrol(roof), "not-measured")

    async def protect(value: bool) -> None:
        document = json.dumps({"site": home.name, "protected": value}).encode()
        await street.metering("flexibility:ProtectSite", by=DSO, document=document)

    await protect(True)
    await refused(street.enrol(home), "protected")
    await protect(False)
    await street.enrol(home)


async def test_a_sub_meter_offers_nothing_alone() -> None:
    """What a charger's meter reads alone is no measure: its site consents by the grid's meter."""
    found, home = Flexible(0), Charging("h03", "P0")
    await found.ledger.adopt()
    await found.ledger.register(home)
    await found.offer(home)
    paper = found.paper(found.consent(home, device=CHARGER.name), CHARGER)
    call = found.metering("flexibility:EnrolSite", enrolment=paper, code=b"1234")
    await refused(call, "not-measured")
    await found.enrol(home)


async def withdraw(street: Flexible, home: Home, **changes: Any) -> None:
    body = {"schema": "withdrawal/1", "site": home.name, "device": home.grid.name}
    whole = {**body, "provider": "aggregator", "to": START + DAY, **changes}
    paper = street.paper(whole, home.grid)
    await street.metering("flexibility:WithdrawSite", withdrawal=paper)


async def test_a_consent_ends_when_the_device_says_so_and_never_later_again(
    street: Flexible,
) -> None:
    home = street.homes[0]
    await street.enrol(home)
    await refused(withdraw(street, home, provider="other"), "wrong-state")
    await refused(withdraw(street, home, to=START), "wrong-state")
    await withdraw(street, home, to=START + 2 * DAY)
    await withdraw(street, home)
    await refused(withdraw(street, home, to=START + 3 * DAY), "wrong-state")
    (held,) = await street.look("flexibility:GetEnrolments", home.name)
    assert held["to"] == START + DAY


async def test_what_is_shared_is_what_sites_consented_to_and_nothing_of_others(
    street: Flexible,
) -> None:
    """One from its second day on, one not at all; and the DSO is not asked for more."""
    first, second, _ = street.homes
    await street.enrol(first, history=False, **{"from": START + DAY})
    await refused(street.share(0), "run-missing")
    for day in range(3):
        await street.file(day, range(24), {})
    await street.file(3, [0], {})
    await street.seal()
    for day in range(3):
        await street.close(day, "P")
    await withdraw(street, first, to=START + 2 * DAY)
    await street.share(2)  # what was shared before the withdrawal stays; days after it are new
    await refused(street.look("flexibility:GetFigure", first.name, day_name(0)), "not-found")
    found = await street.look("flexibility:GetFigure", first.name, day_name(1))
    assert found["run"] == "P"
    assert found["figure"]["c"] == "M" * 24
    assert sum(found["figure"]["f"]) == sum(600 + (11 + hour * 5) % 13 for hour in range(24))
    assert found["figure"]["p"] == [[1, 24]]
    shared = b"".join(street.peer.private(METERING, "flex").values())
    assert second.name.encode() not in shared
    with pytest.raises(TransactionFailed, match="read access permission"):
        await street.look("flexibility:GetFigure", first.name, day_name(1), by=creator("BMSP"))


async def test_the_aggregator_neither_enrols_nor_shares(street: Flexible) -> None:
    home = street.homes[0]
    paper = street.paper(street.consent(home), home.grid)
    call = street.metering("flexibility:EnrolSite", by=AGGREGATOR, enrolment=paper, code=b"1234")
    await refused(call, "not-permitted")
    call = street.metering("flexibility:ShareDay", day_name(0), by=AGGREGATOR)
    await refused(call, "not-permitted")


async def test_steps_of_an_order_are_settlements_to_call(street: Flexible) -> None:
    for step in ("FreezeCells", "DispatchSites", "AnswerSites", "MeasureCells"):
        for by in (AGGREGATOR, DSO, OPERATOR):
            await refused(street.metering(f"flexibility:{step}", "{}", by=by), "called-directly")


async def test_a_consent_ends_with_the_occupancy_it_stands_on(street: Flexible) -> None:
    """Ann moves in and consents; she moves out, and from then on nothing of the home is shared,
    nor may her consent be given anew for whoever comes after her by her code."""
    home, name, salt = street.homes[0], "Ann Example", 900

    async def member(function: str, **sent: Any) -> None:
        call = f"membership:{function}"
        await street.metering(call, **people.transient(salt, **sent))

    await member("Enrol", membership=people.membership(name), identity=people.identity(name))
    spki = people.membership(name)["key"]["spki"]
    asked = json.loads(await street.peer.evaluate(METERING, "membership:GetMemberOfKey", spki))
    ann = str(asked["member"])
    await member("Occupy", document=people.occupancy(name, ann, home.name, START))
    await street.enrol(home)
    vacate = {"schema": "vacate/1", "member": ann, "site": home.name}
    await member("Vacate", document={**vacate, "from": START, "to": START + DAY})
    for day in range(2):
        await street.file(day, range(24), {})
    await street.file(2, [0], {})
    await street.seal()
    for day in range(2):
        await street.close(day, "P")
    (held,) = await street.look("flexibility:GetEnrolments", home.name)
    assert (held["occupancy"], held["to"]) == (START, START + DAY)
    assert (await street.look("flexibility:GetFigure", home.name, day_name(0)))["run"] == "P"
    await refused(street.look("flexibility:GetFigure", home.name, day_name(1)), "not-found")
    await refused(street.enrol(home, **{"from": START + DAY}), "claim-refused")
