# SPDX-License-Identifier: Apache-2.0
"""Sites and points are revised from a day on; what a certificate was made with stays."""

from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_domain import roster as rosters
from pedchain_domain.reasons import DomainError
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.closing import opened
from tests.unit.chaincode.district import (
    METERING,
    OPERATOR,
    Home,
    Ledger,
    day_name,
    point,
    salt,
    site,
)
from tests.unit.chaincode.test_runs import closed, hourly

HOMES = [Home(f"home-{n}", "P0") for n in range(3)]


def revision(document: dict[str, Any], since: str) -> dict[str, Any]:
    return {"schema": "revision/1", "document": document, "since": since}


async def revise(ledger: Ledger, *revisions: dict[str, Any], **options: Any) -> None:
    await ledger.submit("Revise", canonical.encode(list(revisions)), **options)


@pytest.fixture
async def district() -> Ledger:
    """Two days filed and folded, the first closed."""
    ledger = await opened(*HOMES)
    for day in (0, 1):
        for home in HOMES:
            await ledger.file(*hourly(home, day, 1 if day else 0))
    await ledger.fold(await ledger.seal())
    await closed(ledger, 0)
    return ledger


async def test_a_revision_counts_from_its_day_on_and_no_earlier_run_sees_it(
    district: Ledger,
) -> None:
    first = await district.ask("GetCertificate", day_name(0))
    changed = site("home-1", "P0", heating="metered", connection_w=9_000)
    await revise(district, revision(changed, day_name(1)))
    assert (await district.ask("GetSite", "home-1"))["document"] == changed
    second = await closed(district, 1)
    again = await closed(district, 0, "F")
    assert (again["scope"], again["amends"]["changed"]) == (first["scope"], [])
    assert second["scope"] != first["scope"]
    assert second["scope"]["heating.metered"] == 1


async def test_the_same_again_changes_nothing(district: Ledger) -> None:
    one = revision(site("home-1", "P0", heating="metered"), day_name(1))
    await revise(district, one)
    before = district.peer.state(METERING)
    await revise(district, one)
    assert district.peer.state(METERING) == before


async def test_a_points_new_capacity_is_what_new_records_are_judged_by(district: Ledger) -> None:
    home = HOMES[1]
    more = {**point(home.grid.point, "home-1", "GCP"), "p_max_w": 90_000}
    await revise(district, revision(more, day_name(1)))
    assert (await district.ask("GetPoint", home.grid.point))["document"] == more
    entries = canonical.decode(district.peer.state(METERING)["\x00device\x00home-1.grid\x00"])
    assert isinstance(entries, dict)
    assert entries["p_max_w"] == 90_000


@pytest.mark.parametrize(
    ("document", "since", "reason"),
    [
        (site("home-1", "P0", heating="metered"), day_name(0), "day-closed"),
        (site("home-9", "P0"), day_name(1), "unknown-site"),
        (point("nowhere", "home-1", "GCP"), day_name(1), "unknown-point"),
        (point("home-1.gcp", "home-1", "EVSE"), day_name(1), "already-registered"),
        (point("home-1.gcp", "home-2", "GCP"), day_name(1), "already-registered"),
        (site("home-1", "P0", **{"from": 5}), day_name(1), "already-registered"),
        (site("home-1", "P0", feeder="feeder-9"), day_name(1), "outside-boundary"),
        (site("home-1", "F0"), day_name(1), "malformed-document"),
        (site("home-1", "P9"), day_name(1), "malformed-document"),
        (HOMES[0].grid.document(), day_name(1), "malformed-document"),
        (site("home-1", "P0", heating="metered"), "soon", "malformed"),
    ],
)
async def test_what_cannot_be_revised_is_refused(
    district: Ledger, document: dict[str, Any], since: str, reason: str
) -> None:
    with pytest.raises(TransactionFailed, match=reason):
        await revise(district, revision(document, since))


async def test_only_the_dso_revises(district: Ledger) -> None:
    one = revision(site("home-1", "P0", heating="metered"), day_name(1))
    with pytest.raises(TransactionFailed, match="not-permitted"):
        await revise(district, one, creator=OPERATOR)


async def test_a_district_of_names_is_revised_by_them() -> None:
    ledger = Ledger()
    await ledger.adopt()
    documents = [document for home in HOMES for document in home.documents()]
    sent = {"documents": canonical.encode(documents), "salt": salt(900)}
    await ledger.submit("Register", "", transient=sent)
    changed = site("home-1", "P0", heating="metered")
    sent["documents"] = canonical.encode([revision(changed, day_name(1))])
    await ledger.submit("Revise", "", transient=sent)
    name = (await ledger.ask("GetPseudonym", "home-1"))["pseudonym"]
    assert (await ledger.ask("GetSite", name))["document"] == {**changed, "id": name}
    with pytest.raises(TransactionFailed, match="not-a-pseudonym"):
        await revise(ledger, revision(changed, day_name(1)))


def test_versions_stand_for_their_days_and_a_day_is_revised_anew() -> None:
    roster = rosters.add(rosters.empty(0), site("s", "P0"))
    second, third = site("s", "P0", battery_wh=2), site("s", "P0", battery_wh=3)
    changed = rosters.revise(roster, revision(second, "2026-02-01"))
    changed = rosters.revise(changed, revision(third, "2026-03-01"))
    stood = [
        rosters.on(changed, day)["sites"]["s"].get("battery_wh")
        for day in ("2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01")
    ]
    assert stood == [None, 2, 2, 3]
    again = rosters.revise(changed, revision(site("s", "P0", battery_wh=4), "2026-03-01"))
    assert rosters.on(again, "2026-03-01")["sites"]["s"]["battery_wh"] == 4
    assert rosters.on(again, "2026-02-28")["sites"]["s"]["battery_wh"] == 2
    with pytest.raises(DomainError, match="overlaps"):
        rosters.revise(changed, revision(second, "2026-02-15"))
    assert rosters.on(roster, "2026-01-01") == roster
