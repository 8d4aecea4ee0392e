# SPDX-License-Identifier: Apache-2.0
"""Contract origin: issue once, move by the owner's signature, claim what was consumed (rules G)."""

import hashlib
import json
from typing import Any

import pytest

from pedchain_chaincode import limits
from pedchain_domain import canonical, debit, der
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import DAY, METERING, OPERATOR, OTHER, START, Home, day_name
from tests.unit.chaincode.wallets import (
    DOMAIN,
    HOUR,
    Origin,
    Storing,
    Wallet,
    foreign,
    private_key,
    receipt,
    registers,
    signature,
)

NOON = START + 12 * HOUR
A, B = "acc-a", "acc-b"


def at_noon(amount: int) -> list[int]:
    return [amount if hour == 12 else 0 for hour in range(24)]


async def district(plan: str = "P1", **changes: Any) -> tuple[Origin, Wallet, Wallet]:
    """A home that makes 900 Wh at noon and feeds in 700, and one that draws 300 every hour."""
    maker, user = Home("home-1"), Home("home-2", "P0")
    ledger = Origin(**changes)
    await ledger.adopt()
    await ledger.register(maker, user)
    wallets = Wallet(A, "home-1", national=1), Wallet(B, "home-2")
    await ledger.day(
        *registers(maker.grid, {"I": [0] * 24, "E": at_noon(700)}),
        *registers(maker.roof, {"G": at_noon(900)}),
        *registers(user.grid, {"I": [300] * 24, "E": [0] * 24}),
    )
    await ledger.open(*wallets)
    return ledger, *wallets


async def issued(**changes: Any) -> tuple[Origin, Wallet, Wallet, dict[str, Any]]:
    """The same with its one certificate issued."""
    ledger, a, b = await district(**changes)
    await ledger.issue()
    return ledger, a, b, (await ledger.active(A))[0]


async def refused(ledger: Origin, signed: bytes, reason: str) -> None:
    with pytest.raises(TransactionFailed) as raised:
        await ledger.debit(signed)
    assert raised.value.message.split(":")[0] == reason


async def test_a_day_is_issued_once() -> None:
    ledger, _, _, certificate = await issued()
    assert (certificate["hour"], certificate["wh"], certificate["source"]) == (
        NOON,
        700,
        "generation",
    )
    before = ledger.peer.private(METERING, "readings")
    assert await ledger.issue() == 1
    assert ledger.peer.private(METERING, "readings") == before
    assert len(await ledger.certificates(A)) == 1


async def test_of_two_issues_in_flight_one_fails() -> None:
    ledger, _, _ = await district()
    options: dict[str, Any] = {"creator": OPERATOR}
    both = [
        await ledger.peer.endorse(
            METERING, "origin:IssueDay", day_name(0), transient=ledger.fresh(), **options
        )
        for _ in range(2)
    ]
    ledger.peer.commit(both[0])
    with pytest.raises(CommitRefused):
        ledger.peer.commit(both[1])
    assert len(await ledger.certificates(A)) == 1


async def test_only_what_run_f_closed_is_issued() -> None:
    ledger = Origin()
    home = Home("home-1")
    await ledger.adopt()
    await ledger.register(home)
    await ledger.day(*registers(home.grid, {"I": [1] * 24, "E": [0] * 24}), run="P")
    with pytest.raises(TransactionFailed, match="run-missing"):
        await ledger.issue()


async def test_days_are_issued_in_order_and_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ISSUE_CERTIFICATES", 1)
    monkeypatch.setattr(limits, "CELL_SITES", 1)
    homes = [Home(f"home-{n}") for n in range(3)]
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(*homes)
    flows = {"I": [0] * 24, "E": at_noon(700)}
    for day in range(2):
        begin = {"I": 0, "E": 700 * day}
        records = [r for h in homes for r in registers(h.grid, flows, day, begin)]
        roofs = [
            r for h in homes for r in registers(h.roof, {"G": at_noon(900)}, day, {"G": 900 * day})
        ]
        await ledger.day(*records, *roofs, day=day)
    await ledger.open(*(Wallet(f"acc-{n}", f"home-{n}") for n in range(3)))
    assert await ledger.issue(0) == 3
    public = await ledger.ask("origin:GetIssued", day_name(0))
    assert (public["issued_wh"], public["own_wh"], public["sites"]) == (2_100, 600, 3)
    with pytest.raises(TransactionFailed, match="run-missing"):
        await ledger.issue(2)
    assert await ledger.issue(1) == 3
    for n in range(3):
        hours = [c["hour"] for c in await ledger.certificates(f"acc-{n}")]
        assert hours == [NOON, NOON + 24 * HOUR]


