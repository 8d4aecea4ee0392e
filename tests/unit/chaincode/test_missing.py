# SPDX-License-Identifier: Apache-2.0
"""A peer that lacks private data (gossip is behind) refuses; it never goes on without it."""

import pytest

from pedchain_chaincode.metering.contract import MeteringContract
from pedchain_fabric.shim import Context, Contract, submit
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import METERING, START, Home, Ledger, day_name


class Eraser(Contract):
    """Takes private documents away under the contract's own name."""

    name = "eraser"

    @submit
    async def erase(self, ctx: Context, key: str) -> None:
        await ctx.stub.purge_private("readings", key)


async def without(ledger: Ledger, kind: str) -> None:
    """Remove every private document whose key is of a kind."""
    ledger.peer.install(METERING, Eraser(), collections=["readings"])
    for key in ledger.peer.private(METERING, "readings"):
        if key.startswith(f"\x00{kind}\x00"):
            await ledger.submit("Erase", key)
    ledger.peer.install(METERING, MeteringContract(), collections=["readings"])


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    home = Home("home-1", "P0")
    await ledger.register(home)
    for hour in range(25):
        at = START + hour * 3_600
        await ledger.file(home.grid.record([(at, "I", 300 * hour), (at, "E", 0)]))
    return ledger


async def test_a_fold_without_its_batches_is_refused(ledger: Ledger) -> None:
    period = await ledger.seal()
    await without(ledger, "batch")
    with pytest.raises(TransactionFailed, match="private-data-missing"):
        await ledger.fold(period)


async def test_a_close_without_its_folds_or_its_secret_is_refused(ledger: Ledger) -> None:
    await ledger.fold(await ledger.seal())
    await without(ledger, "secret")
    with pytest.raises(TransactionFailed, match="private-data-missing"):
        await ledger.close(day_name(0))
