# SPDX-License-Identifier: Apache-2.0
"""What origin keeps from the public: accounts, sites, amounts, and the names of its keys."""

import hashlib

import pytest

from tests.unit.chaincode.district import METERING, day_name
from tests.unit.chaincode.issuing import NOON, A, B, issued


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
