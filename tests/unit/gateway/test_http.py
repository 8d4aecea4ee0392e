# SPDX-License-Identifier: Apache-2.0
"""The HTTP interface: bounded input, stable problems, nothing of the inside."""

import asyncio
import gzip
import json
from typing import Any

import httpx2
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Outcome, Refused, Unavailable
from pedchain_gateway.people.access import TABLE
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services

GZIP = {"content-encoding": "gzip", "content-type": "text/plain"}


async def post(http: httpx2.AsyncClient, body: object) -> httpx2.Response:
    return await http.post("/v1/readings", json=body)


def problem(response: httpx2.Response, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert (found["type"], found["status"]) == (f"urn:pedchain:problem:{slug}", status)
    assert found["title"]
    return found


async def test_json_and_plain_text_and_gzip_say_the_same(
    http: httpx2.AsyncClient, record_of: Any, ledger: Any
) -> None:
    as_json = await post(http, {"district": "DistrictA", "records": [record_of(1).decode()]})
    lines = b"\r\n".join([record_of(1), record_of(2), b""])
    as_text = await http.post(
        "/v1/readings?district=DistrictA", content=lines, headers={"content-type": "text/plain"}
    )
    packed = await http.post(
        "/v1/readings?district=DistrictA", content=gzip.compress(lines), headers=GZIP
    )
    assert [one.status_code for one in (as_json, as_text, packed)] == [200, 200, 200]
    first = as_json.json()
    assert first["results"][0] == {
        "status": "recorded",
        "reason": "recorded",
        "code": 200,
        "transaction": first["transaction"],
    }
    assert [one["status"] for one in as_text.json()["results"]] == ["duplicate", "recorded"]
    assert [one["status"] for one in packed.json()["results"]] == ["duplicate", "duplicate"]
    assert ledger.records == [record_of(1), record_of(2)]


@pytest.mark.fault(2)
async def test_a_conflict_says_what_http_would(http: httpx2.AsyncClient, record_of: Any) -> None:
    await post(http, {"district": "DistrictA", "records": [record_of(1).decode()]})
    answer = await post(http, {"district": "DistrictA", "records": [record_of(1, wh=2).decode()]})
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    assert (result["status"], result["code"]) == ("conflict", 409)


async def test_an_unknown_outcome_is_202_with_where_to_ask(
    http: httpx2.AsyncClient, ledger: Any, record_of: Any, lost: Any
) -> None:
    ledger.faults.append(lost(committed=True))
    answer = await post(http, {"district": "DistrictA", "records": [record_of(1).decode()]})
    assert answer.status_code == 202
    (path,) = answer.json()["unknown"]
    assert answer.headers["location"] == path
    told = await http.get(path)
    assert told.json()["status"] == "committed"
    assert told.json()["code"] == "VALID"


async def test_a_transaction_is_committed_invalid_or_unknown(
    http: httpx2.AsyncClient, ledger: Any
) -> None:
    ledger.outcomes["a" * 64] = Outcome("a" * 64, "MVCC_READ_CONFLICT", b"")
    told = (await http.get(f"/v1/transactions/{'a' * 64}")).json()
    assert told == {"transaction": "a" * 64, "status": "invalid", "code": "MVCC_READ_CONFLICT"}
    assert (await http.get(f"/v1/transactions/{'b' * 64}")).json()["status"] == "unknown"
    problem(await http.get("/v1/transactions/zz"), 400, "malformed-request")
    ledger.unavailable = Unavailable("peer0 at 10.0.0.1")
    found = problem(await http.get(f"/v1/transactions/{'a' * 64}"), 503, "ledger-unavailable")
    assert found["transaction"] == "a" * 64
    assert "10.0.0.1" not in json.dumps(found)


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 400, "malformed-request"),
        (b"[]", 400, "malformed-request"),
        (b'{"district":"DistrictA"}', 400, "malformed-request"),
        (b'{"district":"DistrictA","records":[]}', 400, "malformed-request"),
        (b'{"district":"DistrictA","records":[1]}', 400, "malformed-request"),
        (b'{"district":"DistrictA","records":["x"],"owner":"me"}', 400, "malformed-request"),
        (b'{"district":"A","district":"B","records":["x"]}', 400, "malformed-request"),
        (b'{"district":"DistrictA","records":' + b"[" * 10_000, 400, "malformed-request"),
        (b'{"district":"DistrictA","records":["\xff"]}', 400, "malformed-request"),
        (b'{"district":"DistrictA","records":[NaN]}', 400, "malformed-request"),
        (b'{"district":"DistrictB","records":["x"]}', 404, "unknown-district"),
        (b'{"district":"DistrictA","records":["' + b"x" * 2**20 + b'"]}', 413, "body-too-large"),
        (
            b'{"district":"DistrictA","records":[' + b'"x",' * 1_000 + b'"x"]}',
            413,
            "too-many-records",
        ),
    ],
)
async def test_a_body_that_is_not_as_documented_is_refused(
    http: httpx2.AsyncClient, ledger: Any, body: bytes, status: int, slug: str
) -> None:
    answer = await http.post(
        "/v1/readings", content=body, headers={"content-type": "application/json"}
    )
    problem(answer, status, slug)
    assert ledger.records == []