async def test_energy_of_a_site_without_an_account_is_nobodys() -> None:
    ledger, a, _ = await district()
    later = Wallet("acc-c", "home-1")
    asked = later.request(**{"from": NOON + HOUR})
    transient = {"account": asked, "cell": b"0", **ledger.fresh()}
    await ledger.submit("origin:OpenAccount", transient=transient)
    await ledger.issue()
    assert [c["owner"] for c in await ledger.certificates(a.account)] == [A]
    assert await ledger.certificates("acc-c") == []


async def test_a_certificate_goes_from_its_maker_to_a_claim() -> None:
    ledger, a, b, whole = await issued()
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[250, 450]))
    part = next(c for c in await ledger.active(A) if c["wh"] == 250)
    await ledger.debit(a.signed("reserve", certificate=part["id"], **{"for": B}))
    await ledger.debit(a.signed("transfer", certificate=part["id"], to=B))
    mine = (await ledger.active(B))[0]
    await ledger.debit(b.signed("cancel", certificate=mine["id"], **{"for": B}))
    await ledger.debit(b.signed("claim", certificate=mine["id"]))
    states = {c["id"]: c["state"] for c in await ledger.certificates(B)}
    assert states == {mine["id"]: "claimed"}
    left = [(c["state"], c["wh"]) for c in await ledger.certificates(A)]
    assert sorted(left) == [("active", 450), ("sliced", 700), ("transferred", 250)]


async def test_who_it_was_cancelled_for_claims_it() -> None:
    ledger, a, b, whole = await issued()
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[300, 400]))
    part = next(c for c in await ledger.active(A) if c["wh"] == 300)
    await ledger.debit(a.signed("cancel", certificate=part["id"], **{"for": B}))
    await refused(
        ledger, a.signed("claim", certificate=part["id"], counter=a.counter + 1), "not-owner"
    )
    await ledger.debit(b.signed("claim", certificate=part["id"]))
    assert (await ledger.certificates(A))[0]["id"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"counter": 2}, "wrong-counter"),
        ({"account": B}, "bad-signature"),
        ({"contract": "metering-DistrictB:origin"}, "wrong-domain"),
        ({"network": "other"}, "wrong-domain"),
        ({"channel": "other"}, "wrong-domain"),
        ({"body": {"certificate": "00", "to": B}}, "bad-signature"),
        ({"account": "nobody"}, "unknown-account"),
        ({"schema": "debit/2"}, "malformed-document"),
    ],
)
async def test_a_debit_holds_for_one_ledger_once_and_as_signed(
    change: dict[str, Any], reason: str
) -> None:
    ledger, a, _, certificate = await issued()
    good = debit.decode(a.signed("transfer", certificate=certificate["id"], to=B, counter=1))
    document = {**good.debit.document(), **change}
    changed = canonical.encode({"debit": document, "signature": good.signature.hex()})
    if reason in ("wrong-counter", "wrong-domain"):  # signed by its own key, and yet not for here
        proof = signature(a.key, canonical.encode(document)).hex()
        changed = canonical.encode({"debit": document, "signature": proof})
    await refused(ledger, changed, reason)
    await ledger.debit(good.encode())
    await refused(ledger, good.encode(), "wrong-counter")


