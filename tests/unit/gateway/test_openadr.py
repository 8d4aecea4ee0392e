# SPDX-License-Identifier: Apache-2.0
"""An OpenADR 3 client at the gateway: it reads what its sites are asked, and reports what their
devices signed."""

import base64
import hashlib
import json
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import canonical, der, signed
from pedchain_domain.flexibility import papers
from pedchain_gateway.config import Config, ConfigError, Ven, load
from pedchain_gateway.ledger.port import Committed, Refused
from pedchain_gateway.limits import TOKEN_S
from pedchain_gateway.openadr import events as openadr
from pedchain_gateway.openadr.clients import Clients
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import assemble
from tests.unit.gateway.conftest import FakeLedger

SECRET = "open sesame"
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()
ISSUER, DEVICE = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
START = 1_774_785_600
TOLD = {"districts": ["DistrictA"], "notice": START - 7_200, "product": "firm"}
ORDER: dict[str, Any] = {
    "id": "o:1", "direction": "down", "start": START, "count": 2, "grain": 900,
}  # fmt: skip
PAPER = papers.signed_by(
    ISSUER,
    papers.dispatch(ORDER, "site-1", "device-1", 400),
    ("pedchain", "ped", papers.ORDERS),
)
EVENT = openadr.event(TOLD, "DistrictA", PAPER)


def answer(**changes: Any) -> dict[str, Any]:
    body = {"schema": "answer/1", "order": "o:1", "site": "site-1", "device": "device-1"}
    body |= {"answer": papers.ACKNOWLEDGE, **changes}
    return papers.signed_by(DEVICE, body, ("pedchain", "ped", papers.contract_of("DistrictA")))


def report(kind: str, *values: Any, **changes: Any) -> dict[str, Any]:
    payload = {"type": kind, "values": list(values)}
    resource = {"resourceName": "site-1", "intervals": [{"id": 0, "payloads": [payload]}]}
    return {
        "objectType": "REPORT", "programID": EVENT["programID"], "eventID": EVENT["id"],
        "clientName": "ven-1", "resources": [resource], **changes,
    }  # fmt: skip


def text(paper: Any) -> str:
    return canonical.encode(paper).decode()


# the mapping


def test_an_order_is_an_event_of_setpoints_against_the_baseline() -> None:
    assert EVENT["intervalPeriod"] == {
        "start": "2026-03-29T12:00:00Z",
        "duration": "PT900S",
        "randomizeStart": "PT0S",
    }
    payloads = [one["payloads"][0] for one in EVENT["intervals"]]
    assert payloads == [{"type": "DISPATCH_SETPOINT_RELATIVE", "values": [-0.4]}] * 2
    assert EVENT["payloadDescriptors"][0]["units"] == "KW"
    up = {**PAPER, "document": {**PAPER["document"], "direction": "up"}}
    found = openadr.event(TOLD, "DistrictA", up)
    assert found["intervals"][0]["payloads"][0]["values"] == [0.4]


def test_an_event_carries_what_its_issuer_signed() -> None:
    carried = canonical.decode(EVENT["intervals"][0]["payloads"][1]["values"][0].encode())
    assert carried == PAPER
    message = papers.message(PAPER["document"], "pedchain", "ped", papers.ORDERS)
    signed.verify(der.spki_hex(ISSUER.public_key()), message, PAPER["signature"])


def test_ids_are_such_as_openadr_allows() -> None:
    found = {EVENT["id"], EVENT["programID"], openadr.program("DistrictB")["id"]}
    assert len(found) == 3
    assert all(one.isalnum() for one in found)


