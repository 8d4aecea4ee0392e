# SPDX-License-Identifier: Apache-2.0
"""Agents at the gateway: a site's dispatches are told to its own device alone."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import canonical, der
from pedchain_domain.flexibility import papers
from pedchain_gateway.ledger.port import Committed, Refused, Unavailable, Unknown
from pedchain_gateway.service import agents
from tests.unit.gateway.conftest import FakeLedger

BASE = "/v1/districts/DistrictA/flexibility"
KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
DOMAIN = ("pedchain", "ped", papers.contract_of("DistrictA"))
DISPATCH = {"document": {"order": "o-2", "site": "site-1"}, "signature": "00"}


def inquiry(key: Any = KEY, domain: Any = DOMAIN, **changes: Any) -> dict[str, Any]:
    body = {"schema": "inquiry/1", "site": "site-1", "device": "device-1", "at": int(time.time())}
    return {"inquiry": papers.signed_by(key, {**body, **changes}, domain)}


def device(**changes: Any) -> bytes:
    key = {"alg": "ES256", "spki": der.spki_hex(KEY.public_key())}
    return canonical.encode(
        {"site": "site-1", "document": {"id": "device-1", "key": key, "to": None, **changes}}
    )


@pytest.fixture
def asked(ledger: FakeLedger) -> FakeLedger:
    """A ledger with a device, and an accepted order that asks it among others."""
    told = {"districts": ["DistrictA"], "notice": 0, "product": "firm"}
    other = {**told, "districts": ["DistrictB"]}
    orders = [["2026-01-17", "o-1", other], *(["2026-01-17", f"o-{at}", told] for at in (2, 3))]
    wanted = [{"order": name, "site": "site-1"} for name in ("o-2", "o-3")]
    ledger.answers = {
        ("GetDevice", "device-1"): device(),
        ("tokens:GetSetup",): canonical.encode({"network": "pedchain"}),
        ("flexibility:ListOrdersAhead", "", ""): canonical.encode(orders),
        ("flexibility:GetDispatches", canonical.encode(wanted).decode()): canonical.encode(
            [DISPATCH, None]
        ),
    }
    return ledger


async def test_a_device_is_told_what_accepted_orders_ask_of_its_site(
    asked: FakeLedger, http: httpx2.AsyncClient
) -> None:
    answer = await http.post(f"{BASE}/dispatches", json=inquiry())
    assert answer.json() == {"dispatches": [DISPATCH]}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: inquiry(OTHER), "bad-signature"),
        (lambda: inquiry(domain=("pedchain", "ped", papers.ORDERS)), "bad-signature"),
        (lambda: inquiry(site="site-2"), "key-meter-mismatch"),
        (lambda: inquiry(at=int(time.time()) - 3_600), "stale-inquiry"),
        (lambda: inquiry(at=int(time.time()) + 3_600), "stale-inquiry"),
        (lambda: inquiry(schema="answer/1"), "malformed-document"),
    ],
)
async def test_nobody_else_is_told(
    asked: FakeLedger,
    http: httpx2.AsyncClient,
    make: Callable[[], Mapping[str, Any]],
    reason: str,
) -> None:
    answer = await http.post(f"{BASE}/dispatches", json=make())
    assert (answer.status_code, answer.json()["reason"]) == (403, reason)


async def test_a_device_that_is_unknown_or_revoked_is_told_nothing(
    asked: FakeLedger, http: httpx2.AsyncClient
) -> None:
    for held, reason in (
        (Refused("not-found"), "unknown-device"),
        (device(revoked={"counter": 3}), "revoked-key"),
    ):
        asked.answers["GetDevice", "device-1"] = held
        answer = await http.post(f"{BASE}/dispatches", json=inquiry())
        assert answer.json()["reason"] == reason


async def test_a_ledger_that_cannot_be_reached_is_no_empty_list(
    asked: FakeLedger, http: httpx2.AsyncClient
) -> None:
    asked.unavailable = Unavailable("gone")
    answer = await http.post(f"{BASE}/dispatches", json=inquiry())
    assert answer.status_code == 503


POSTS = {
    "enrolments": ({"enrolment": DISPATCH, "code": "1234"}, "metering-DistrictA", "EnrolSite"),
    "withdrawals": ({"withdrawal": DISPATCH}, "metering-DistrictA", "WithdrawSite"),
    "answers": ({"order": "o-2", "answers": [DISPATCH]}, "settlement", "AnswerOrder"),
}


@pytest.mark.parametrize("name", POSTS)
async def test_papers_are_carried_as_they_were_signed(
    ledger: FakeLedger, http: httpx2.AsyncClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, definition, function = POSTS[name]
    carried: list[Any] = []

    async def submit(*call: Any, **options: Any) -> Committed:
        carried.append((call, options["transient"]))
        return Committed("tx", b"")

    monkeypatch.setattr(ledger, "submit", submit)
    answer = await http.post(f"{BASE}/{name}", json=body)
    assert (answer.status_code, answer.json()) == (200, {"status": "recorded"})
    ((call, transient),) = carried
    assert call[:2] == (definition, f"flexibility:{function}")
    assert any(canonical.encode(DISPATCH) in value for value in transient.values())


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Refused("claim-refused"), 409, "claim-refused"),
        (Unavailable("gone"), 503, None),
    ],
)
async def test_the_ledger_s_own_reason_is_told(
    http: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    ledger: FakeLedger,
    error: Exception,
    status: int,
    reason: str | None,
) -> None:
    async def submit(*_: Any, **__: Any) -> Committed:
        raise error

    monkeypatch.setattr(ledger, "submit", submit)
    answer = await http.post(f"{BASE}/enrolments", json=POSTS["enrolments"][0])
    assert (answer.status_code, answer.json().get("reason")) == (status, reason)


@pytest.mark.parametrize("name", [*POSTS, "dispatches"])
async def test_what_is_not_of_the_form_is_refused(http: httpx2.AsyncClient, name: str) -> None:
    for body in (b"", b"[]", b"{}", b'{"more": 1}', b"\xff"):
        answer = await http.post(f"{BASE}/{name}", content=body)
        assert answer.status_code == 400
    body = POSTS.get(name, (inquiry(),))[0]
    other = await http.post(f"/v1/districts/DistrictB/flexibility/{name}", json=body)
    assert other.status_code == 404


def test_an_open_outcome_names_its_transaction() -> None:
    from pedchain_gateway.service.dispatches import refused

    assert refused(Unknown("tx")).members["transaction"] == "tx"


def test_an_inquiry_is_fresh_for_five_minutes() -> None:
    agents.fresh({"at": 1_000}, 1_300)
    with pytest.raises(agents.NotProvenError):
        agents.fresh({"at": 1_000}, 1_301)