GUARDS: list[tuple[str, dict[str, Any], str]] = [
    ("slice", {"parts": [300, 399]}, "malformed-document"),
    ("slice", {"parts": [700]}, "malformed-document"),
    ("slice", {"parts": [0, 700]}, "malformed-document"),
    ("slice", {"parts": [1] * 700}, "malformed-document"),
    ("transfer", {"to": "nobody"}, "unknown-account"),
    ("transfer", {"to": 7}, "malformed-id"),
    ("transfer", {"to": B, "more": 1}, "malformed-document"),
    ("reserve", {"for": "nobody"}, "unknown-account"),
    ("claim", {}, "wrong-state"),
    ("charge", {}, "beyond-consumption"),
    ("export", {"receipt": None, "underlying_cancelled": None}, "wrong-state"),
    ("lock", {"registry": "nowhere"}, "unknown-registry"),
    ("mint", {}, "unknown-action"),
    ("discharge", {}, "malformed-document"),
]


async def test_each_guard_of_a_debit_has_its_reason() -> None:
    ledger, a, _, certificate = await issued()
    before = ledger.peer.private(METERING, "readings")
    for action, body, reason in GUARDS:
        signed = a.signed(action, certificate=certificate["id"], counter=1, **body)
        await refused(ledger, signed, reason)
    await refused(ledger, a.signed("withdraw", certificate="ff", counter=1), "not-found")
    assert ledger.peer.private(METERING, "readings") == before


async def test_what_is_not_ones_own_cannot_be_moved() -> None:
    """Another account does not even find it; a pointer lets it claim, and nothing else."""
    ledger, a, b, certificate = await issued()
    await refused(ledger, b.signed("transfer", certificate=certificate["id"], to=B), "not-found")
    await ledger.debit(a.signed("cancel", certificate=certificate["id"], **{"for": B}))
    await refused(
        ledger, b.signed("withdraw", certificate=certificate["id"], counter=1), "wrong-state"
    )


async def test_states_go_one_way() -> None:
    ledger, a, b, whole = await issued()
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[100, 600]))
    small, large = sorted(await ledger.active(A), key=lambda c: int(c["wh"]))
    await refused(
        ledger, a.signed("transfer", certificate=whole["id"], to=B, counter=2), "wrong-state"
    )
    await ledger.debit(a.signed("reserve", certificate=small["id"], **{"for": B}))
    for action, body in (
        ("transfer", {"to": A}),
        ("cancel", {"for": A}),
        ("withdraw", {}),
        ("slice", {"parts": [50, 50]}),
        ("lock", {"registry": "x"}),
    ):
        await refused(
            ledger,
            a.signed(action, certificate=small["id"], counter=a.counter + 1, **body),
            "wrong-state",
        )
    await ledger.debit(a.signed("cancel", certificate=small["id"], **{"for": B}))
    await ledger.debit(b.signed("claim", certificate=small["id"]))
    await refused(ledger, b.signed("claim", certificate=small["id"], counter=2), "wrong-state")
    await ledger.debit(a.signed("withdraw", certificate=large["id"]))
    states = sorted(c["state"] for c in await ledger.certificates(A))
    assert states == ["claimed", "sliced", "withdrawn"]


async def test_no_more_is_claimed_than_the_site_drew_in_that_hour() -> None:
    ledger, a, b, whole = await issued()
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[200, 100, 400]))
    for certificate in await ledger.active(A):
        await ledger.debit(a.signed("cancel", certificate=certificate["id"], **{"for": B}))
    mine = {
        c["wh"]: c["id"] for c in [await _read(ledger, c) for c in await ledger.certificates(B)]
    }
    await refused(ledger, b.signed("claim", certificate=mine[400], counter=1), "beyond-consumption")
    await ledger.debit(b.signed("claim", certificate=mine[200]))
    await ledger.debit(b.signed("claim", certificate=mine[100]))


async def _read(ledger: Origin, pointer: dict[str, Any]) -> dict[str, Any]:
    found = await ledger.certificates(pointer["owner"])
    return next(c for c in found if c["id"] == pointer["id"])


class Elsewhere(Home):
    """A home in another market zone."""

    def documents(self) -> list[dict[str, Any]]:
        return [
            {**each, "zone": "zone-2"} if each["schema"] == "site/1" else each
            for each in super().documents()
        ]


