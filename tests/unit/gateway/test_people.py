# SPDX-License-Identifier: Apache-2.0
"""Who people are, what they may see, and what is remembered of that."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from pedchain_domain import canonical, debit
from pedchain_domain.market.tokenid import MONEY, to_hex
from pedchain_gateway.cli import app
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.ledger.port import Committed, Invalid, Refused, Unknown
from pedchain_gateway.people import auditlog, trial
from pedchain_gateway.people.access import ROLES, TABLE, Who
from pedchain_gateway.people.auditlog import AuditLog
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services, assemble
from tests.unit.gateway.conftest import FakeLedger

ISSUER, AUDIENCE = "https://id.example", "pedchain"
KEY, FOREIGN = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
ACCOUNT = "/v1/accounts/acc-1"


def token(key: Any = KEY, headers: Any = None, algorithm: str = "ES256", **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "exp": int(time.time()) + 60,
        "ped_roles": ["auditor", "prosumer", "district"],
        "ped_districts": ["DistrictA"],
        "ped_accounts": ["acc-1"],
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers or {"kid": "k-1"})


def bearer(made: str) -> dict[str, str]:
    return {"authorization": f"Bearer {made}"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A gateway with an issuer of its own."""
    found = json.loads(ECAlgorithm.to_jwk(KEY.public_key()))
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [{**found, "kid": "k-1"}]}))
    people = {"issuer": ISSUER, "audience": AUDIENCE, "keys": tmp_path / "jwks.json"}
    known = {"profile": tmp_path / "p.json", "state": tmp_path, "people": people}
    return Config.model_validate(
        {**known, "districts": {"DistrictA": {}}, "rates": {"requests_per_person": 40}}
    )


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    opened = AuditLog(tmp_path / "audit.log")
    yield opened
    opened.close()


@pytest.fixture
async def services(config: Config, ledger: FakeLedger, index: Index, log: AuditLog) -> Services:
    """The gateway's parts, with an audit log."""
    return assemble(config, ledger, index, audit=log)


