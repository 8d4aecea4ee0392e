# SPDX-License-Identifier: Apache-2.0
"""Rule, parameters and factors change when every district agrees, from a later day (rules V6)."""

import json
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import (
    DAY,
    METERING,
    OPERATOR,
    OTHER,
    START,
    Ledger,
    day_name,
    district,
    factors,
)

NOW = START + 9 * DAY + 3_600  # in the tenth day
LATER = day_name(11)


@pytest.fixture
async def ledger() -> Ledger:
    """Two districts, each with an operator."""
    ledger = Ledger()
    await ledger.adopt()
    other = district(id="DistrictB", operator="DistrictBMSP")
    await ledger.peer.submit("registry", "PutDistrict", canonical.encode(other))
    ledger.peer.now = NOW
    return ledger


async def put(ledger: Ledger, **changes: Any) -> str:
    """Propose a change; its hash."""
    changed = {**ledger.district, "rule": "R2", "from": LATER, **changes}
    await ledger.peer.submit("registry", "PutDistrict", canonical.encode(changed))
    return str((await asked(ledger, "GetProposal"))["hash"])


async def asked(ledger: Ledger, function: str, *more: str) -> Any:
    answer = await ledger.peer.evaluate("registry", function, "DistrictA", *more)
    return canonical.decode(answer)


async def approve(ledger: Ledger, digest: str, client: bytes) -> None:
    await ledger.peer.submit("registry", "Approve", "DistrictA", digest, creator=client)


async def refused(ledger: Ledger, reason: str, *call: Any, **options: Any) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await ledger.peer.submit("registry", *call, **options)
    assert caught.value.message.split(":")[0] == reason


async def test_a_change_holds_when_the_last_district_has_agreed(ledger: Ledger) -> None:
    digest = await put(ledger)
    assert (await asked(ledger, "GetProposal"))["required"] == ["DistrictAMSP", "DistrictBMSP"]
    assert (await asked(ledger, "GetDistrict"))["rule"] == "R1"
    await approve(ledger, digest, OPERATOR)
    await approve(ledger, digest, OPERATOR)  # once more says nothing more
    assert (await asked(ledger, "GetDistrict"))["rule"] == "R1"
    await approve(ledger, digest, OTHER)
    assert (await asked(ledger, "GetDistrict"))["rule"] == "R2"
    decision = await asked(ledger, "GetDecision", LATER)
    assert [msp_id for msp_id, _ in decision["approvals"]] == ["DistrictAMSP", "DistrictBMSP"]
    assert decision["hash"] == digest
    await refused(ledger, "not-found", "Approve", "DistrictA", digest, creator=OTHER)


async def test_it_is_adopted_from_its_day_and_never_before(ledger: Ledger) -> None:
    digest = await put(ledger)
    for client in (OPERATOR, OTHER):
        await approve(ledger, digest, client)
    await ledger.submit("Adopt", "DistrictA", creator=OPERATOR)
    held = {
        json.loads(value)["versions"][-1]["from"]
        for key, value in ledger.peer.state(METERING).items()
        if key.startswith("\x00adoption")
    }
    assert held == {LATER}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"from": day_name(10)}, None),
        ({"from": day_name(9)}, "not-a-later-day"),
        ({"from": day_name(2)}, "not-a-later-day"),
        ({"factors": "f9"}, "not-in-registry"),
        ({"rule": "R9"}, "malformed-document"),
    ],
)
async def test_a_change_is_for_a_day_to_come_and_of_what_is_known(
    ledger: Ledger, change: dict[str, Any], reason: str | None
) -> None:
    changed = {**ledger.district, "rule": "R2", "from": LATER, **change}
    call = ("PutDistrict", canonical.encode(changed))
    if reason is None:
        await ledger.peer.submit("registry", *call)
    else:
        await refused(ledger, reason, *call)


async def test_a_change_without_its_day_is_refused(ledger: Ledger) -> None:
    for field in ({"rule": "R2"}, {"parameters": {"k_exp": 0}}):
        changed = canonical.encode({**ledger.district, **field})
        await refused(ledger, "malformed-document", "PutDistrict", changed)
    moved = canonical.encode({**ledger.district, "from": LATER})
    await refused(ledger, "malformed-document", "PutDistrict", moved)


async def test_who_waits_until_the_day_has_come_cannot_agree_any_more(ledger: Ledger) -> None:
    digest = await put(ledger)
    await approve(ledger, digest, OPERATOR)
    ledger.peer.now = START + 11 * DAY
    await refused(ledger, "not-a-later-day", "Approve", "DistrictA", digest, creator=OTHER)


async def test_agreement_names_what_is_agreed_to(ledger: Ledger) -> None:
    digest = await put(ledger)
    await refused(ledger, "hash-mismatch", "Approve", "DistrictA", "0" * 64, creator=OPERATOR)
    second = await put(ledger, rule="R3")
    await refused(ledger, "hash-mismatch", "Approve", "DistrictA", digest, creator=OPERATOR)
    assert second != digest


async def test_an_approval_in_flight_does_not_count_for_a_newer_proposal(ledger: Ledger) -> None:
    digest = await put(ledger)
    call = ("registry", "Approve", "DistrictA", digest)
    held = await ledger.peer.endorse(*call, creator=OPERATOR)
    await put(ledger, rule="R3")
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        ledger.peer.commit(held)


async def test_the_dso_does_not_agree_for_a_district(ledger: Ledger) -> None:
    digest = await put(ledger)
    await refused(ledger, "not-permitted", "Approve", "DistrictA", digest)


async def test_calendars_are_amended_without_asking(ledger: Ledger) -> None:
    amended = canonical.encode({**ledger.district, "calendar": ["cal-2026", "cal-2027"]})
    await ledger.peer.submit("registry", "PutDistrict", amended)
    assert (await asked(ledger, "GetDistrict"))["calendar"] == ["cal-2026", "cal-2027"]


async def test_a_new_factor_version_is_such_a_change(ledger: Ledger) -> None:
    second = canonical.encode({**factors(), "version": "f2"})
    await ledger.peer.submit("registry", "PutFactors", "f2", second)
    digest = await put(ledger, factors="f2", rule="R1")
    for client in (OPERATOR, OTHER):
        await approve(ledger, digest, client)
    assert (await asked(ledger, "GetDistrict"))["factors"] == "f2"