async def test_a_claim_is_of_the_same_zone() -> None:
    maker, user = Home("home-1"), Elsewhere("home-2", "P0")
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(maker, user)
    a, b = Wallet(A, "home-1"), Wallet(B, "home-2")
    await ledger.day(
        *registers(maker.grid, {"I": [0] * 24, "E": at_noon(200)}),
        *registers(maker.roof, {"G": at_noon(900)}),
        *registers(user.grid, {"I": [300] * 24, "E": [0] * 24}),
    )
    await ledger.open(a, b)
    await ledger.issue()
    whole = (await ledger.active(A))[0]
    await ledger.debit(a.signed("cancel", certificate=whole["id"], **{"for": B}))
    await refused(ledger, b.signed("claim", certificate=whole["id"]), "wrong-zone")


async def test_of_two_parallel_debits_of_one_account_one_fails() -> None:
    ledger, a, _, certificate = await issued()
    outcomes = []
    for action, body in (("cancel", {"for": A}), ("transfer", {"to": B})):
        signed = a.signed(action, certificate=certificate["id"], counter=1, **body)
        transient = {"debit": signed, **ledger.fresh()}
        outcomes.append(
            await ledger.peer.endorse(
                METERING, "origin:Debit", transient=transient, creator=OPERATOR
            )
        )
    ledger.peer.commit(outcomes[0])
    with pytest.raises(CommitRefused):
        ledger.peer.commit(outcomes[1])


async def test_two_accounts_cannot_claim_one_sites_hour_beyond_its_import_at_once() -> None:
    """Both claims are within bounds by themselves; both write the hour's sum."""
    ledger, a, b, whole = await issued()
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[200, 200, 300]))
    pair = [c for c in await ledger.active(A) if c["wh"] == 200]
    for certificate in pair:
        await ledger.debit(a.signed("cancel", certificate=certificate["id"], **{"for": B}))
    outcomes = []
    for certificate in pair:
        signed = b.signed("claim", certificate=certificate["id"], counter=1)
        transient = {"debit": signed, **ledger.fresh()}
        outcomes.append(
            await ledger.peer.endorse(
                METERING, "origin:Debit", transient=transient, creator=OPERATOR
            )
        )
    ledger.peer.commit(outcomes[0])
    with pytest.raises(CommitRefused):
        ledger.peer.commit(outcomes[1])
    again = b.signed("claim", certificate=pair[1]["id"], counter=2)
    await refused(ledger, again, "beyond-consumption")


@pytest.mark.fault(44)
async def test_an_export_needs_the_foreign_registrys_receipt() -> None:
    ledger, a, _, certificate = await issued()
    await ledger.submit("origin:PutForeign", foreign())
    await ledger.debit(a.signed("lock", certificate=certificate["id"], registry="north"))
    locked = (await ledger.certificates(A))[0]
    assert locked["state"] == "locked"

    def export(proof: object, underlying: str | None = "go-1") -> bytes:
        body = {"receipt": proof, "underlying_cancelled": underlying}
        return a.signed("export", certificate=certificate["id"], counter=2, **body)

    await refused(ledger, export(None), "receipt-missing")
    await refused(ledger, export(receipt(locked, lock="00" * 32)), "receipt-missing")
    await refused(ledger, export(receipt(locked, registry="south")), "receipt-missing")
    forged = receipt(locked)
    forged["signature"] = signature(a.key, b"x").hex()
    await refused(ledger, export(forged), "bad-signature")
    await refused(ledger, export(receipt(locked), None), "underlying-not-cancelled")
    cancel = a.signed("cancel", certificate=certificate["id"], counter=2, **{"for": A})
    await refused(ledger, cancel, "wrong-state")
    await ledger.debit(export(receipt(locked)))
    found = await ledger.ask("origin:GetExported", day_name(0))
    assert found["origin_exported_wh"] == 700
    before = await ledger.ask("GetCertificate", day_name(0))
    ledger.peer.now = START + 90 * DAY
    await ledger.close(day_name(0), "FINAL")
    after = await ledger.ask("GetCertificate", day_name(0))
    assert (before["run"], before["origin_exported_wh"]) == ("F", None)
    assert before["notes"]["origin_exported_wh"] == "too-early"
    assert (after["run"], after["origin_exported_wh"]) == ("FINAL", 700)
    assert after["window"]["origin_exported_wh"] == 700
    assert after["electricity"] == before["electricity"]
    assert after["indicators"]["oer_ppm"] == before["indicators"]["oer_ppm"]


