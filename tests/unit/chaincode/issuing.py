# SPDX-License-Identifier: Apache-2.0
"""A home whose generation at noon is certified, a neighbour who draws, and a wallet of each."""

from typing import Any

import pytest

from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import START, Home
from tests.unit.chaincode.wallets import HOUR, Origin, Wallet, registers

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
