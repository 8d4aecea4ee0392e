# SPDX-License-Identifier: Apache-2.0
"""The gateway as its users meet it: a device, the public, an auditor; on every runtime.

One home's meter is read for a day, half of it acknowledged early, and the day is certified. What
the service then says of the ledger is held against the raw blocks it hands out.
"""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import canonical, der, ocmf
from pedchain_domain.flexibility import papers
from pedchain_fabric.wire.block import parse_block
from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from pedchain_gateway.ledger.queries import ask_document
from pedchain_gateway.ledger.steps import submit_step
from pedchain_gateway.people import auditlog
from tests import ports
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.onnetwork import LAGGING
from tests.scenarios.registering import key_document, new_key, with_signature
from tests.unit.chaincode.exchange import Exchange, Prosumer, receipt

BIN = Path(sys.executable).parent
EXAMPLE = Path(__file__).parents[2] / "docs/examples/first-meter.json"
KEY = ec.generate_private_key(ec.SECP256R1())
DAY, BEGUN, HOUR = "2026-01-01", 1_767_225_600, 3_600
READINGS = "/v1/readings?district=DistrictA"


def record(number: int) -> bytes:
    at, register = BEGUN + number * HOUR, str(987_654_321 + 250 * number)
    payload = ocmf.build(
        device="home-1.grid",
        counter=number + 1,
        readings=[(at, "1-0:1.8.0*255", register, "Wh"), (at, "1-0:2.8.0*255", "0", "Wh")],
        network="pedchain",
        channel="ped",
    )
    return ocmf.sign(payload, KEY)


RECORDS = [record(number) for number in range(25)]


