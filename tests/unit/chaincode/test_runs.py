# SPDX-License-Identifier: Apache-2.0
"""Runs that supersede visibly (rules C1, C3) and versions that hold from a day on (V6)."""

from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_fabric.shim import keypolicy
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.closing import opened
from tests.unit.chaincode.district import METERING, START, Home, Ledger, calendar, day_name, factors

HOUR = 3_600
GROUPS = {"group_sites": 3, "group_share_percent": 100}


def hourly(home: Home, day: int, first: int = 1) -> list[bytes]:
    records = []
    for n in range(day * 24 + first, day * 24 + 25):
        at = START + n * HOUR
        records.append(home.grid.record([(at, "I", 300 * n), (at, "E", 100 * n)], n + 1))
    return records


async def closed(ledger: Ledger, day: int, run: str = "P") -> Any:
    await ledger.close(day_name(day), run)
    return await ledger.ask("GetCertificate", day_name(day))


async def three_days_with_late(late: int) -> tuple[Ledger, dict[int, Any]]:
    """The last three days of January of five homes; of the first, `late` of them come after P."""
    homes = [Home(f"home-{n}", "P0") for n in range(5)]
    ledger = await opened(*homes, parameters=GROUPS)
    first: dict[int, Any] = {}
    for day in (28, 29, 30):
        silent = late if day == 28 else 0
        for home in homes[silent:]:
            await ledger.file(*hourly(home, day, 0 if day == 28 else 1))
        await ledger.fold(await ledger.seal())
        first[day] = await closed(ledger, day)
    for home in homes[:late]:
        await ledger.file(*hourly(home, 28, 0))
    await ledger.fold(await ledger.seal())
    return ledger, first


async def test_a_correction_of_too_few_sites_waits_for_the_months_last_day() -> None:
    ledger, first = await three_days_with_late(1)
    assert first[28]["electricity"]["import_wh"] == 4 * 24 * 300
    second = {day: await closed(ledger, day, "F") for day in (28, 29, 30)}
    assert second[28]["run"] == "F"
    for name in ("electricity", "classes", "root", "coverage"):
        assert second[28][name] == first[28][name]
    # The silent home's day, and the next day's first hour, whose opening register it lacked.
    assert second[30]["true_up_wh"]["I"] == 25 * 300
    assert second[30]["window"]["electricity"]["import_wh"] == 3 * 5 * 24 * 300


async def test_a_correction_of_enough_sites_is_printed_for_its_day() -> None:
    ledger, first = await three_days_with_late(3)
    second = await closed(ledger, 28, "F")
    assert second["classes"]["X"] == 0
    assert second["root"] != first[28]["root"]
    assert second["amends"]["run"] == "P"
    assert {"classes.X", "root"} <= set(second["amends"]["changed"])


async def test_a_day_of_too_few_homes_is_printed_in_a_block_with_the_next() -> None:
    """The sum of both days, never the one whose homes it would tell (ADR 18); a later run keeps
    to the blocks of the one before it."""
    ledger, first = await three_days_with_late(3)
    assert first[28]["electricity"]["import_wh"] is None  # two homes only: too small a group
    assert first[28]["window"]["electricity"]["import_wh"] is None
    assert first[29]["electricity"]["import_wh"] is None
    assert first[29]["notes"]["electricity.import_wh"] == "complementary"
    assert first[29]["window"]["electricity"]["import_wh"] == (2 * 24 + 5 * 24 - 3) * 300
    assert first[30]["electricity"]["import_wh"] == 5 * 24 * 300
    second = {day: await closed(ledger, day, "F") for day in (28, 29, 30)}
    assert second[28]["electricity"]["import_wh"] is None
    assert second[28]["notes"]["window.electricity.import_wh"] == "differencing"
    assert second[29]["window"]["electricity"]["import_wh"] == 2 * 5 * 24 * 300


async def test_a_final_run_is_compared_with_what_is_in_print() -> None:
    """F was held back, so FINAL still differs from print by one site and is held back too."""
    ledger, first = await three_days_with_late(1)
    for run in ("F", "FINAL"):
        ledger.peer.now = START + 100 * 24 * HOUR
        for day in (28, 29, 30):
            found = await closed(ledger, day, run)
        assert found["true_up_wh"]["I"] == 25 * 300
    final = await ledger.ask("GetCertificate", day_name(28))
    assert final["run"] == "FINAL"
    assert final["electricity"] == first[28]["electricity"]


