# SPDX-License-Identifier: Apache-2.0
"""What large batches are told of their devices' cells."""

import json

from pedchain_gateway import limits
from pedchain_gateway.intake.cells import Cells
from pedchain_gateway.ledger.port import Unavailable
from tests.unit.gateway.conftest import FakeLedger

NAMES = [f"meter-{number}" for number in range(limits.DEVICES_TOLD_MIN)]


def cells(ledger: FakeLedger) -> Cells:
    return Cells(ledger, {"A": "metering-A"})


async def test_a_large_batch_is_told_its_cells_and_a_device_is_asked_for_once() -> None:
    ledger = FakeLedger()
    ledger.answers["GetCells", json.dumps(NAMES)] = json.dumps([n % 3 for n in range(40)]).encode()
    asked = cells(ledger)
    assert await asked.told("A", [*NAMES, NAMES[0]]) == {"cells": b"0,1,2"}
    assert await asked.told("A", NAMES) == {"cells": b"0,1,2"}
    assert len(ledger.calls) == 1


async def test_a_small_batch_is_told_nothing_and_nobody_is_asked() -> None:
    ledger = FakeLedger()
    assert await cells(ledger).told("A", NAMES[1:]) == {}
    assert ledger.calls == []


async def test_without_an_answer_a_batch_goes_without_cells() -> None:
    ledger = FakeLedger()
    for answer in (Unavailable("down"), b"{}", b"[]", b"]", json.dumps([None] * 40).encode()):
        ledger.answers["GetCells", json.dumps(NAMES)] = answer
        assert await cells(ledger).told("A", NAMES) == {}