@dataclass(frozen=True)
class Service:
    """A gateway that serves DistrictA."""

    network: Network
    folder: Path
    url: str
    process: subprocess.Popen[bytes]

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [str(BIN / "ped-gateway"), *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def person(self, role: str, *more: str) -> dict[str, str]:
        config = str(self.folder / "gateway.toml")
        made = self.command("token", "--config", config, "--role", role, *more)
        return {"authorization": f"Bearer {made}"}


@pytest.fixture(scope="module", params=RUNTIMES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with make_network(request.param, folder) as network, ports.free() as port:
        network.run("up")
        (folder / "gateway.toml").write_text(
            f'profile = "{network.profile("DistrictA")}"\nstate = "state"\n'
            f'listen = "127.0.0.1:{port}"\n[districts.DistrictA]\n'
        )
        spki = der.spki_hex(KEY.public_key())
        (folder / "registration.json").write_text(EXAMPLE.read_text().replace("SPKI", spki))
        command = [str(BIN / "ped-gateway"), "serve", "--config", str(folder / "gateway.toml")]
        with (folder / "gateway.log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log)
        made = Service(network, folder, f"http://127.0.0.1:{port}", process)
        try:
            dso = str(network.profile("DSO"))
            made.command("register", str(folder / "registration.json"), "--profile", dso)
            yield made
        finally:
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(60) is not None


@pytest.fixture
async def http(service: Service) -> Any:
    async with httpx2.AsyncClient(base_url=service.url, timeout=60) as client:
        deadline = time.monotonic() + 60
        while True:
            try:
                await client.get("/healthz")
                break
            except httpx2.TransportError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)
        yield client


async def final(http: httpx2.AsyncClient, records: list[bytes], **headers: str) -> list[Any]:
    """The records' final answers; sent again as a device does, or asked for where that was said."""
    deadline = time.monotonic() + 90
    kind = {"content-type": "text/plain", **headers}
    answer = await http.post(READINGS, content=b"\n".join(records), headers=kind)
    where = answer.headers.get("location") if headers else None
    while True:
        found = answer.json().get("results", [])
        if found and all(one["status"] in ("recorded", "duplicate") for one in found):
            return list(found)
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.2)
        if where is not None:
            answer = await http.get(where)
        else:
            answer = await http.post(READINGS, content=b"\n".join(records), headers=kind)


async def test_a_day_of_readings_is_taken_and_certified(
    service: Service, http: httpx2.AsyncClient
) -> None:
    after_commit = await final(http, RECORDS[:12])
    early = await final(http, RECORDS[12:], prefer="respond-async")
    assert len(after_commit) + len(early) == 25
    assert all(one["transaction"] for one in (*after_commit, *early))
    profile = str(service.network.profile("DistrictA"))
    span = ("--from", DAY, "--through", DAY)
    service.command("close", "--profile", profile, "--district", "DistrictA", *span)


async def test_an_event_names_a_certificate_that_was_read(http: httpx2.AsyncClient) -> None:
    async with http.stream("GET", "/v1/districts/DistrictA/events?after=0:") as stream:
        told: dict[str, str] = {}
        async with asyncio.timeout(60):
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                told[name] = value
                if not line and "data" in told:
                    break
    found = json.loads(told["data"])
    certificate = (await http.get(f"/v1/districts/DistrictA/certificates/{DAY}")).json()
    assert found["certificate"] == certificate
    assert told["id"] == f"{found['block']}:{found['transaction']}"
    assert found["certificate"]["day"] == DAY


async def test_an_auditor_sees_who_wrote_what_endorsed_by_whom(
    service: Service, http: httpx2.AsyncClient
) -> None:
    assert (await http.get("/v1/blocks")).status_code == 401
    http.headers.update(service.person("auditor"))
    key = {"key": ["certificate", DAY]}
    history = (await http.get("/v1/keys/metering-DistrictA", params=key)).json()
    assert history["through"] == history["height"]
    [version] = history["versions"]
    certificate = (await http.get(f"/v1/districts/DistrictA/certificates/{DAY}")).json()
    assert version["value"] == certificate
    assert version["creator"]["msp"] == "DistrictAMSP"
    assert {one["msp"] for one in version["endorsers"]} == {"DSOMSP", "DistrictAMSP"}
    proof = (await http.get(f"/v1/districts/DistrictA/certificates/{DAY}/proof")).json()
    assert proof["transaction"]["block"] == version["block"]
    raw = parse_block((await http.get(f"/v1/blocks/{version['block']}/raw")).content)
    told = (await http.get(f"/v1/blocks/{version['block']}")).json()
    assert told["data_hash"] == raw.header.data_hash.hex()
    assert told["data_hash_holds"]
    details = (await http.get(f"/v1/transactions/{version['id']}/details")).json()
    assert (details["block"], details["code"]) == (version["block"], "VALID")
    lines = (await http.get(f"/v1/blocks/1/export?through={version['block']}")).text.splitlines()
    assert json.loads(lines[-1])["block"] == version["block"]
    assert (await http.get(f"/v1/transactions/{'0' * 64}/details")).status_code == 404


async def test_the_page_shows_the_day_to_anyone_and_blocks_to_an_auditor_alone(
    service: Service, http: httpx2.AsyncClient
) -> None:
    start = await http.get("/page")
    assert "script" not in start.headers["content-security-policy"].replace("script-src 'none'", "")
    assert "DistrictA" in start.text
    certificate = await http.get(f"/page/districts/DistrictA/certificates/{DAY}")
    assert (
        (await http.get("/page/districts/DistrictA")).status_code == certificate.status_code == 200
    )
    assert DAY in certificate.text
    assert (await http.get("/page/ledger")).status_code == 401
    token = service.person("auditor")["authorization"].removeprefix("Bearer ")
    await http.post("/page/enter", data={"token": token}, headers={"origin": service.url})
    ledger = await http.get("/page/ledger")
    assert ledger.status_code == 200
    block = await http.get("/page/ledger/blocks/1")
    told = (await http.get("/v1/blocks/1", headers={"authorization": f"Bearer {token}"})).json()
    assert told["data_hash"] in block.text


async def test_a_prosumer_sees_no_account_but_its_own(
    service: Service, http: httpx2.AsyncClient
) -> None:
    http.headers.update(service.person("prosumer", "--account", "acc-1"))
    assert (await http.get("/v1/accounts/acc-2")).status_code == 404
    own = await http.get("/v1/accounts/acc-1")
    assert own.status_code in (404, 409)  # settlement was not begun here
    assert (await http.get("/v1/blocks")).status_code == 403


async def test_a_device_takes_up_its_claim_and_its_readings_count(
    service: Service, http: httpx2.AsyncClient
) -> None:
    """The installer's code opens it once; a wrong one is told nothing."""
    found = json.loads(EXAMPLE.read_text().replace("SPKI", ""))["documents"]["DistrictA"][-1]
    waiting = {**found, "id": "home-1.sun", "point": "home-1.gen"}
    del waiting["key"]
    waiting["registers"] = {"1-0:2.8.0*255": {"role": "G"}}
    file, key = service.folder / "device.json", new_key()
    file.write_text(json.dumps(waiting))
    at = ("--profile", str(service.network.profile("DSO")), "--district", "DistrictA")
    offered = json.loads(service.command("claim", "offer", str(file), *at).splitlines()[-1])
    body = {"schema": "possession/1", "claim": offered["claim"], "key": key_document(key)}
    shown = {"code": offered["code"], "possession": with_signature(body, key)}
    where = f"/v1/districts/DistrictA/claims/{offered['claim']}"
    wrong = await http.post(where, json={**shown, "code": "A" * 32})
    assert (wrong.status_code, wrong.json()["reason"]) == (403, "claim-refused")
    assert (await http.post(where, json=shown)).json() == {"status": "recorded"}
    again = await http.post(where, json=shown)
    assert (again.status_code, again.json()["reason"]) == (403, "claim-refused")
    values = [(BEGUN + 40 * HOUR, "1-0:2.8.0*255", "5", "Wh")]
    named = {"network": "pedchain", "channel": "ped"}
    made = ocmf.build(device="home-1.sun", counter=1, readings=values, **named)
    assert (await final(http, [ocmf.sign(made, key)]))[0]["transaction"]


async def test_an_account_is_read_and_spends_by_what_its_key_signed(
    service: Service, http: httpx2.AsyncClient
) -> None:
    one = Prosumer("acc-1", 1)
    async with await open_ledger(service.network.profile("DSO"), "gateway") as ledger:
        setup = canonical.encode(Exchange.setup()).decode()
        await settled(ledger, "tokens:Begin", setup)
        paid = receipt(one.name, 5_000_000, 1)
        await settled(ledger, "tokens:RegisterProsumer", account=one.request(), receipt=paid)
    http.headers.update(service.person("prosumer", "--account", "acc-1"))
    account = await there(http, "/v1/accounts/acc-1")
    assert (account["spendable"], account["counter"]) == (0, 0)
    signed = json.loads(one.signed("tokens", "fold", {"credits": sorted(account["waiting"])}))
    done = await http.post("/v1/accounts/acc-1/debits", json=signed)
    assert (done.status_code, done.json()["status"]) == (200, "committed")
    told = await http.get(done.headers["location"])
    assert told.json()["status"] == "committed"
    account = (await http.get("/v1/accounts/acc-1")).json()
    assert (account["spendable"], account["counter"], account["waiting"]) == (5_000_000, 1, {})
    again = await http.post("/v1/accounts/acc-1/debits", json=signed)
    assert (again.status_code, again.json()["reason"]) == (409, "wrong-counter")
    assert (await http.post("/v1/accounts/acc-2/debits", json=signed)).status_code == 404
    assert "5.000000" not in (await http.get("/page/accounts/acc-1")).text  # no cookie, no page


async def test_commands_stream_to_the_device_that_asks_and_to_no_other(
    service: Service, http: httpx2.AsyncClient
) -> None:
    """No order was issued here: the stream stands open and says nothing. What it says of orders is
    held against polling by the scenario of agents."""
    where = "/v1/districts/DistrictA/flexibility/commands"
    domain = ("pedchain", "ped", papers.contract_of("DistrictA"))
    async with await open_ledger(service.network.profile("DistrictA"), "gateway") as ledger:
        held = await ask_document(ledger, "metering-DistrictA", "GetDevice", "home-1.grid")
    body = {"schema": "inquiry/1", "site": held["site"], "device": held["document"]["id"]}

    def asked(key: Any, ago: int = 0) -> dict[str, Any]:
        return {"inquiry": papers.signed_by(key, {**body, "at": int(time.time()) - ago}, domain)}

    async with http.stream("POST", where, json=asked(KEY)) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        async with asyncio.timeout(10):
            assert await anext(stream.aiter_lines()) == "retry: 2000"
    polled = await http.post(where.replace("commands", "dispatches"), json=asked(KEY))
    assert polled.json() == {"dispatches": []}
    for stranger in (asked(new_key()), asked(KEY, ago=3_600)):
        assert (await http.post(where, json=stranger)).status_code == 403


async def settled(ledger: FabricLedger, function: str, *arguments: str, **sent: bytes) -> None:
    transient = {"salt": secrets.token_bytes(16), **sent}
    await submit_step(
        ledger, "settlement", function, *arguments, transient=transient, lagging=LAGGING
    )


async def there(http: httpx2.AsyncClient, where: str) -> Any:
    """What is there, once the district's own peer has seen it."""
    deadline = time.monotonic() + 30
    while (answer := await http.get(where)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.2)
    return answer.json()


async def test_no_log_holds_a_payload_a_key_or_a_salt_and_the_audit_log_holds(
    service: Service,
) -> None:
    written = [(service.folder / name).read_text() for name in ("gateway.log", "state/audit.log")]
    assert all(written)
    for record_ in RECORDS:
        payload, signature = record_.decode().split("|")[1:]
        assert not any(payload in one or signature in one for one in written)
    told = [str(987_654_321 + 250 * number) for number in range(25)]
    for secret in (*told, der.spki_hex(KEY.public_key()), "PRIVATE", "salt", "eyJ"):
        assert not any(secret in one for one in written)
    for line in written[0].splitlines():
        assert isinstance(json.loads(line), dict)
    with (service.folder / "state/audit.log").open("rb") as lines:
        assert auditlog.verify(lines)[0] >= 8
