# SPDX-License-Identifier: Apache-2.0
"""The registry contract and what a metering definition adopts of it: a test per guard."""

import copy
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_fabric.shim.testing import TransactionFailed, creator
from tests.unit.chaincode.district import (
    AUDITOR,
    METERING,
    OPERATOR,
    OTHER,
    SERVICE,
    Home,
    Ledger,
    calendar,
    district,
    factors,
)


def document(value: Any) -> bytes:
    return canonical.encode(value)


async def refused(ledger: Ledger, reason: str, *call: Any, **options: Any) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await ledger.peer.submit(*call, **options)
    assert caught.value.status == 400
    assert caught.value.message.split(":")[0] == reason


async def test_documents_are_read_back_as_they_were_put() -> None:
    ledger = Ledger()
    await ledger.adopt()
    for function, name, value in (
        ("GetDistrict", "DistrictA", district()),
        ("GetCalendar", "cal-2026", calendar()),
        ("GetFactors", "f1", factors()),
    ):
        assert await ledger.peer.evaluate("registry", function, name) == document(value)


@pytest.mark.parametrize("function", ["GetDistrict", "GetCalendar", "GetFactors"])
async def test_an_unknown_document_is_not_found(function: str) -> None:
    with pytest.raises(TransactionFailed, match="not-found"):
        await Ledger().peer.evaluate("registry", function, "nobody")


@pytest.mark.parametrize(
    "client", [OPERATOR, OTHER, creator("DSOMSP", ous=("peer",), attributes=SERVICE)]
)
async def test_only_services_of_the_dso_write_the_registry(client: bytes) -> None:
    call = ("registry", "PutDistrict", document(district()))
    await refused(Ledger(), "not-permitted", *call, creator=client)


@pytest.mark.parametrize("attributes", [{"ped.role": "auditor"}, {"ped.role": ""}, {}])
async def test_who_has_no_role_or_only_reads_writes_nothing(attributes: dict[str, str]) -> None:
    reader = creator("DSOMSP", "reader", attributes=attributes)
    call = ("registry", "PutDistrict", document(district()))
    await refused(Ledger(), "not-permitted", *call, creator=reader)


@pytest.mark.parametrize(
    ("field", "value"),
    [("grain", 900), ("zone", "zone-2"), ("shards", 2), ("operator", "DistrictBMSP")],
)
async def test_what_a_district_keeps_for_life_cannot_be_changed(field: str, value: Any) -> None:
    ledger = Ledger()
    await ledger.adopt()
    changed = document(district(**{field: value}))
    await refused(ledger, "already-registered", "registry", "PutDistrict", changed)


async def test_a_district_of_another_dso_is_refused() -> None:
    changed = document(district(dso="DistrictBMSP"))
    await refused(Ledger(), "malformed-document", "registry", "PutDistrict", changed)


async def test_a_calendar_row_that_stands_is_never_changed() -> None:
    ledger = Ledger()
    await ledger.adopt()
    changed = copy.deepcopy(calendar())
    changed["rows"][3]["type"] = "saturday"
    put = ("registry", "PutCalendar", "cal-2026", document(changed))
    await refused(ledger, "already-registered", *put)


async def test_a_calendar_grows() -> None:
    ledger = Ledger()
    await ledger.peer.submit("registry", "PutCalendar", "cal-2026", document(calendar(5)))
    await ledger.peer.submit("registry", "PutCalendar", "cal-2026", document(calendar(9)))
    held = await ledger.peer.evaluate("registry", "GetCalendar", "cal-2026")
    assert held == document(calendar(9))


async def test_a_factor_version_that_stands_is_never_changed() -> None:
    ledger = Ledger()
    await ledger.adopt()
    changed = document({**factors(), "source": "another"})
    await refused(ledger, "already-registered", "registry", "PutFactors", "f1", changed)
    await ledger.peer.submit("registry", "PutFactors", "f1", document(factors()))


@pytest.mark.parametrize(
    "call",
    [
        ("PutCalendar", "other", document(calendar())),
        ("PutFactors", "other", document(factors())),
        ("PutDistrict", document(calendar())),
        ("PutDistrict", document({**district(), "colour": "blue"})),
    ],
)
async def test_a_document_that_is_not_what_the_call_says_is_refused(call: Any) -> None:
    await refused(Ledger(), "malformed-document", "registry", *call)


async def test_adoption_opens_the_first_period() -> None:
    ledger = Ledger()
    with pytest.raises(TransactionFailed, match="not-adopted"):
        await ledger.ask("GetFence")
    await ledger.adopt()
    assert await ledger.ask("GetFence") == {"district": "DistrictA", "period": 1, "shards": 1}


async def test_adopting_the_same_again_changes_nothing() -> None:
    ledger = Ledger()
    await ledger.adopt()
    before = ledger.peer.state(METERING)
    await ledger.submit("Adopt", "DistrictA", creator=OPERATOR)
    assert ledger.peer.state(METERING) == before


async def test_only_the_dso_adopts_first() -> None:
    ledger = Ledger()
    await ledger.adopt()
    ledger.peer.install("metering-fresh", *[type_of_metering()], collections=["readings"])
    adopt = ("metering-fresh", "Adopt", "DistrictA")
    await refused(ledger, "not-permitted", *adopt, creator=OPERATOR)


def type_of_metering() -> Any:
    from pedchain_chaincode.metering.contract import MeteringContract

    return MeteringContract()


async def test_a_definition_serves_one_district_for_life() -> None:
    ledger = Ledger()
    await ledger.adopt()
    await ledger.peer.submit("registry", "PutDistrict", document(district(id="DistrictB")))
    await refused(ledger, "already-adopted", METERING, "Adopt", "DistrictB")


async def test_what_the_registry_lacks_cannot_be_adopted() -> None:
    ledger = Ledger()
    await refused(ledger, "not-in-registry", METERING, "Adopt", "DistrictA")


async def test_another_organisation_does_nothing_here() -> None:
    ledger = Ledger()
    await ledger.adopt()
    for call in (
        ("Register", document(Home("h").documents())),
        ("SubmitReadings", "1"),
        ("SealPeriod", "1"),
        ("FoldShard", "1", "0"),
        ("CloseDay", "2026-01-01", "P"),
        ("Adopt", "DistrictA"),
    ):
        for client in (OTHER, AUDITOR):
            await refused(ledger, "not-permitted", METERING, *call, creator=client)