@pytest.mark.fault(11)
async def test_a_gzip_bomb_is_stopped_at_the_limit(http: httpx2.AsyncClient) -> None:
    bomb = gzip.compress(b"\n" * 100_000_000)
    assert len(bomb) < limits.BODY_BYTES_MAX
    answer = await http.post("/v1/readings?district=DistrictA", content=bomb, headers=GZIP)
    problem(answer, 413, "body-too-large")


@pytest.mark.parametrize(
    "packed",
    [b"no gzip", gzip.compress(b"x")[:-1], gzip.compress(b"x") + b"y"],
    ids=["no gzip", "cut", "more behind it"],
)
async def test_gzip_that_is_not_whole_is_refused(http: httpx2.AsyncClient, packed: bytes) -> None:
    answer = await http.post("/v1/readings?district=DistrictA", content=packed, headers=GZIP)
    problem(answer, 400, "malformed-request")


@pytest.mark.parametrize(
    ("headers", "slug"),
    [
        ({"content-type": "application/xml"}, "unsupported-media-type"),
        ({"content-type": "text/plain", "content-encoding": "br"}, "unsupported-encoding"),
    ],
)
async def test_other_types_and_codings_are_named(
    http: httpx2.AsyncClient, headers: dict[str, str], slug: str
) -> None:
    answer = await http.post("/v1/readings?district=DistrictA", content=b"x", headers=headers)
    problem(answer, 415, slug)


