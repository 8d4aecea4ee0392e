# SPDX-License-Identifier: Apache-2.0
"""Samples of a certified day: roots for members, results by somebody else than the district."""

from typing import Any

import pytest

from pedchain_domain import canonical, sampling
from pedchain_fabric.shim.testing import TransactionFailed, creator
from tests.unit.chaincode.closing import opened
from tests.unit.chaincode.district import METERING, OPERATOR, OTHER, Home, Ledger, day_name
from tests.unit.chaincode.test_runs import closed, hourly

ROLE = {"ped.role": "auditor"}
AUDITOR = creator("DistrictBMSP", "auditor", attributes=ROLE)
OWN = creator("DistrictAMSP", "auditor", attributes=ROLE)
DAY = day_name(0)


@pytest.fixture
async def district() -> Ledger:
    """Thirteen homes, so two cells, and a closed day."""
    homes = [Home(f"home-{n}", "P0") for n in range(13)]
    ledger = await opened(*homes)
    for home in homes:
        await ledger.file(*hourly(home, 0, 0))
    await ledger.fold(await ledger.seal())
    await closed(ledger, 0)
    return ledger


async def result(ledger: Ledger, **changes: Any) -> dict[str, Any]:
    certificate = await ledger.ask("GetCertificate", DAY)
    found = {name: certificate[name] for name in ("day", "run", "version", "root")}
    counts = {"leaves": 3, "verified": 2, "missing": 1, "failed": 0, "opening": "cd" * 32}
    block = {"block": 9, "hash": "ab" * 32}
    return {"schema": "sample/1", **found, **block, **counts, **changes}


async def record(ledger: Ledger, document: dict[str, Any], client: bytes = AUDITOR) -> None:
    sent = canonical.encode(document)
    await ledger.peer.submit(METERING, "RecordSample", sent, creator=client)


async def test_a_days_roots_lead_to_its_certificate(district: Ledger) -> None:
    certificate = await district.ask("GetCertificate", DAY)
    pages = [await district.ask("GetLeaves", DAY, cell) for cell in ("0", "1")]
    assert pages[0]["cells"] == pages[1]["cells"] == ["0", "1"]
    cells = {str(at): [root for _, root, _ in one["points"]] for at, one in enumerate(pages)}
    assert sampling.root_over(cells) == certificate["root"]
    assert [len(points) for points in cells.values()] == [12, 1]
    assert (await district.ask("GetLeaves", DAY, "7"))["points"] == []


async def test_roots_are_for_members(district: Ledger) -> None:
    with pytest.raises(TransactionFailed):
        await district.ask("GetLeaves", DAY, "0", creator=OTHER)
    with pytest.raises(TransactionFailed, match="not-found"):
        await district.ask("GetLeaves", day_name(1), "0")


async def test_what_an_auditor_found_stands_with_who_found_it(district: Ledger) -> None:
    told = await result(district)
    await record(district, told)
    found = (await district.ask("ListSamples", DAY, ""))["samples"]
    assert len(found) == 1
    assert {name: found[0][name] for name in told} == told
    assert (found[0]["district"], found[0]["auditor"]) == ("DistrictA", "DistrictBMSP")
    assert found[0]["identity"]


async def test_each_organisation_says_its_own_and_may_say_it_anew(district: Ledger) -> None:
    refused = await result(district, verified=0, missing=3, opening=None)
    await record(district, refused)
    await record(district, await result(district))
    aggregator = creator("AggregatorMSP", "auditor", attributes=ROLE)
    await record(district, refused, aggregator)
    found = (await district.ask("ListSamples", DAY, ""))["samples"]
    assert [(one["auditor"], one["verified"]) for one in found] == [
        ("AggregatorMSP", 0),
        ("DistrictBMSP", 2),
    ]
    page = await district.ask("ListSamples", "2000-01-01", f"{DAY}/DistrictBMSP")
    assert [one["auditor"] for one in page["samples"]] == ["DistrictBMSP"]


@pytest.mark.parametrize("client", [OWN, OPERATOR, OTHER])
async def test_the_district_itself_and_who_is_no_auditor_say_nothing(
    district: Ledger, client: bytes
) -> None:
    with pytest.raises(TransactionFailed, match="not-permitted"):
        await record(district, await result(district), client)


@pytest.mark.parametrize("change", [{"root": "00" * 32}, {"version": 2}, {"run": "F"}])
async def test_a_sample_of_another_certificate_is_refused(
    district: Ledger, change: dict[str, Any]
) -> None:
    with pytest.raises(TransactionFailed, match="superseded"):
        await record(district, await result(district, **change))


async def test_a_sample_of_no_certificate_or_of_wrong_counts_is_refused(district: Ledger) -> None:
    with pytest.raises(TransactionFailed, match="not-found"):
        await record(district, await result(district, day=day_name(1)))
    with pytest.raises(TransactionFailed, match="malformed-document"):
        await record(district, await result(district, verified=3))
