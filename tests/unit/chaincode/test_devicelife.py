# SPDX-License-Identifier: Apache-2.0
"""Suspension, resumption and what a thief cannot do: the device's life on the ledger."""

import json
from typing import Any

import pytest

from pedchain_domain.reasons import Reason, reason_of
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import METERING, OPERATOR, OTHER, START, Home, Ledger, Meter
from tests.unit.chaincode.people import transient
from tests.unit.chaincode.test_registration import rotation

HOUR = 3_600
GRID = "home-1.grid"


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    await ledger.register(Home("home-1"))
    return ledger


def suspend(begun: int) -> str:
    return json.dumps({"schema": "suspend/1", "device": GRID, "from": begun})


def resume(at: int) -> str:
    return json.dumps({"schema": "resume/1", "device": GRID, "at": at})


async def refused(ledger: Ledger, reason: str, *call: Any, **options: Any) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await ledger.submit(*call, **options)
    assert caught.value.message.split(":")[0] == reason


async def test_what_a_suspended_device_measures_is_kept_and_not_certified(ledger: Ledger) -> None:
    await ledger.submit("SuspendDevice", suspend(START + HOUR), creator=OPERATOR)
    grid = Home("home-1").grid
    answers = await ledger.file(
        grid.record([(START, "I", 1_000)]),
        grid.record([(START + HOUR, "I", 1_100)]),
    )
    assert [reason_of(a) for a in answers] == [Reason.RECORDED, Reason.NOT_CERTIFIABLE]
    await ledger.submit("ResumeDevice", resume(START + 3 * HOUR))
    answers = await ledger.file(
        grid.record([(START + 2 * HOUR, "I", 1_200)]),
        grid.record([(START + 3 * HOUR, "I", 1_300)]),
    )
    assert [reason_of(a) for a in answers] == [Reason.NOT_CERTIFIABLE, Reason.RECORDED]
    found = await ledger.ask("GetDevice", GRID)
    assert found["state"] == "active"
    assert found["suspended"] == [[START + HOUR, START + 3 * HOUR]]


async def test_only_the_dso_ends_a_suspension(ledger: Ledger) -> None:
    await refused(ledger, "not-permitted", "SuspendDevice", suspend(START), creator=OTHER)
    await ledger.submit("SuspendDevice", suspend(START), creator=OPERATOR)
    await refused(ledger, "not-permitted", "ResumeDevice", resume(START + 9), creator=OPERATOR)
    assert (await ledger.ask("GetDevice", GRID))["state"] == "suspended"


async def test_a_change_goes_only_where_the_state_allows(ledger: Ledger) -> None:
    await refused(ledger, "wrong-state", "ResumeDevice", resume(START))
    await ledger.submit("SuspendDevice", suspend(START))
    await ledger.submit("SuspendDevice", suspend(START))  # the same again
    await refused(ledger, "wrong-state", "SuspendDevice", suspend(START + 9))
    await refused(ledger, "malformed-document", "ResumeDevice", resume(START))
    unknown = json.dumps({"schema": "suspend/1", "device": "nobody", "from": 0})
    await refused(ledger, "unknown-device", "SuspendDevice", unknown)


@pytest.mark.fault(13)
async def test_a_thief_of_a_revoked_key_binds_no_other(ledger: Ledger) -> None:
    revocation = {"schema": "revoke/1", "device": GRID, "counter": 5}
    await ledger.submit("RevokeKey", json.dumps(revocation))
    fresh = Meter(GRID, "", ("I", "E"), seed=2)
    document = json.dumps(rotation(Home("home-1").grid, fresh, 9))
    await refused(ledger, "wrong-state", "RotateKey", document, creator=OPERATOR)


async def test_a_batch_in_flight_fails_when_its_device_is_suspended(ledger: Ledger) -> None:
    sent = ledger.transient([Home("home-1").grid.record([(START, "I", 1_000)])])
    held = await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=sent)
    await ledger.submit("SuspendDevice", suspend(START))
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        ledger.peer.commit(held)


async def test_names_of_devices_may_travel_unseen() -> None:
    ledger = Ledger()
    await ledger.adopt()
    documents = json.dumps(Home("home-1").documents()).encode()
    await ledger.submit("Register", "", transient=transient(documents=documents))
    for function, document in (
        ("SuspendDevice", suspend(START)),
        ("ResumeDevice", resume(START + 9)),
        ("RotateKey", json.dumps(rotated())),
        ("RevokeKey", json.dumps({"schema": "revoke/1", "device": GRID, "counter": 5})),
    ):
        sent = transient(document=document.encode())
        await ledger.submit(function, "", transient=sent)
        assert GRID.encode() not in b"".join(ledger.peer.state(METERING).values())
    found = await ledger.ask("GetDevice", GRID)
    assert (found["state"], len(found["keys"])) == ("revoked", 2)


def rotated() -> dict[str, Any]:
    return rotation(Home("home-1").grid, Meter(GRID, "", ("I", "E"), seed=2), 3)