async def test_a_body_that_does_not_come_is_let_go(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_READ_S", 0.01)

    async def slow() -> Any:
        yield b"O"
        await asyncio.Event().wait()

    answer = await http.post(
        "/v1/readings?district=DistrictA", content=slow(), headers={"content-type": "text/plain"}
    )
    problem(answer, 408, "body-too-slow")


async def test_back_pressure_says_when_to_come_again(
    http: httpx2.AsyncClient, ledger: Any, record_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"district": "DistrictA", "records": [record_of(1).decode()]}
    ledger.unavailable = Unavailable("no orderers")
    answer = await post(http, body)
    found = problem(answer, 503, "ledger-unavailable")
    assert found["reason"] == "ledger-unavailable"
    assert int(answer.headers["retry-after"]) > 0
    monkeypatch.setattr(limits, "RECORDS_WAITING_MAX", 0)
    answer = await post(http, body)
    problem(answer, 429, "overloaded")
    assert int(answer.headers["retry-after"]) > 0


async def test_too_many_requests_at_once_are_asked_to_come_again(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS_INSIDE_MAX", 0)
    answer = await http.get("/healthz")
    problem(answer, 429, "overloaded")
    assert int(answer.headers["retry-after"]) > 0
    monkeypatch.undo()
    assert (await http.get("/healthz")).status_code == 200


async def test_what_is_not_there_is_a_problem_too(http: httpx2.AsyncClient) -> None:
    problem(await http.get("/v1/nothing"), 404, "not-found")
    problem(await http.get("/v1/readings"), 405, "method-not-allowed")
    problem(await http.get("/docs"), 404, "not-found")


async def test_a_fault_of_ours_shows_nothing_of_the_inside(
    http: httpx2.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch, record_of: Any
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError(f"secret {record_of(1)!r}")

    monkeypatch.setattr(type(services.intake), "judge", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await post(http, {"district": "DistrictA", "records": ["x"]})
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "secret" not in repr(logs)
    assert [line["event"] for line in logs] == ["fault", "request"]


@pytest.mark.fault(48)
async def test_requests_have_an_id_and_logs_have_no_payload(
    http: httpx2.AsyncClient, record_of: Any
) -> None:
    body = {"district": "DistrictA", "records": [record_of(1).decode()]}
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as logs:
        given_id = await http.post("/v1/readings", json=body, headers={"x-request-id": "abc-1"})
        made_id = await http.post("/v1/readings", json=body, headers={"x-request-id": "a b\x1b[0m"})
    assert given_id.headers["x-request-id"] == "abc-1"
    assert made_id.headers["x-request-id"] not in ("", "a b\x1b[0m")
    assert [line["request"] for line in logs] == ["abc-1", made_id.headers["x-request-id"]]
    assert [line["route"] for line in logs] == ["/v1/readings", "/v1/readings"]
    assert "OCMF" not in repr(logs)


async def test_health_says_what_it_looked_at(
    services: Services, ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEALTH_FRESH_S", 0.0)
    transport = httpx2.ASGITransport(app=create(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as http:
        good = await http.get("/healthz")
        ledger.unavailable = Unavailable("gone")
        bad = await http.get("/healthz")
    assert good.status_code == 200
    assert good.json()["checks"]["peer"]["height"] == 7
    assert bad.status_code == 503
    assert bad.json()["status"] == "failing"
    assert bad.json()["checks"]["peer"]["ok"] is False
    assert bad.json()["checks"]["index"]["ok"] is True


async def test_metrics_count_records_by_what_became_of_them(
    http: httpx2.AsyncClient, record_of: Any
) -> None:
    records = [record_of(1).decode(), "nonsense"]
    await post(http, {"district": "DistrictA", "records": records})
    text = (await http.get("/metrics")).text
    assert 'pedgateway_records_total{reason="recorded",status="recorded"} 1.0' in text
    assert 'reason="malformed-record",status="rejected"} 1.0' in text
    assert 'pedgateway_http_requests_total{method="POST",route="/v1/readings",status="200"}' in text


async def test_certificates_come_in_pages_and_in_the_ledgers_bytes(
    http: httpx2.AsyncClient, ledger: Any
) -> None:
    certificate = canonical.encode({"day": "2026-03-29", "run": "P"})
    page = canonical.encode({"bookmark": "2026-04-02", "certificates": [{"day": "2026-03-29"}]})
    ledger.answers = {
        ("ListCertificates", "2026-03-29", ""): page,
        ("ListCertificates", "0000-01-01", "2026-04-02"): canonical.encode(
            {"bookmark": "", "certificates": []}
        ),
        ("GetCertificate", "2026-03-29"): certificate,
        ("GetCertificate", "2026-03-30"): Refused("not-found"),
        ("GetCertificateHistory", "2026-03-29"): canonical.encode(
            [{"certificate": {"run": "P"}, "transaction": "a" * 64}]
        ),
    }
    base = "/v1/districts/DistrictA/certificates"
    listed = (await http.get(f"{base}?from=2026-03-29")).json()
    assert listed == {"certificates": [{"day": "2026-03-29"}], "cursor": "2026-04-02"}
    assert (await http.get(f"{base}?cursor=2026-04-02")).json()["cursor"] is None
    one = await http.get(f"{base}/2026-03-29")
    assert one.content == certificate
    again = await http.get(f"{base}/2026-03-29", headers={"if-none-match": one.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    history = (await http.get(f"{base}/2026-03-29/history")).json()
    assert history["versions"][0]["transaction"] == "a" * 64
    problem(await http.get(f"{base}/2026-03-30"), 404, "not-found")
    problem(await http.get(f"{base}/yesterday"), 400, "malformed-request")
    problem(await http.get("/v1/districts/DistrictB/certificates"), 404, "unknown-district")


async def test_months_and_the_rolling_year_are_documents_of_their_own(
    http: httpx2.AsyncClient, ledger: Any
) -> None:
    month = canonical.encode({"month": "2026-03", "run": "P"})
    year = canonical.encode({"last": "2026-03-29", "schema": "rolling/1"})
    version = {"certificate": {"run": "P"}, "transaction": "b" * 64}
    page = {"bookmark": "", "certificates": [{"month": "2026-03"}]}
    ledger.answers = {
        ("ListMonthly", "0000-01", ""): canonical.encode(page),
        ("GetMonthly", "2026-03"): month,
        ("GetMonthly", "2026-04"): Refused("not-found"),
        ("GetMonthlyHistory", "2026-03"): canonical.encode([version]),
        ("GetRolling", "2026-03-29"): year,
    }
    base = "/v1/districts/DistrictA"
    assert (await http.get(f"{base}/months")).json()["certificates"] == [{"month": "2026-03"}]
    assert (await http.get(f"{base}/months/2026-03")).content == month
    history = (await http.get(f"{base}/months/2026-03/history")).json()
    assert history["versions"][0]["transaction"] == "b" * 64
    assert (await http.get(f"{base}/rolling/2026-03-29")).content == year
    problem(await http.get(f"{base}/months/2026-04"), 404, "not-found")
    problem(await http.get(f"{base}/months/March"), 400, "malformed-request")


async def test_openapi_names_every_route_and_its_problems(http: httpx2.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    described = {
        (method.upper(), path) for path, found in document["paths"].items() for method in found
    }
    assert described == {row for row in TABLE if not row[1].startswith("/page")}
    body = document["paths"]["/v1/readings"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "text/plain"}
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["description"]
            assert "422" not in operation["responses"], "we answer 400 with a problem"


@pytest.mark.fault(11)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.binary(max_size=300), kind=st.sampled_from(["application/json", "text/plain"]))
async def test_no_body_is_a_fault_of_ours(http: httpx2.AsyncClient, data: bytes, kind: str) -> None:
    answer = await http.post(
        "/v1/readings?district=DistrictA", content=data, headers={"content-type": kind}
    )
    assert answer.status_code in (200, 400)