def test_an_event_that_is_not_firm_comes_after_those_that_are() -> None:
    other = {**TOLD, "product": "best-effort"}
    assert openadr.event(other, "DistrictA", PAPER)["priority"] > EVENT["priority"]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (report("READING", 3.2), "unsigned"),
        (report("USAGE", 3.2), "unsigned"),
        (report("OPERATING_STATE", "NORMAL"), "unsigned"),
        (report("PED_ANSWER", 3), "malformed-document"),
        (report("PED_ANSWER"), "malformed-document"),
        (report("PED_ANSWER", "{}"), "malformed-document"),
        (report("PED_ANSWER", text({"document": {}, "signature": ""})), "malformed-document"),
        (report("PED_ANSWER", text(answer(order="o:2"))), "wrong-domain"),
        (report("PED_ANSWER", text(answer(site="site-2"))), "wrong-domain"),
        (report("PED_OCMF", "x", resources=[]), "malformed-document"),
        ({}, "malformed-document"),
        (report("PED_OCMF", "x", objectType="EVENT"), "malformed-document"),
    ],
)
def test_a_report_that_proves_nothing_is_refused(sent: Any, reason: str) -> None:
    with pytest.raises(openadr.ReportError) as told:
        openadr.said(openadr.read(json.dumps(sent).encode()))
    assert told.value.reason == reason


# the service


@pytest.fixture
def config(config: Config) -> Config:
    ven = {"secret": DIGEST, "district": "DistrictA", "sites": ["site-1", "site-2"]}
    return config.model_copy(update={"openadr": {"ven-1": Ven.model_validate(ven)}})


@pytest.fixture
def ledger(ledger: FakeLedger) -> FakeLedger:
    """One accepted order, that asks one of the client's sites."""
    wanted = [{"order": "o:1", "site": site} for site in ("site-1", "site-2")]
    ledger.answers |= {
        ("flexibility:ListOrdersAhead", "", ""): canonical.encode([["2026-03-29", "o:1", TOLD]]),
        ("flexibility:GetDispatches", canonical.encode(wanted).decode()): canonical.encode(
            [PAPER, None]
        ),
    }
    return ledger


