# SPDX-License-Identifier: Apache-2.0
"""Certificates that leave for another registry: locked, and gone on its receipt alone."""

import json

import pytest

from pedchain_domain import der
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import DAY, START, day_name
from tests.unit.chaincode.issuing import A, B, issued, refused
from tests.unit.chaincode.wallets import foreign, private_key, receipt, signature


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


async def test_who_bought_a_certificate_says_which_site_it_is_of() -> None:
    ledger, a, b, certificate = await issued()
    await ledger.submit("origin:PutForeign", foreign())
    await ledger.debit(a.signed("transfer", certificate=certificate["id"], to=B))
    (bought,) = await ledger.active(B)
    lock = b.signed("lock", certificate=bought["id"], registry="north")
    for sent in ({}, {"site": b"home-2"}, {"site": b"nowhere"}):
        with pytest.raises(TransactionFailed, match="not-owner: site"):
            await ledger.debit(lock, **sent)
    await ledger.debit(lock, site=b"home-1")
    assert [one["state"] for one in await ledger.certificates(B)] == ["locked"]


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
