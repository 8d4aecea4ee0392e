# SPDX-License-Identifier: Apache-2.0
"""Early acknowledgement: on disk first, on the ledger afterwards, in order and once."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from limits import RateLimitItemPerMinute

from pedchain_domain.reasons import Reason
from pedchain_gateway import limits
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.intake import OverloadedError
from pedchain_gateway.intake.spool import Spool, SpoolFullError, keep_sending
from pedchain_gateway.ledger.port import Unavailable
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services, assemble
from tests.unit.gateway.conftest import FakeLedger

EARLY = {"content-type": "text/plain", "prefer": "respond-async"}
URL = "/v1/readings?district=DistrictA"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool.sqlite")
    yield opened
    opened.close()


@pytest.fixture
async def services(config: Config, ledger: FakeLedger, index: Index, spool: Spool) -> Services:
    """The gateway's parts, with a spool."""
    return assemble(config, ledger, index, spool=spool)


@asynccontextmanager
async def sending(services: Services) -> AsyncIterator[None]:
    assert services.spool is not None
    judged = services.rates.judged
    work = asyncio.create_task(keep_sending(services.spool, services.intake, "DistrictA", judged))
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_a_record_is_acknowledged_from_disk_and_told_of_later(
    http: httpx2.AsyncClient, services: Services, ledger: FakeLedger, record_of: Any, spool: Spool
) -> None:
    ledger.verdicts["meter-2"] = Reason.UNKNOWN_DEVICE
    records = [record_of(1), b"garbage", record_of(1, device="meter-2")]
    answer = await http.post(URL, content=b"\n".join(records), headers=EARLY)
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert [one["status"] for one in answer.json()["results"]] == ["spooled"] * 3
    where = answer.headers["location"]
    assert answer.json()["unknown"] == [where]
    assert ledger.records == []
    async with sending(services):
        await until(lambda: spool.waiting == 0)
    told = (await http.get(where)).json()["results"]
    assert [one["status"] for one in told] == ["recorded", "rejected", "rejected"]
    assert told[0]["transaction"]


async def test_nothing_is_lost_while_the_ledger_is_away(
    http: httpx2.AsyncClient,
    services: Services,
    ledger: FakeLedger,
    record_of: Any,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SPOOL_PAUSE_S", 0.01)
    ledger.unavailable = Unavailable("no orderers")
    records = [record_of(counter) for counter in range(1, 9)]
    await http.post(URL, content=b"\n".join(records), headers=EARLY)
    async with sending(services):
        await asyncio.sleep(0.05)
        assert spool.waiting == 8
        ledger.unavailable = None
        await until(lambda: spool.waiting == 0)
    assert ledger.records == records


def test_what_waits_is_found_by_the_next_process(tmp_path: Path, record_of: Any) -> None:
    first = Spool(tmp_path / "kept.sqlite")
    first.put("DistrictA", [record_of(1), record_of(2)], time.time())
    first.close()
    second = Spool(tmp_path / "kept.sqlite")
    assert second.waiting == 2
    assert [one.record for one in second.next("DistrictA")] == [record_of(1), record_of(2)]
    second.close()


async def test_a_full_spool_takes_nothing_and_says_when_to_come_again(
    http: httpx2.AsyncClient, record_of: Any, monkeypatch: pytest.MonkeyPatch, spool: Spool
) -> None:
    monkeypatch.setattr(limits, "SPOOL_RECORDS_MAX", 1)
    records = b"\n".join([record_of(1), record_of(2)])
    answer = await http.post(URL, content=records, headers=EARLY)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    with pytest.raises(OverloadedError):
        spool.put("DistrictA", [b"1", b"2"], 0.0)
    assert spool.waiting == 0


@pytest.mark.fault(34)
async def test_a_full_disk_stops_early_acknowledgement_and_it_resumes(
    http: httpx2.AsyncClient, spool: Spool, record_of: Any, tmp_path: Path
) -> None:
    def pages(count: int) -> None:
        spool._db.execute(f"PRAGMA max_page_count = {count}")

    pages(1)
    lines = b"\n".join(record_of(counter) for counter in range(1, 40))
    answer = await http.post(URL, content=lines, headers=EARLY)
    assert answer.status_code == 507
    assert answer.json()["type"] == "urn:pedchain:problem:storage-full"
    with pytest.raises(SpoolFullError):
        spool.put("DistrictA", [record_of(1)] * 40, 0.0)
    assert spool.waiting == 0
    pages(10_000)
    assert (await http.post(URL, content=lines, headers=EARLY)).status_code == 202
    with sqlite3.connect(tmp_path / "spool.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


async def test_an_unknown_submission_is_not_there(http: httpx2.AsyncClient) -> None:
    assert (await http.get(f"/v1/submissions/{'0' * 32}")).status_code == 404


async def test_without_a_spool_the_answer_comes_after_commit(
    config: Config, ledger: FakeLedger, index: Index, record_of: Any
) -> None:
    transport = httpx2.ASGITransport(app=create(assemble(config, ledger, index)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.post(URL, content=record_of(1), headers=EARLY)
    assert answer.json()["results"][0]["status"] == "recorded"
    assert "preference-applied" not in answer.headers


async def test_forged_records_that_were_spooled_count_where_they_came_from(
    http: httpx2.AsyncClient,
    services: Services,
    ledger: FakeLedger,
    record_of: Any,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services.rates, "_forged", RateLimitItemPerMinute(3))
    ledger.verdicts["meter-1"] = Reason.BAD_SIGNATURE
    forged = [record_of(counter) for counter in range(1, 3)]
    async with sending(services):
        assert (await http.post(URL, content=b"\n".join(forged), headers=EARLY)).status_code == 202
        await until(lambda: spool.waiting == 0)
        other = [b"garbage", record_of(1, device="meter-2")]
        assert (await http.post(URL, content=b"\n".join(other), headers=EARLY)).status_code == 202
        await until(lambda: spool.waiting == 0)
        refused = await http.post(URL, content=record_of(3), headers=EARLY)
    assert refused.status_code == 429
    assert not spool._brought


async def test_spooled_records_count_as_their_devices(
    http: httpx2.AsyncClient,
    services: Services,
    record_of: Any,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services.rates, "_device", 2)
    async with sending(services):
        for counter in (1, 2):
            await http.post(URL, content=record_of(counter), headers=EARLY)
            await until(lambda: spool.waiting == 0)
        refused = await http.post(URL, content=record_of(3), headers=EARLY)
    assert refused.status_code == 429