async def test_a_foreign_registrys_key_is_never_changed() -> None:
    ledger, *_ = await issued()
    for seed, known in (("one", False), ("one", False), ("two", True)):
        key = {"alg": "ES256", "spki": der.spki_hex(private_key(seed).public_key())}
        call = json.dumps({"schema": "foreign/1", "id": "north", "key": key})
        if known:
            with pytest.raises(TransactionFailed, match="already-registered"):
                await ledger.submit("origin:PutForeign", call)
        else:
            await ledger.submit("origin:PutForeign", call)


async def test_an_account_is_opened_once_by_its_own_key_and_the_dso() -> None:
    ledger, a, _ = await district()
    await ledger.open(a)  # the same again changes nothing
    stranger = Wallet("acc-s")
    asked = json.loads(stranger.request())
    forged = {**asked, "signature": signature(a.key, b"x").hex()}
    other = json.loads(Wallet(A, "home-2").request())
    for document, creator, reason in (
        (forged, None, "bad-signature"),
        ({**asked, "signature": 7}, "", "malformed-signature"),
        (asked, OPERATOR, "not-permitted"),
        (asked, OTHER, "not-permitted"),
        (other, None, "already-registered"),
        (json.loads(Wallet("acc-t", "nowhere").request()), None, "unknown-site"),
        (json.loads(Wallet("acc-t", "home-1").request()), None, "already-registered"),
    ):
        sent = json.dumps(document).encode()
        transient = {"account": sent, "cell": b"0", **ledger.fresh()}
        with pytest.raises(TransactionFailed, match=reason):
            await ledger.submit("origin:OpenAccount", transient=transient, creator=creator or None)


async def test_every_transaction_brings_a_salt() -> None:
    ledger, a, _ = await district()
    for function, arguments, transient in (
        ("IssueDay", (day_name(0),), {}),
        ("Debit", (), {"debit": b"x", "salt": b"short"}),
        ("OpenAccount", (), {"account": a.request()}),
    ):
        with pytest.raises(TransactionFailed, match="salt-missing"):
            await ledger.submit(f"origin:{function}", *arguments, transient=transient)


async def test_an_accounts_key_is_rotated_by_both_keys() -> None:
    ledger, a, _, certificate = await issued()
    fresh = private_key("next")
    key = {"alg": "ES256", "spki": der.spki_hex(fresh.public_key())}
    asked = {"account": A, "counter": 1, "key": key}
    named = {"network": "pedchain", "channel": "ped", "contract": DOMAIN.contract}
    message = canonical.encode({"domain": named, "body": asked})
    wrong = a.signed("rotate", counter=1, key=key, possession=signature(a.key, message).hex())
    await refused(ledger, wrong, "bad-signature")
    await ledger.debit(a.signed("rotate", key=key, possession=signature(fresh, message).hex()))
    old = a.signed("transfer", certificate=certificate["id"], to=B, counter=2)
    await refused(ledger, old, "bad-signature")
    a.key = fresh
    await ledger.debit(a.signed("transfer", certificate=certificate["id"], to=B))


async def test_a_storage_turns_the_roofs_energy_into_certificates_of_the_evening() -> None:
    """500 Wh charged at noon of the own 500; 300 Wh out at eight in the evening, 200 fed in."""
    home, evening = Storing("home-1"), [200 if hour == 20 else 0 for hour in range(24)]
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(home)
    out = [300 if hour == 20 else 0 for hour in range(24)]
    fed = [a + b for a, b in zip(at_noon(400), evening, strict=True)]
    await ledger.day(
        *registers(home.grid, {"I": at_noon(20), "E": fed}),
        *registers(home.roof, {"G": at_noon(1_200)}),
        *registers(home.battery, {"Ch": at_noon(500), "D": out}),
    )
    wallet = Wallet(A, "home-1")
    await ledger.open(wallet)
    await ledger.issue()
    await ledger.debit(wallet.signed("discharge", day=day_name(0)))
    found = [(c["hour"], c["source"], c["wh"]) for c in await ledger.certificates(A)]
    # 300 Wh out cost 353 Wh of the 500 that went in, all certified: 300 come out certified.
    assert found == [(NOON, "generation", 400), (NOON + 8 * HOUR, "storage", 200)]
    again = wallet.signed("discharge", day=day_name(0), counter=2)
    await refused(ledger, again, "wrong-state")


