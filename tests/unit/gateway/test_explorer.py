# SPDX-License-Identifier: Apache-2.0
"""The ledger as auditors look at it, over blocks that real Fabric made."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.explorer.blocks import describe
from pedchain_gateway.explorer.events import certificates, checkpoint
from pedchain_gateway.explorer.streams import Streams, Told
from pedchain_gateway.ledger.port import Event, Refused, Unavailable
from pedchain_gateway.people import trial
from pedchain_gateway.service.problems import ProblemError
from pedchain_gateway.service.services import Services
from tests.unit.gateway.conftest import FakeLedger

BLOCKS = Path(__file__).parents[2] / "golden/main-job/blocks"


@pytest.fixture
def ledger() -> FakeLedger:
    """A ledger that keeps what real Fabric committed."""
    made = FakeLedger(blocks=[path.read_bytes() for path in sorted(BLOCKS.iterdir())])
    for data in made.blocks:
        for one in describe(data)["transactions"]:
            made.block_by_transaction[one["id"]] = data
    return made


@pytest.fixture
async def auditor(http: httpx2.AsyncClient, services: Services) -> httpx2.AsyncClient:
    """A client with an auditor's token."""
    made = trial.token(services.config.state, "aud", ["auditor"], [], [])
    http.headers["authorization"] = f"Bearer {made}"
    return http


@pytest.fixture(autouse=True)
def closed(services: Services) -> Iterator[None]:
    yield
    services.histories.close()


@pytest.fixture
def certified(ledger: FakeLedger) -> dict[str, Any]:
    """The last transaction that wrote a certificate of DistrictA."""
    found = [
        one
        for data in ledger.blocks
        for one in describe(data)["transactions"]
        if one["chaincode"] == "metering-DistrictA" and one["event"] == "CertificateIssued"
    ]
    return dict(found[-1])


@pytest.fixture
def day(certified: dict[str, Any]) -> str:
    """The day it certifies."""
    return str(certified["writes"][0]["value"]["day"])


async def test_blocks_are_told_newest_first_a_page_at_a_time(
    auditor: httpx2.AsyncClient, ledger: FakeLedger
) -> None:
    count = len(ledger.blocks)
    assert 30 < count <= 60
    first = (await auditor.get("/v1/blocks?limit=30")).json()
    second = (await auditor.get(f"/v1/blocks?limit=30&before={first['cursor']}")).json()
    numbers = [one["number"] for page in (first, second) for one in page["blocks"]]
    assert numbers == list(range(count - 1, -1, -1))
    assert second["cursor"] is None
    assert all(one["data_hash_holds"] for one in first["blocks"])
    earlier = {one["number"]: one["hash"] for page in (first, second) for one in page["blocks"]}
    assert all(one["previous_hash"] == earlier[one["number"] - 1] for one in first["blocks"])


