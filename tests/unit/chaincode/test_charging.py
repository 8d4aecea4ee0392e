# SPDX-License-Identifier: Apache-2.0
"""A charger's OCMF transactions from the gateway to the certificate's detail (rules R1, R7)."""

import json
from typing import Any

from pedchain_domain import ocmf
from pedchain_domain.reasons import Reason, status_of
from tests.unit.chaincode.district import START, Home, Ledger, Meter, point, signed
from tests.unit.chaincode.test_runs import closed, hourly, opened

HOUR = 3_600
OBIS = "1-0:1.8.0*255"


async def charging() -> tuple[Ledger, Meter]:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    charger = Meter("home-1.ev", "home-1.evse", ("I",))
    documents: list[dict[str, Any]] = [
        point("home-1.evse", "home-1", "EVSE"),
        charger.document(registers={OBIS: {"role": "Ch"}}),
    ]
    await ledger.submit("Register", json.dumps(documents))
    await ledger.file(*hourly(home, 0, 0))
    return ledger, charger


def transaction(meter: Meter, counter: int, *knots: tuple[int, str, int]) -> bytes:
    payload = ocmf.build(
        device=meter.name,
        counter=counter,
        readings=[(at, OBIS, str(wh), "Wh") for at, _, wh in knots],
        network="pedchain",
        channel="ped",
        reasons={at: reason for at, reason, _ in knots},
    )
    return signed(payload, meter.key)


async def test_a_transaction_is_recorded_uncertifiable_and_charged_as_detail() -> None:
    ledger, charger = await charging()
    begin = START + HOUR + 1_800
    record = transaction(charger, 1, (begin, "B", 100), (begin + HOUR, "E", 6_100))
    assert await ledger.file(record) == [status_of(Reason.NOT_CERTIFIABLE)]
    await ledger.fold(await ledger.seal())
    certificate = await closed(ledger, 0)
    assert certificate["detail"] == {"EVSE.Ch": 6_000}
    assert certificate["electricity"]["import_wh"] == 24 * 300
    assert certificate["classes"]["G"] == 0
    found = await ledger.ask("GetRecord", charger.name, "1")
    assert [(one["context"], one["status"]) for one in found["verdicts"]] == [
        ("T", "recorded-not-certifiable")
    ]


async def test_a_transaction_sent_again_or_changed_charges_once() -> None:
    ledger, charger = await charging()
    record = transaction(charger, 1, (START, "B", 0), (START + HOUR, "E", 1_000))
    other = transaction(charger, 1, (START, "B", 0), (START + HOUR, "E", 9_000))
    for one in (record, record, other):
        await ledger.file(one)
        await ledger.fold(await ledger.seal())
    assert (await closed(ledger, 0))["detail"] == {"EVSE.Ch": 1_000}
    found = await ledger.ask("GetRecord", charger.name, "1")
    statuses = [one["status"] for one in found["verdicts"]]
    assert statuses == ["conflict", "recorded-not-certifiable"]


async def test_a_late_transaction_amends_the_day() -> None:
    ledger, charger = await charging()
    await ledger.fold(await ledger.seal())
    first = await closed(ledger, 0)
    await ledger.file(transaction(charger, 1, (START, "B", 0), (START + HOUR, "E", 1_000)))
    await ledger.fold(await ledger.seal())
    second = await closed(ledger, 0, "F")
    assert "EVSE.Ch" not in first["detail"] or first["detail"]["EVSE.Ch"] == 0
    assert second["detail"] == {"EVSE.Ch": 1_000}
    assert "detail.EVSE.Ch" in second["amends"]["changed"]
