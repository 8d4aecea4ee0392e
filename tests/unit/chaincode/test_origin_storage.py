# SPDX-License-Identifier: Apache-2.0
"""Storage: what was certified when it went in comes out certified."""

from tests.unit.chaincode.district import Home, day_name
from tests.unit.chaincode.issuing import NOON, A, B, at_noon, refused
from tests.unit.chaincode.wallets import HOUR, Origin, Storing, Wallet, registers


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