async def test_every_run_stays_in_the_history() -> None:
    ledger, first = await three_days_with_late(1)
    await closed(ledger, 28, "F")
    history = await ledger.ask("GetCertificateHistory", day_name(28))
    assert [version["certificate"]["run"] for version in history] == ["F", "P"]
    assert history[1]["certificate"] == first[28]


async def test_a_new_factor_version_holds_from_the_first_open_day() -> None:
    homes = [Home(f"home-{n}", "P0") for n in range(3)]
    ledger = await opened(*homes, parameters=GROUPS)
    for day in (0, 1):
        for home in homes:
            await ledger.file(*hourly(home, day, 1 - day))
    await ledger.fold(await ledger.seal())
    assert (await closed(ledger, 0))["factors"] == "f1"
    put = ledger.peer.submit
    await put("registry", "PutFactors", "f2", canonical.encode({**factors(), "version": "f2"}))
    await ledger.decide({**ledger.district, "factors": "f2", "from": day_name(1)})
    await ledger.submit("Adopt", "DistrictA")
    assert (await closed(ledger, 1))["factors"] == "f2"
    assert (await closed(ledger, 0, "F"))["factors"] == "f1"


async def test_days_go_on_when_the_calendar_is_extended() -> None:
    home = Home("home-1", "P0")
    ledger = Ledger()
    put = ledger.peer.submit
    await put("registry", "PutCalendar", "cal-2026", canonical.encode(calendar(1)))
    await put("registry", "PutFactors", "f1", canonical.encode(factors()))
    await put("registry", "PutDistrict", canonical.encode(ledger.district))
    await ledger.submit("Adopt", "DistrictA")
    await ledger.register(home)
    await ledger.file(*hourly(home, 0, 0))
    await ledger.fold(await ledger.seal())
    await closed(ledger, 0)
    with pytest.raises(TransactionFailed, match="unknown-day"):
        await ledger.close(day_name(1))
    await put("registry", "PutCalendar", "cal-2026", canonical.encode(calendar(2)))
    await ledger.submit("Adopt", "DistrictA")
    await ledger.file(*hourly(home, 1))
    await ledger.fold(await ledger.seal())
    assert (await closed(ledger, 1))["classes"]["X"] == 0


async def test_a_certificate_key_is_bound_to_the_dso_and_its_district() -> None:
    """With the first value comes the key's own policy (rules C4); later runs keep it."""
    home = Home("home-1", "P0")
    ledger = await opened(home)
    await ledger.file(*hourly(home, 0, 0))
    await ledger.fold(await ledger.seal())
    for run, bound in (("P", [("DistrictAMSP", "DSOMSP")]), ("F", [])):
        outcome = await ledger.peer.endorse(METERING, "CloseDay", day_name(0), run)
        ledger.peer.commit(outcome)
        assert bound == [
            tuple(sorted(keypolicy.organizations(value), key=str.lower))
            for namespace in outcome.namespaces
            for write in namespace.metadata_writes
            for _, value in write.entries
        ]


async def test_a_day_no_calendar_names_has_no_certificate() -> None:
    ledger = await opened(Home("home-1", "P0"))
    await ledger.file(*hourly(Home("home-1", "P0"), 0, 0))
    await ledger.fold(await ledger.seal())
    with pytest.raises(TransactionFailed, match="unknown-day"):
        await ledger.close("2027-01-01")


async def test_a_day_of_which_little_is_known_is_closed_in_as_many_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pedchain_chaincode import limits

    monkeypatch.setattr(limits, "CELL_SITES", 1)
    monkeypatch.setattr(limits, "CLOSE_VALUES", 50)  # one home's 2 registers at 25 boundaries
    homes = [Home(f"home-{n}", "P0") for n in range(3)]
    ledger = await opened(*homes)
    for home in homes:
        await ledger.file(*hourly(home, 0, 0))
    await ledger.fold(await ledger.seal())
    assert await ledger.close(day_name(0)) == 3
    for home in homes:
        await ledger.file(hourly(home, 1)[-1])
    await ledger.fold(await ledger.seal())
    assert await ledger.close(day_name(1)) == 3