async def test_a_certificate_given_up_certifies_what_was_charged_from_the_grid() -> None:
    maker, home = Home("home-1"), Storing("home-2")
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(maker, home)
    fed = [170 if hour == 20 else 0 for hour in range(24)]
    await ledger.day(
        *registers(maker.grid, {"I": [0] * 24, "E": at_noon(700)}),
        *registers(maker.roof, {"G": at_noon(700)}),
        *registers(home.grid, {"I": at_noon(250), "E": fed}),
        *registers(home.roof, {"G": [0] * 24}),
        *registers(home.battery, {"Ch": at_noon(200), "D": fed}),
    )
    a, b = Wallet(A, "home-1"), Wallet(B, "home-2")
    await ledger.open(a, b)
    await ledger.issue()
    whole = (await ledger.active(A))[0]
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[200, 210, 290]))
    for wh in (200, 210):
        part = next(c for c in await ledger.active(A) if c["wh"] == wh)
        await ledger.debit(a.signed("transfer", certificate=part["id"], to=B))
    small, large = sorted(await ledger.active(B), key=lambda c: int(c["wh"]))
    await refused(ledger, b.signed("charge", certificate=large["id"], counter=1), "beyond-charge")
    await ledger.debit(b.signed("charge", certificate=small["id"]))
    # The hour's import is 250 Wh: what charged cannot be claimed as well.
    await ledger.debit(b.signed("cancel", certificate=large["id"], **{"for": B}))
    claim = b.signed("claim", certificate=large["id"], counter=3)
    await refused(ledger, claim, "beyond-consumption")
    await ledger.debit(b.signed("discharge", day=day_name(0)))
    stored = [c for c in await ledger.active(B) if c["source"] == "storage"]
    assert [c["wh"] for c in stored] == [170]


@pytest.mark.fault(21)
async def test_nothing_public_names_an_account_a_site_or_an_amount() -> None:
    """Arguments, responses, events, public keys and values of every call of origin."""
    ledger, a, _, whole = await issued(parameters={"group_sites": 15})
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[123, 577]))
    part = (await ledger.active(A))[0]
    await ledger.debit(a.signed("withdraw", certificate=part["id"]))
    outcome = ledger.peer.last
    assert outcome is not None
    shown = outcome.results + outcome.payload
    for secret in (A, B, "home-1", "home-2", whole["id"], "123", "577"):
        assert secret.encode() not in shown
    public = ledger.peer.state(METERING)
    ours = {key: value for key, value in public.items() if key.startswith("\x00origin")}
    assert len(ours) == 4  # how far, the day's totals, and a marker per debit
    for key, value in ours.items():
        for secret in (A, B, "home-1", whole["id"], "700", "900"):
            assert secret not in key
            assert secret.encode() not in value


async def test_no_private_key_of_origin_can_be_guessed() -> None:
    ledger, a, _, whole = await issued()
    await ledger.debit(a.signed("withdraw", certificate=whole["id"]))
    held = {
        hashlib.sha256(key.encode()).hexdigest()
        for key in ledger.peer.private(METERING, "readings")
    }
    parts = [A, B, "home-1", "home-2", "home-1.gen", day_name(0), str(NOON), "0", "1", whole["id"]]
    kinds = [
        "gc",
        "account",
        "holders",
        "issue",
        "claims",
        "storage",
        "origin",
        "exported",
        "h",
        "debit",
    ]
    for kind in kinds:
        for one in ["", *parts]:
            for two in ["", *parts]:
                attributes = [part for part in (one, two) if part]
                key = "\x00" + "\x00".join([kind, *attributes]) + "\x00"
                assert hashlib.sha256(key.encode()).hexdigest() not in held
