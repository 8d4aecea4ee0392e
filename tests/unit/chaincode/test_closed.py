# SPDX-License-Identifier: Apache-2.0
"""What of a closed day is shown, to whom, and what stays hidden."""

import json

import pytest

from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.closing import HOUR, certified, hourly, opened
from tests.unit.chaincode.district import METERING, OPERATOR, OTHER, START, Home, day_name


async def test_the_window_takes_one_day_in_and_one_out() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(
        home, parameters={"window_days": 2, "group_sites": 1, "group_share_percent": 100}
    )
    for day in range(4):
        await certified(ledger, *hourly(home, day, 0 if day == 0 else 1), day=day)
    window = await ledger.ask("GetWindow")
    assert (window["first"], window["last"], window["days"]) == (day_name(2), day_name(3), 2)
    assert window["additive"]["I"] == 2 * 24 * 300
    found = await ledger.ask("GetCertificate", day_name(3))
    assert found["verdict"]["verdict"] in ("positive", "not_positive")


async def test_certificates_are_listed_in_pages_and_keep_their_history() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    for day in range(3):
        await certified(ledger, *hourly(home, day, 0 if day == 0 else 1), day=day)
    page = await ledger.ask("ListCertificates", day_name(1), "")
    assert [c["day"] for c in page["certificates"]] == [day_name(1), day_name(2)]
    assert page["bookmark"] == ""
    await ledger.close(day_name(0), "F")
    history = await ledger.ask("GetCertificateHistory", day_name(0))
    assert [version["certificate"]["run"] for version in history] == ["F", "P"]
    assert [name for _, name, _ in ledger.peer.events] == ["CertificateIssued"] * 4


async def test_members_alone_read_what_is_private() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    await certified(ledger, *hourly(home))
    for call in (("GetWindow",), ("ListFindings", day_name(0)), ("GetRecord", home.grid.name, "1")):
        with pytest.raises(TransactionFailed, match="access permission"):
            await ledger.ask(*call, creator=OTHER)
        await ledger.ask(*call, creator=OPERATOR)


async def test_findings_of_a_day_name_what_was_not_plainly_recorded() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    records = hourly(home)
    twin = home.grid.record([(START + 5 * HOUR, "I", 1_501)], 6)
    unsynchronised = home.grid.record([(START + 6 * HOUR, "I", 1)], 900, state="U")
    await ledger.file(*records, twin)
    await certified(ledger, records[2], unsynchronised)
    found = await ledger.ask("ListFindings", day_name(0))
    told = sorted((one["reason"], one.get("counter")) for one in found["records"])
    odd = [("duplicate", None), ("recorded-not-certifiable", 900)]
    assert told == [("conflict", 6), ("conflict", 6), *odd]
    assert found["complete"] is True


async def test_what_was_never_closed_is_not_found() -> None:
    ledger = await opened(Home("home-1"))
    for call in (
        ("GetCertificate", day_name(0)),
        ("GetWindow",),
        ("ListFindings", day_name(0)),
        ("GetRecord", "home-1.grid", "1"),
        ("GetSite", "nowhere"),
        ("GetDevice", "nobody"),
    ):
        with pytest.raises(TransactionFailed, match="not-found"):
            await ledger.ask(*call)


@pytest.mark.fault(21)
async def test_no_private_name_can_be_guessed_and_every_value_is_salted() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    await certified(ledger, *hourly(home))
    private = ledger.peer.private(METERING, "readings")
    for key in private:
        kind, *parts = key.strip("\x00").split("\x00")
        assert kind in ("h", "batch", "secret")
        assert all(len(part) == 64 for part in parts)
    starts = [value[:16] for value in private.values()]
    assert len(set(starts)) == len(starts)
    public = json.dumps(
        {
            k: v.decode()
            for k, v in ledger.peer.state(METERING).items()
            if "roster" not in k and "device" not in k
        }
    )
    for canary in ("home-1.grid", '"300"'):
        assert canary not in public
