# SPDX-License-Identifier: Apache-2.0
"""Sites, points and devices: who may register, what stands, how keys change."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_chaincode import limits
from pedchain_chaincode.metering.devicekeys import rotation_bytes
from pedchain_domain.reasons import Reason, reason_of
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import (
    METERING,
    OPERATOR,
    OTHER,
    START,
    Home,
    Ledger,
    Meter,
    point,
    private,
    site,
)


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    return ledger


async def refused(ledger: Ledger, reason: str, *call: Any, **options: Any) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await ledger.submit(*call, **options)
    assert caught.value.status == 400
    assert caught.value.message.split(":")[0] == reason


async def test_only_the_dso_registers(ledger: Ledger) -> None:
    documents = json.dumps(Home("home-1").documents())
    for client in (OPERATOR, OTHER):
        await refused(ledger, "not-permitted", "Register", documents, creator=client)


async def test_documents_may_come_in_any_order(ledger: Ledger) -> None:
    documents = Home("home-1").documents()
    await ledger.submit("Register", json.dumps(documents[::-1]))
    found = await ledger.ask("GetDevice", "home-1.grid")
    assert found["document"]["id"] == "home-1.grid"
    assert found["shard"] == 0


async def test_registering_the_same_again_changes_nothing(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    before = ledger.peer.state(METERING)
    await ledger.register(home)
    assert ledger.peer.state(METERING) == before


@pytest.mark.fault(12)
@pytest.mark.parametrize("place", [0, 1, 3])
async def test_other_content_under_a_known_id_is_refused(ledger: Ledger, place: int) -> None:
    documents = Home("home-1").documents()
    await ledger.submit("Register", json.dumps(documents))
    changes = [{"connection_w": 1}, {"p_max_w": 1}, {}, {"first_counter": 9}]
    changed = {**documents[place], **changes[place]}
    await refused(ledger, "already-registered", "Register", json.dumps([changed]))
    assert (await ledger.ask("GetSite", "home-1"))["document"] == documents[0]


async def test_a_point_needs_its_site_and_a_device_its_point(ledger: Ledger) -> None:
    lonely = json.dumps([point("p", "nowhere", "GCP")])
    await refused(ledger, "unknown-site", "Register", lonely)
    lonely = json.dumps([Meter("m", "nowhere", ("I",)).document()])
    await refused(ledger, "unknown-point", "Register", lonely)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"schema":"site/1"}', "malformed-document"),
        ('["site"]', "malformed-document"),
        ('[{"schema":"district/1"}]', "malformed-document"),
        ('[{"schema":"site/1","schema":"site/1"}]', "duplicate-key"),
        ("[1e3]", "not-an-integer"),
        ("[NaN]", "not-an-integer"),
        ("[" * 20 + "]" * 20, "too-deep"),
        (json.dumps([site("s")] * 201), "too-large"),
    ],
)
@pytest.mark.fault(11)
async def test_malformed_documents_are_refused_by_reason(
    ledger: Ledger, text: str, reason: str
) -> None:
    await refused(ledger, reason, "Register", text)


@pytest.mark.fault(11)
async def test_an_id_that_is_not_plain_ascii_is_refused(ledger: Ledger) -> None:
    await refused(ledger, "malformed-document", "Register", json.dumps([site("home-é")]))
    with pytest.raises(TransactionFailed, match="malformed-id"):
        await ledger.ask("GetDevice", "home-é")


async def test_sites_fill_cells(ledger: Ledger) -> None:
    homes = [Home(f"home-{n}", "P0") for n in range(limits.CELL_SITES + 1)]
    await ledger.register(*homes)
    state = ledger.peer.state(METERING)
    rosters = [json.loads(v) for k, v in state.items() if k.startswith("\x00roster")]
    assert [len(roster["sites"]) for roster in rosters] == [limits.CELL_SITES, 1]


def rotation(old: Meter, new: Meter, counter: int, **domain: str) -> dict[str, Any]:
    body = {
        "schema": "rotate/1",
        "device": old.name,
        "key": {"alg": "ES256", "spki": new.spki},
        "first_counter": counter,
    }
    named = {"network": "pedchain", "channel": "ped", **domain}
    message = rotation_bytes(body, **named)
    signatures = {
        "old": old.key.sign(message, ec.ECDSA(SHA256())).hex(),
        "new": new.key.sign(message, ec.ECDSA(SHA256())).hex(),
    }
    return {**body, "signatures": signatures}


@pytest.mark.fault(13)
async def test_a_rotated_key_signs_from_its_counter_on(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    fresh = Meter("home-1.grid", home.grid.point, ("I", "E"), seed=2)
    document = rotation(home.grid, fresh, 5)
    await ledger.submit("RotateKey", json.dumps(document), creator=OPERATOR)
    values = [(START, "I", 1_000)]
    answers = await ledger.file(
        home.grid.record(values, 4),
        home.grid.record(values, 5),
        fresh.record(values, 5),
        fresh.record(values, 3),
    )
    expected = [Reason.RECORDED, Reason.BAD_SIGNATURE, Reason.RECORDED, Reason.BAD_SIGNATURE]
    assert [reason_of(answer) for answer in answers] == expected
    keys = (await ledger.ask("GetDevice", "home-1.grid"))["keys"]
    assert [key["from_counter"] for key in keys] == [1, 5]


@pytest.mark.fault(13)
async def test_a_rotation_needs_both_signatures_for_this_ledger(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    fresh = Meter("home-1.grid", home.grid.point, ("I", "E"), seed=2)
    good = rotation(home.grid, fresh, 5)
    thief = rotation(Meter("home-1.grid", "x", ("I",), seed=3), fresh, 5)
    for document, reason in (
        (thief, "bad-signature"),
        (rotation(home.grid, fresh, 5, channel="other"), "bad-signature"),
        ({**good, "first_counter": 6}, "bad-signature"),
        ({**good, "signatures": {**good["signatures"], "new": "00"}}, "malformed-signature"),
        ({**good, "signatures": {"old": good["signatures"]["old"]}}, "malformed-document"),
        ({**good, "device": "nobody"}, "unknown-device"),
    ):
        await refused(ledger, reason, "RotateKey", json.dumps(document))


async def test_keys_rotate_forwards_only(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    fresh = Meter("home-1.grid", home.grid.point, ("I", "E"), seed=2)
    await ledger.submit("RotateKey", json.dumps(rotation(home.grid, fresh, 5)))
    newest = Meter("home-1.grid", home.grid.point, ("I", "E"), seed=3)
    document = json.dumps(rotation(fresh, newest, 5))
    await refused(ledger, "already-registered", "RotateKey", document)


@pytest.mark.fault(13)
async def test_a_revoked_key_is_refused_from_its_counter_on(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    revocation = {"schema": "revoke/1", "device": "home-1.grid", "counter": 5}
    document = json.dumps({**revocation, "compromised_since": START})
    await refused(ledger, "not-permitted", "RevokeKey", document, creator=OPERATOR)
    await ledger.submit("RevokeKey", document)
    values = [(START, "I", 1_000)]
    answers = await ledger.file(home.grid.record(values, 4), home.grid.record(values, 5))
    assert [reason_of(a) for a in answers] == [Reason.RECORDED, Reason.REVOKED_KEY]
    found = await ledger.ask("GetDevice", "home-1.grid")
    assert found["revoked"] == {"from_counter": 5, "compromised_since": START}


@pytest.mark.fault(13)
async def test_a_batch_in_flight_fails_when_its_device_is_revoked(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    record = home.grid.record([(START, "I", 1_000)])
    transient = ledger.transient([record])
    held = await ledger.peer.endorse(METERING, "SubmitReadings", "1", transient=transient)
    revocation = {"schema": "revoke/1", "device": "home-1.grid", "counter": 0}
    await ledger.submit("RevokeKey", json.dumps(revocation))
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        ledger.peer.commit(held)


async def test_a_malformed_revocation_is_refused(ledger: Ledger) -> None:
    revocation = {"schema": "revoke/1", "device": "home-1.grid", "counter": 5}
    document = json.dumps({**revocation, "compromised_since": "yesterday"})
    await refused(ledger, "malformed-document", "RevokeKey", document)
    await refused(ledger, "unknown-device", "RevokeKey", json.dumps(revocation))


async def to_exchange(ledger: Ledger, final: int, initial: int) -> tuple[Home, dict[str, Any]]:
    """A home whose next meter is registered, and the exchange/1 of both after two hours: the old
    one shows `final` Wh drawn, the new one begins at `initial`."""
    home = Home("home-1")
    await ledger.register(home)
    fresh = Meter("home-1.grid2", home.grid.point, ("I", "E"))
    await ledger.submit("Register", json.dumps([fresh.document(**{"from": START + 7_200})]))
    return home, {
        "schema": "exchange/1",
        "point": home.grid.point,
        "old": home.grid.name,
        "final": {"I": final, "E": 0},
        "new": fresh.name,
        "initial": {"I": initial, "E": 0},
        "at": START + 7_200,
    }


async def test_an_exchange_ends_the_old_meter(ledger: Ledger) -> None:
    home, exchange = await to_exchange(ledger, 5_000, 10)
    sent = private(exchange)
    await refused(ledger, "not-permitted", "ExchangeMeter", creator=OPERATOR, transient=sent)
    await ledger.exchange(exchange)
    await ledger.exchange(exchange)
    assert (await ledger.ask("GetDevice", "home-1.grid"))["to"] == START + 7_200
    answers = await ledger.file(home.grid.record([(START + 10_800, "I", 5_100)]))
    assert [reason_of(answer) for answer in answers] == [Reason.NOT_CERTIFIABLE]
    again = private({**exchange, "final": {"I": 1, "E": 0}})
    await refused(ledger, "already-registered", "ExchangeMeter", transient=again)


async def test_what_meters_read_at_an_exchange_is_not_public(ledger: Ledger) -> None:
    """Two registers of a home at a known instant are its use between two bills."""
    _, exchange = await to_exchange(ledger, 7_654_321, 1_234_567)
    await refused(ledger, "malformed-document", "ExchangeMeter")
    await ledger.exchange(exchange)
    told = repr(ledger.peer.state(METERING))
    assert "home-1.grid2" in told
    assert "7654321" not in told
    assert "1234567" not in told