async def test_a_block_says_who_did_what_endorsed_by_whom_with_which_values(
    auditor: httpx2.AsyncClient, certified: dict[str, Any], day: str, ledger: FakeLedger
) -> None:
    answer = await auditor.get(f"/v1/blocks/{certified['block']}")
    [told] = answer.json()["transactions"]
    assert told == certified
    assert told["creator"]["msp"] == "DistrictAMSP"
    assert {one["msp"] for one in told["endorsers"]} == {"DSOMSP", "DistrictAMSP"}
    assert told["writes"][0]["value"]["day"] == day
    again = await auditor.get(
        f"/v1/blocks/{certified['block']}", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in answer.headers["cache-control"]
    raw = await auditor.get(f"/v1/blocks/{certified['block']}/raw")
    assert raw.content == ledger.blocks[certified["block"]]
    count = len(ledger.blocks)
    for path in (f"{count}", f"{count}/raw", f"0/export?through={count}"):
        assert (await auditor.get(f"/v1/blocks/{path}")).status_code == 404


async def test_a_transaction_is_found_by_its_id(
    auditor: httpx2.AsyncClient, certified: dict[str, Any]
) -> None:
    answer = await auditor.get(f"/v1/transactions/{certified['id']}/details")
    assert answer.json() == certified
    assert (await auditor.get(f"/v1/transactions/{'0' * 64}/details")).status_code == 404


async def test_a_keys_history_is_all_its_values_and_who_wrote_them(
    auditor: httpx2.AsyncClient,
    certified: dict[str, Any],
    day: str,
    ledger: FakeLedger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "/v1/keys/metering-DistrictA"
    found = (await auditor.get(url, params={"key": ["certificate", day]})).json()
    assert found["through"] == found["height"] == len(ledger.blocks)
    newest = found["versions"][0]
    assert (newest["id"], newest["block"]) == (certified["id"], certified["block"])
    assert newest["value"] == certified["writes"][0]["value"]
    assert newest["endorsers"] == certified["endorsers"]
    assert (await auditor.get(url, params={"key": "nothing"})).json()["versions"] == []
    roster = (await auditor.get(url, params={"key": ["roster", "1"]})).json()["versions"]
    assert len(roster) == 2
    monkeypatch.setattr(limits, "PAGE_MAX", 1)
    first = (await auditor.get(url, params={"key": ["roster", "1"]})).json()
    assert first["versions"] == roster[:1]
    rest = {"key": ["roster", "1"], "before": first["cursor"]}
    assert (await auditor.get(url, params=rest)).json()["versions"] == roster[1:]
    assert (await auditor.get(url, params={"key": "a\x00b"})).status_code == 400


async def test_a_history_that_is_still_read_says_so(
    auditor: httpx2.AsyncClient, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HISTORY_READ_S", -1.0)
    found = (await auditor.get("/v1/keys/registry?key=x")).json()
    assert (found["through"], found["height"]) == (0, len(ledger.blocks))


async def test_transactions_are_exported_for_programs_and_for_spreadsheets(
    auditor: httpx2.AsyncClient,
) -> None:
    lines = (await auditor.get("/v1/blocks/1/export?through=30")).text.splitlines()
    told = [json.loads(line) for line in lines]
    assert [one["block"] for one in told] == sorted(one["block"] for one in told)
    table = (await auditor.get("/v1/blocks/1/export?through=30&format=csv")).text
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["id"] for row in rows] == [one["id"] or "" for one in told]
    assert "DSOMSP" in rows[-1]["endorsers"]
    assert (await auditor.get("/v1/blocks/1/export?through=5000")).status_code == 400


async def test_a_certificate_shows_where_it_stands(
    http: httpx2.AsyncClient, ledger: FakeLedger, certified: dict[str, Any], day: str
) -> None:
    value = certified["writes"][0]["value"]
    versions = [{"transaction": certified["id"], "certificate": value}]
    ledger.answers = {("GetCertificateHistory", day): canonical.encode(versions)}
    answer = await http.get(f"/v1/districts/DistrictA/certificates/{day}/proof")
    found = answer.json()
    assert found["certificate"] == value
    assert found["transaction"]["block"] == certified["block"]
    assert found["written"] == [
        {"key": ["certificate", day], "sha256": certified["writes"][0]["sha256"]}
    ]


async def test_factors_and_sessions_are_public_with_tags(
    http: httpx2.AsyncClient, ledger: FakeLedger
) -> None:
    ledger.answers = {
        ("GetFactors", "v1"): b'{"id":"v1"}',
        ("market:GetSession", "electricity:1:2026-03-29T12:00Z"): b'{"curves":null,"price":null}',
        ("GetFactors", "v2"): Refused("not-found"),
    }
    factors = await http.get("/v1/factors/v1")
    assert (factors.content, "immutable" in factors.headers["cache-control"]) == (
        b'{"id":"v1"}', True,
    )  # fmt: skip
    session = await http.get("/v1/market/sessions/electricity:1:2026-03-29T12:00Z")
    assert session.json() == {"curves": None, "price": None}
    assert session.headers["cache-control"] == "no-cache"
    assert (await http.get("/v1/factors/v2")).status_code == 404


def announced(block: int, day: str, name: str = "CertificateIssued") -> Event:
    payload = json.dumps({"district": "DistrictA", "day": day, "run": "P"}).encode()
    return Event(block, f"{block:064x}", name, payload)


async def test_an_event_is_told_once_the_certificate_it_names_was_read(
    http: httpx2.AsyncClient, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STEP_TRIES_MAX", 1)
    ledger.announced = [
        announced(1, "2026-03-28"),
        announced(2, "2026-03-29", "SomethingElse"),
        announced(3, "2026-03-30"),
        Event(4, "f" * 64, "CertificateIssued", b"garbage"),
        announced(5, "2026-03-31"),
    ]
    ledger.answers = {
        ("GetCertificate", "2026-03-28"): b'{"day":"2026-03-28"}',
        ("GetCertificate", "2026-03-30"): Refused("not-found"),
        ("GetCertificate", "2026-03-31"): b'{"day":"2026-03-31"}',
    }
    url = "/v1/districts/DistrictA/events"
    text = (await http.get(url)).text
    assert text.startswith("retry: ")
    ids = [line[4:] for line in text.splitlines() if line.startswith("id: ")]
    assert ids == [f"1:{1:064x}", f"5:{5:064x}"]
    data = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert data[1]["certificate"] == {"day": "2026-03-31"}
    again = await http.get(url, headers={"last-event-id": ids[0]})
    assert "2026-03-28" not in again.text
    assert "2026-03-31" in again.text
    assert (await http.get(f"{url}?after=x")).status_code == 400
    assert (await http.get("/v1/districts/DistrictB/events")).status_code == 404


async def test_streams_are_bounded_kept_alive_and_ended_with_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "STREAM_LOOK_S", 0.005)
    monkeypatch.setattr(limits, "STREAM_ALIVE_S", 0.01)
    monkeypatch.setattr(limits, "STREAMS_MAX", 1)
    streams = Streams()
    ended: list[bool] = []

    async def silent() -> Any:
        try:
            yield Told("1", "x", {})
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    lines = streams.response(silent()).body_iterator
    seen = []
    async for line in lines:
        seen.append(line)
        if len(seen) == 3:
            with pytest.raises(ProblemError):
                streams.response(silent())
            streams.ending = True
    assert seen == [b"retry: 2000\n\n", b"id: 1\nevent: x\ndata: {}\n\n", b": alive\n\n"]
    assert (ended, streams.open) == ([True], 0)


async def test_a_stream_that_breaks_ends(ledger: FakeLedger) -> None:
    ledger.unavailable = Unavailable("gone")
    with pytest.raises(Unavailable):
        await anext(certificates(ledger, "metering-DistrictA", None))


@pytest.mark.parametrize("text", ["", "1", "x:y", "1:G", "9" * 20 + ":", "1:" + "a" * 65])
def test_a_checkpoint_is_block_and_transaction(text: str) -> None:
    with pytest.raises(ValueError, match="block:transaction"):
        checkpoint(text)
