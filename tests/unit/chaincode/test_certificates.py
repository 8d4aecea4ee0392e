# SPDX-License-Identifier: Apache-2.0
"""Certificates of months and of the rolling year, versions that name what changed, proofs (C5)."""

from typing import Any

import pytest

from pedchain_domain import canonical, proofs
from pedchain_domain.reasons import DomainError
from pedchain_fabric.shim import keypolicy
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import METERING, OTHER, START, Home, day_name
from tests.unit.chaincode.test_runs import closed, hourly, opened, three_days_with_late

HOUR = 3_600


async def test_a_months_last_day_makes_the_months_certificate() -> None:
    ledger, _ = await three_days_with_late(0)
    found = await ledger.ask("GetMonthly", "2026-01")
    assert (found["first"], found["last"], found["days"]) == ("2026-01-29", "2026-01-31", 3)
    assert found["electricity"]["import_wh"] == 3 * 5 * 24 * 300
    assert found["sums"]["hours"] == 72
    assert (found["run"], found["version"], found["amends"]) == ("P", 1, None)
    with pytest.raises(TransactionFailed, match="not-found"):
        await ledger.ask("GetMonthly", "2026-02")


async def test_a_later_run_of_the_month_names_what_changed_and_history_keeps_both() -> None:
    """One home's day came late: held back for its day, it enters with the month's last day."""
    ledger, first = await three_days_with_late(1)
    before = await ledger.ask("GetMonthly", "2026-01")
    second = {day: await closed(ledger, day, "F") for day in (28, 29, 30)}
    month = await ledger.ask("GetMonthly", "2026-01")
    assert (month["run"], month["version"]) == ("F", 2)
    assert month["true_up_wh"]["I"] == 25 * 300
    late = month["electricity"]["import_wh"] - before["electricity"]["import_wh"]
    assert late == 25 * 300
    assert "electricity.import_wh" in month["amends"]["changed"]
    history = await ledger.ask("GetMonthlyHistory", "2026-01")
    assert [one["certificate"]["version"] for one in history] == [2, 1]
    assert history[1]["certificate"] == before
    assert second[28]["held_back"]
    assert second[28]["amends"] == {"run": "P", "changed": ["held_back"]}
    assert (first[28]["version"], second[28]["version"]) == (1, 2)
    listed = await ledger.ask("ListMonthly", "2025-01", "")
    assert [one["month"] for one in listed["certificates"]] == ["2026-01"]


async def test_the_rolling_year_is_a_document_of_its_own() -> None:
    ledger, first = await three_days_with_late(0)
    found = await ledger.ask("GetRolling", day_name(30))
    window = first[30]["window"]
    assert {name: found[name] for name in window} == window
    assert found["verdict"] == first[30]["verdict"]
    assert found["sums"]["covered_wh"] == sum(one["sums"]["covered_wh"] for one in first.values())


async def test_a_months_key_is_bound_to_the_dso_and_its_district() -> None:
    homes = [Home(f"home-{n}", "P0") for n in range(3)]
    ledger = await opened(*homes)
    for home in homes:
        await ledger.file(*hourly(home, 30, 0))
    await ledger.fold(await ledger.seal())
    outcome = await ledger.peer.endorse(METERING, "CloseDay", day_name(30), "P")
    bound = {
        write.key.split("\x00")[1]: tuple(sorted(keypolicy.organizations(value)))
        for namespace in outcome.namespaces
        for write in namespace.metadata_writes
        for _, value in write.entries
    }
    both = ("DSOMSP", "DistrictAMSP")
    assert bound == {"certificate": both, "monthly": both}


def lies_under(proof: dict[str, Any], root: str) -> bool:
    return bool(proof["roots"][-1] == root and proofs.check(proof))


async def test_a_member_proves_an_interval_of_a_certificate() -> None:
    """Every interval of a day, in several cells, offline with the proof and the root alone."""
    homes = [Home(f"home-{n}") for n in range(14)]
    ledger = await opened(*homes)
    for home in homes:
        await ledger.file(*hourly(home, 0, 0))
    await ledger.fold(await ledger.seal())
    certificate = await closed(ledger, 0)
    for home in (homes[0], homes[5], homes[13]):
        proof = await ledger.ask("GetProof", home.grid.point, day_name(0), str(START + 5 * HOUR))
        assert lies_under(proof, certificate["root"])
        leaf = proofs.check(proof)
        assert leaf["interval"] == START + 5 * HOUR
        assert leaf["registers"] == {"E": ["M", 100], "I": ["M", 300]}
        assert (proof["district"], proof["run"]) == ("DistrictA", "P")
    other = canonical.decode(canonical.encode(proof))
    assert isinstance(other, dict)
    for change in (
        {"shown": proof["shown"].replace("300", "3")},
        {"salt": "00" * 16},
        {"path": []},
    ):
        with pytest.raises(DomainError):
            proofs.check({**other, **change})


async def test_what_is_no_interval_or_no_member_gets_no_proof() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    await ledger.file(*hourly(home, 0, 0))
    await ledger.fold(await ledger.seal())
    await closed(ledger, 0)
    for instant in (START - HOUR, START + 1, START + 24 * HOUR):
        with pytest.raises(TransactionFailed, match="unknown-day"):
            await ledger.ask("GetProof", home.grid.point, day_name(0), str(instant))
    with pytest.raises(TransactionFailed, match="not-found"):
        await ledger.ask("GetProof", "nowhere", day_name(0), str(START))
    with pytest.raises(TransactionFailed):
        await ledger.ask("GetProof", home.grid.point, day_name(0), str(START), creator=OTHER)


async def test_a_run_that_is_held_back_keeps_the_proofs_of_what_is_in_print() -> None:
    ledger, first = await three_days_with_late(1)
    second = await closed(ledger, 28, "F")
    assert second["root"] == first[28]["root"]
    for name in ("home-0", "home-3"):
        proof = await ledger.ask("GetProof", f"{name}.gcp", day_name(28), str(START + 28 * 86_400))
        assert lies_under(proof, second["root"])