@pytest.fixture
async def ven(http: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The client with its token."""
    form = {"grant_type": "client_credentials", "client_id": "ven-1", "client_secret": SECRET}
    told = (await http.post("/openadr3/auth/token", data=form)).json()
    http.headers["authorization"] = f"Bearer {told['access_token']}"
    return http


async def test_a_client_reads_its_program_and_its_sites_events(ven: httpx2.AsyncClient) -> None:
    (program,) = (await ven.get("/openadr3/programs")).json()
    assert program["programName"] == "DistrictA"
    assert (await ven.get(f"/openadr3/programs/{program['id']}")).json() == program
    (event,) = (await ven.get("/openadr3/events", params={"programID": program["id"]})).json()
    assert event == EVENT
    assert (await ven.get(f"/openadr3/events/{event['id']}")).json() == event
    assert (await ven.get("/openadr3/events", params={"programID": "other"})).json() == []
    assert (await ven.get("/openadr3/events", params={"skip": 1})).json() == []
    assert (await ven.get("/openadr3/events/none")).status_code == 404


@pytest.mark.parametrize("said", [papers.ACKNOWLEDGE, papers.OPT_OUT])
async def test_an_answer_reaches_the_ledger_as_it_was_signed(
    ven: httpx2.AsyncClient, ledger: FakeLedger, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried: list[Any] = []

    async def submit(*call: Any, **options: Any) -> Committed:
        carried.append((call, json.loads(options["transient"]["answers"])))
        return Committed("tx", b"")

    monkeypatch.setattr(ledger, "submit", submit)
    paper = answer(answer=said)
    told = await ven.post("/openadr3/reports", json=report("PED_ANSWER", text(paper)))
    assert (told.status_code, told.json()["eventID"]) == (201, EVENT["id"])
    call = ("settlement", "flexibility:AnswerOrder", "o:1", "DistrictA")
    assert carried == [(call, [paper])]


async def test_readings_of_a_report_are_recorded(
    ven: httpx2.AsyncClient, ledger: FakeLedger, record_of: Any
) -> None:
    told = await ven.post("/openadr3/reports", json=report("PED_OCMF", record_of(1).decode()))
    assert told.status_code == 201
    assert ledger.records == [record_of(1)]
    told = await ven.post("/openadr3/reports", json=report("PED_OCMF", "no record"))
    assert told.status_code == 409


async def test_a_client_answers_for_its_own_sites_alone(
    ven: httpx2.AsyncClient, ledger: FakeLedger
) -> None:
    paper = answer(site="site-3")
    sent = report("PED_ANSWER", text(paper), eventID=openadr.event_id(paper["document"]))
    told = await ven.post("/openadr3/reports", json=sent)
    assert (told.status_code, told.json()["reason"]) == (403, "not-owner")


async def test_the_ledger_s_refusal_is_told(
    ven: httpx2.AsyncClient, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def submit(*_: Any, **__: Any) -> Committed:
        raise Refused("too-late")

    monkeypatch.setattr(ledger, "submit", submit)
    told = await ven.post("/openadr3/reports", json=report("PED_ANSWER", text(answer())))
    assert (told.status_code, told.json()["reason"]) == (409, "too-late")


async def test_an_unsigned_reading_is_refused(ven: httpx2.AsyncClient) -> None:
    told = await ven.post("/openadr3/reports", json=report("READING", 3.2))
    assert (told.status_code, told.json()["reason"]) == (400, "unsigned")


@pytest.mark.parametrize("path", ["programs", "programs/x", "events", "events/x"])
async def test_without_a_token_nothing_is_told(http: httpx2.AsyncClient, path: str) -> None:
    for header in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic eDp5"}):
        assert (await http.get(f"/openadr3/{path}", headers=header)).status_code == 401
    assert (await http.post("/openadr3/reports", json={})).status_code == 401


async def test_a_token_is_for_who_knows_the_secret(http: httpx2.AsyncClient) -> None:
    async def asked(**form: str) -> httpx2.Response:
        sent = {"grant_type": "client_credentials", **form}
        return await http.post("/openadr3/auth/token", data=sent)

    assert (await asked(client_id="ven-1", client_secret="other")).status_code == 401
    assert (await asked(client_id="ven-2", client_secret=SECRET)).status_code == 401
    assert (await asked(client_id="ven-1", client_secret=DIGEST)).status_code == 401
    assert (await asked(grant_type="password")).json() == {"error": "unsupported_grant_type"}
    basic = base64.b64encode(f"ven-1:{SECRET}".encode()).decode()
    for value, status in ((basic, 200), ("!", 401), ("", 401)):
        told = await http.post(
            "/openadr3/auth/token",
            data={"grant_type": "client_credentials"},
            headers={"authorization": f"Basic {value}"},
        )
        assert told.status_code == status


def test_a_token_ends_and_old_ones_are_forgotten() -> None:
    now = [0.0]
    ven = Ven(secret=DIGEST, district="DistrictA", sites=("site-1",))
    clients = Clients({"ven-1": ven}, lambda: now[0])
    tokens = [clients.token("ven-1", SECRET) or "" for _ in range(1_001)]
    assert clients.of(tokens[-1]) == ven
    assert clients.of(tokens[0]) is None
    now[0] = TOKEN_S
    assert clients.of(tokens[-1]) is None


def test_a_client_of_a_district_that_is_not_served_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        'profile = "p"\nstate = "s"\n[districts.DistrictA]\n'
        f'[openadr.ven-1]\nsecret = "{DIGEST}"\ndistrict = "DistrictB"\nsites = ["s"]\n'
    )
    with pytest.raises(ConfigError, match=r"openadr\.ven-1"):
        load(file)


async def test_a_gateway_without_clients_serves_none(config: Config, index: Any) -> None:
    plain = config.model_copy(update={"openadr": {}})
    app = create(assemble(plain, FakeLedger(), index))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
    ) as http:
        assert (await http.get("/openadr3/events")).status_code == 401