def kind(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    "made",
    [
        "",
        "not-a-token",
        token(FOREIGN),
        token(aud="another"),
        token(iss="https://another.example"),
        token(exp=int(time.time()) - 3_600),
        token(exp=None),
        token(sub=None),
        token(headers={"kid": "k-2"}),
        token("a shared secret that is long enough for it", algorithm="HS256"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann"}, None, algorithm="none"),
        "x" * 10_000,
    ],
)
async def test_a_token_that_is_not_the_issuers_for_us_now_says_nothing(
    http: httpx2.AsyncClient, made: str
) -> None:
    answer = await http.get("/v1/blocks", headers=bearer(made))
    assert kind(answer) == (401, "not-authorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.fault(46)
async def test_what_is_anothers_is_not_there(http: httpx2.AsyncClient, ledger: FakeLedger) -> None:
    ledger.answers = {
        ("market:ListOrders", "acc-1", ""): canonical.encode({}),
        ("GetProof", "p-1", "2026-03-29", "0"): canonical.encode({"leaf": 1}),
    }
    assert (await http.get(f"{ACCOUNT}/orders", headers=bearer(token()))).status_code == 200
    other = await http.get("/v1/accounts/acc-2/orders", headers=bearer(token()))
    assert kind(other) == (404, "not-found")
    proof = "/v1/districts/{}/points/p-1/proofs/2026-03-29/0"
    assert (await http.get(proof.format("DistrictA"), headers=bearer(token()))).status_code == 200
    other = await http.get(proof.format("DistrictB"), headers=bearer(token()))
    assert kind(other) == (404, "not-found")
    lacking = await http.get(f"{ACCOUNT}/orders", headers=bearer(token(ped_roles=["auditor"])))
    assert kind(lacking) == (403, "forbidden")


@pytest.mark.fault(46)
@pytest.mark.parametrize(("method", "path"), [row for row, who in TABLE.items() if who in ROLES])
async def test_no_persons_route_is_served_without_a_token_or_without_the_role(
    http: httpx2.AsyncClient, method: str, path: str
) -> None:
    filled = path.format_map(Filled())
    assert kind(await http.request(method, filled))[0] == 401
    roleless = bearer(token(ped_roles=["visitor", 7]))
    assert kind(await http.request(method, filled, headers=roleless)) == (403, "forbidden")


class Filled(dict[str, str]):
    """A value for each part of a path."""

    def __missing__(self, name: str) -> str:
        values = {"number": "1", "day": "2026-03-29", "instant": "0", "hour": "0",
                  "transaction": "0" * 64, "carrier": "electricity"}  # fmt: skip
        return values.get(name, "x-1")


async def test_a_person_that_asks_too_often_is_told_when_to_come_again(
    http: httpx2.AsyncClient,
) -> None:
    answers = [await http.get("/v1/keys/x?key=y", headers=bearer(token())) for _ in range(41)]
    assert kind(answers[-1]) == (429, "rate-limited")
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    other = await http.get("/v1/keys/x?key=y", headers=bearer(token(sub="bob")))
    assert other.status_code != 429


async def test_what_people_do_is_kept_in_a_chain(
    http: httpx2.AsyncClient, log: AuditLog, tmp_path: Path, ledger: FakeLedger
) -> None:
    ledger.answers = {("market:ListOrders", "acc-1", ""): canonical.encode({})}
    await http.get(f"{ACCOUNT}/orders", headers=bearer(token(sub="eve\r\n\x1b[31m\u202e")))
    await http.get("/v1/accounts/acc-2/orders", headers=bearer(token()))
    await http.get("/healthz")
    lines = (tmp_path / "audit.log").read_bytes().splitlines(keepends=True)
    first, second = (json.loads(line) for line in lines)
    assert (first["who"], first["status"]) == ("eve\r\n\x1b[31m\u202e", 200)
    assert (second["who"], second["status"]) == ("ann", 404)
    assert second["about"] == {"account": "acc-2"}
    assert b"\x1b" not in b"".join(lines)
    assert auditlog.verify(iter(lines)) == (2, log.last)
    for at, line in enumerate(lines):
        changed = [*lines[:at], line.replace(b'"status": ', b'"status": 1'), *lines[at + 1 :]]
        with pytest.raises(auditlog.BrokenError, match=f"line {at + 1} "):
            auditlog.verify(iter(changed))
    with pytest.raises(auditlog.BrokenError):
        auditlog.verify(iter(lines[1:]))


def test_an_audit_log_goes_on_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log"
    first = AuditLog(path)
    first.note(who="ann")
    first.note(who="bob")
    first.close()
    path.write_bytes(path.read_bytes()[:-10])
    second = AuditLog(path)
    second.note(who="cyd")
    second.close()
    with path.open("rb") as lines:
        assert auditlog.verify(lines)[0] == 2


@pytest.mark.fault(34)
async def test_people_are_not_served_while_what_they_do_cannot_be_kept(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, ledger: FakeLedger
) -> None:
    ledger.answers = {("market:ListOrders", "acc-1", ""): canonical.encode({})}
    with monkeypatch.context() as full:
        full.setattr(auditlog, "_append", lambda *_: False)
        await http.get(f"{ACCOUNT}/orders", headers=bearer(token()))
        refused = await http.get(f"{ACCOUNT}/orders", headers=bearer(token()))
    assert kind(refused) == (507, "storage-full")
    assert (await http.get(f"{ACCOUNT}/orders", headers=bearer(token()))).status_code == 200


async def test_an_account_tells_what_it_has(http: httpx2.AsyncClient, ledger: FakeLedger) -> None:
    ledger.answers = {
        ("tokens:GetAccount", "acc-1"): canonical.encode({"counter": 3, "locked": 5}),
        ("tokens:BalanceOf", "acc-1", to_hex(MONEY)): b"700",
        ("tokens:ListHoldings", "acc-1", ""): b"{}",
        ("tokens:ListCredits", "acc-1", ""): b"{}",
        ("market:GetOutcome", "acc-1", "s:1"): b'{"cleared":[],"due":null}',
        ("market:GetOrderHistory", "acc-1", "o-1"): Refused("not-found"),
        ("sharing:GetHours", "acc-1", "electricity", "0"): b"[]",
    }
    found = (await http.get(ACCOUNT, headers=bearer(token()))).json()
    assert (found["spendable"], found["locked"], found["counter"]) == (700, 5, 3)
    trades = await http.get(f"{ACCOUNT}/trades/s:1", headers=bearer(token()))
    assert trades.json() == {"cleared": [], "due": None}
    order = await http.get(f"{ACCOUNT}/orders/o-1", headers=bearer(token()))
    assert kind(order) == (404, "not-found")
    hours = await http.get(f"{ACCOUNT}/statements/electricity/0", headers=bearer(token()))
    assert hours.json() == {"hours": []}


def signed(account: str = "acc-1", action: str = "register-order") -> Any:
    domain = debit.Domain("net", "ped", "settlement:market")
    made = debit.Debit(domain, account, 1, action, {"side": "bid"})
    return json.loads(debit.sign(made, KEY).encode())


async def test_a_signed_debit_is_carried_as_it_is(
    http: httpx2.AsyncClient, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    outcome: list[Any] = [
        Committed("a" * 64, b""), Refused("wrong-counter"), Unknown("b" * 64),
        Invalid("c" * 64, "MVCC_READ_CONFLICT"),
    ]  # fmt: skip

    async def submit(definition: str, function: str, **rest: Any) -> Committed:
        sent.append((definition, function, rest["transient"]["debit"]))
        found = outcome.pop(0)
        if isinstance(found, Committed):
            return found
        raise found

    monkeypatch.setattr(ledger, "submit", submit)
    paper = signed()
    answers = [
        await http.post(f"{ACCOUNT}/debits", json=paper, headers=bearer(token())) for _ in range(4)
    ]
    assert [one.status_code for one in answers] == [200, 409, 202, 409]
    assert answers[1].json()["reason"] == "wrong-counter"
    assert answers[2].headers["location"] == f"/v1/transactions/{'b' * 64}"
    assert answers[3].json()["code"] == "MVCC_READ_CONFLICT"
    assert sent[0] == ("settlement", "market:RegisterOrder", canonical.encode(paper))


async def test_a_debit_of_another_account_or_of_no_known_action_is_not_carried(
    http: httpx2.AsyncClient, ledger: FakeLedger
) -> None:
    for made, expected in (
        (signed("acc-2"), (404, "not-found")),
        (signed(action="issue-order"), (400, "malformed-request")),
        ({**signed(), "more": 1}, (400, "malformed-request")),
        ({**signed(), "signature": "zz"}, (400, "malformed-request")),
    ):
        answer = await http.post(f"{ACCOUNT}/debits", json=made, headers=bearer(token()))
        assert kind(answer) == expected
    assert ledger.calls == []


def test_tokens_for_trying_are_made_for_loopback_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = 'profile = "p.json"\nstate = "state"\n[districts.DistrictA]\n'
    (tmp_path / "near.toml").write_text(lines)
    (tmp_path / "far.toml").write_text(
        f'listen = "10.0.0.1:8443"\n{lines}[tls]\ncertificate = "c"\nkey = "k"\n'
    )
    call = ["token", "--role", "auditor", "--district", "DistrictA", "--config"]
    assert run([*call, str(tmp_path / "near.toml")]) == 0
    made = capsys.readouterr().out.strip()
    claims = jwt.decode(made, options={"verify_signature": False})
    assert (claims["ped_roles"], claims["ped_districts"]) == (["auditor"], ["DistrictA"])
    assert oct((tmp_path / "state/trial-key.pem").stat().st_mode)[-3:] == "600"
    assert run([*call, str(tmp_path / "far.toml")]) == 1


async def test_a_gateway_on_loopback_takes_the_tokens_it_made(
    tmp_path: Path, ledger: FakeLedger, index: Index
) -> None:
    known = {"profile": tmp_path / "p.json", "state": tmp_path, "districts": {"DistrictA": {}}}
    tls = {"certificate": tmp_path, "key": tmp_path}
    near = Config.model_validate(known)
    far = Config.model_validate({**known, "listen": "10.0.0.1:1", "tls": tls})
    made = trial.token(tmp_path, "me", ["auditor"], [], [])
    for config, expected in ((near, 404), (far, 401)):
        transport = httpx2.ASGITransport(app=create(assemble(config, ledger, index)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            answer = await client.get("/v1/blocks/99", headers=bearer(made))
            assert answer.status_code == expected


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        app(arguments)
    return int(ended.value.code or 0)


def test_who_may_is_said_for_every_row() -> None:
    assert {*TABLE.values()} == {*Who}
