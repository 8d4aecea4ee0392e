# SPDX-License-Identifier: Apache-2.0
"""Debits: each guard has its reason, states go one way, one of two in flight counts (rules G)."""

from typing import Any

import pytest

from pedchain_domain import canonical, debit
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import METERING, OPERATOR, day_name
from tests.unit.chaincode.issuing import A, B, district, issued, refused
from tests.unit.chaincode.wallets import signature


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


async def test_every_transaction_brings_a_salt() -> None:
    ledger, a, _ = await district()
    for function, arguments, transient in (
        ("IssueDay", (day_name(0),), {}),
        ("Debit", (), {"debit": b"x", "salt": b"short"}),
        ("OpenAccount", (), {"account": a.request()}),
    ):
        with pytest.raises(TransactionFailed, match="salt-missing"):
            await ledger.submit(f"origin:{function}", *arguments, transient=transient)
