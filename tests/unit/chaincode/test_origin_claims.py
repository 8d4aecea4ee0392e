# SPDX-License-Identifier: Apache-2.0
"""Claims: of what was made for somebody, in one zone, never more than the site drew (rules G)."""

from typing import Any

import pytest

from pedchain_fabric.shim.testing import CommitRefused
from tests.unit.chaincode.district import METERING, OPERATOR, Home
from tests.unit.chaincode.issuing import A, B, at_noon, issued, refused
from tests.unit.chaincode.wallets import Origin, Wallet, registers


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
