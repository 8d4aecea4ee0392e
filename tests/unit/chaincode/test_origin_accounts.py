# SPDX-License-Identifier: Apache-2.0
"""Accounts of origin: opened once, by their own key and the DSO; rotated by both keys."""

import json

import pytest

from pedchain_domain import canonical, der
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import OPERATOR, OTHER
from tests.unit.chaincode.issuing import A, B, district, issued, refused
from tests.unit.chaincode.wallets import DOMAIN, Wallet, private_key, signature


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
