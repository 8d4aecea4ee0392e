# SPDX-License-Identifier: Apache-2.0
"""Contract origin issues each day once, in order, in steps, only what run F closed (rules G)."""

from typing import Any

import pytest

from pedchain_chaincode import limits
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import METERING, OPERATOR, Home, day_name
from tests.unit.chaincode.issuing import NOON, A, at_noon, district, issued
from tests.unit.chaincode.wallets import HOUR, Origin, Wallet, registers


async def test_a_day_is_issued_once() -> None:
    ledger, _, _, certificate = await issued()
    assert (certificate["hour"], certificate["wh"], certificate["source"]) == (
        NOON,
        700,
        "generation",
    )
    before = ledger.peer.private(METERING, "readings")
    assert await ledger.issue() == 1
    assert ledger.peer.private(METERING, "readings") == before
    assert len(await ledger.certificates(A)) == 1


async def test_of_two_issues_in_flight_one_fails() -> None:
    ledger, _, _ = await district()
    options: dict[str, Any] = {"creator": OPERATOR}
    both = [
        await ledger.peer.endorse(
            METERING, "origin:IssueDay", day_name(0), transient=ledger.fresh(), **options
        )
        for _ in range(2)
    ]
    ledger.peer.commit(both[0])
    with pytest.raises(CommitRefused):
        ledger.peer.commit(both[1])
    assert len(await ledger.certificates(A)) == 1


async def test_only_what_run_f_closed_is_issued() -> None:
    ledger = Origin()
    home = Home("home-1")
    await ledger.adopt()
    await ledger.register(home)
    await ledger.day(*registers(home.grid, {"I": [1] * 24, "E": [0] * 24}), run="P")
    with pytest.raises(TransactionFailed, match="run-missing"):
        await ledger.issue()


async def test_days_are_issued_in_order_and_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ISSUE_CERTIFICATES", 1)
    monkeypatch.setattr(limits, "CELL_SITES", 1)
    homes = [Home(f"home-{n}") for n in range(3)]
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(*homes)
    flows = {"I": [0] * 24, "E": at_noon(700)}
    for day in range(2):
        begin = {"I": 0, "E": 700 * day}
        records = [r for h in homes for r in registers(h.grid, flows, day, begin)]
        roofs = [
            r for h in homes for r in registers(h.roof, {"G": at_noon(900)}, day, {"G": 900 * day})
        ]
        await ledger.day(*records, *roofs, day=day)
    await ledger.open(*(Wallet(f"acc-{n}", f"home-{n}") for n in range(3)))
    assert await ledger.issue(0) == 3
    public = await ledger.ask("origin:GetIssued", day_name(0))
    assert (public["issued_wh"], public["own_wh"], public["sites"]) == (2_100, 600, 3)
    with pytest.raises(TransactionFailed, match="run-missing"):
        await ledger.issue(2)
    assert await ledger.issue(1) == 3
    for n in range(3):
        hours = [c["hour"] for c in await ledger.certificates(f"acc-{n}")]
        assert hours == [NOON, NOON + 24 * HOUR]


async def test_energy_of_a_site_without_an_account_is_nobodys() -> None:
    ledger, a, _ = await district()
    later = Wallet("acc-c", "home-1")
    asked = later.request(**{"from": NOON + HOUR})
    transient = {"account": asked, "cell": b"0", **ledger.fresh()}
    await ledger.submit("origin:OpenAccount", transient=transient)
    await ledger.issue()
    assert [c["owner"] for c in await ledger.certificates(a.account)] == [A]
    assert await ledger.certificates("acc-c") == []
