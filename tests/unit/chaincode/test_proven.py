# SPDX-License-Identifier: Apache-2.0
"""A point's proofs, as metering itself makes them, are what settlement takes (rules C5, K10)."""

import json

import pytest

from pedchain_domain import canonical
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import START, Home, day_name
from tests.unit.chaincode.exchange import ORGANIZATIONS, SETTLEMENT, Exchange
from tests.unit.chaincode.settling import Settling
from tests.unit.chaincode.wallets import HOUR, Origin, registers

TEN = START + 10 * HOUR


@pytest.fixture
async def district() -> Origin:
    """A home's first day, metered, folded and closed by run F, with settlement beside it."""
    found = Origin()
    await found.adopt()
    home = Home("home-1")
    await found.register(home)
    flows = {"I": [at * 10 for at in range(24)], "E": [300] * 24}
    records = registers(home.grid, flows) + registers(home.roof, {"G": [500] * 24})
    await found.day(*records)
    return found


async def settlement(district: Origin) -> Exchange:
    """Settlement's contracts on the district's own peer."""
    found = Settling()
    found.peer = district.peer
    district.peer.install(SETTLEMENT, *found.contracts(), collections={"book": ORGANIZATIONS})
    await found.begin()
    return found


async def test_what_metering_certified_is_what_settlement_takes(district: Origin) -> None:
    exchange = await settlement(district)
    proof = await district.ask("GetProof", "home-1.gcp", day_name(0), str(TEN))
    transient = exchange.fresh(proofs=json.dumps([proof]).encode())
    await exchange.submit("market:AttachCertificate", transient=transient)
    kept = [
        canonical.decode(value[16:])
        for key, value in district.peer.private(SETTLEMENT, "book").items()
        if key.startswith("\x00book\x00")
    ]
    assert {"registers": {"E": [[300], True], "I": [[100], True]}} in kept


async def test_an_hour_shown_wrongly_is_refused(district: Origin) -> None:
    exchange = await settlement(district)
    proof = await district.ask("GetProof", "home-1.gcp", day_name(0), str(TEN))
    proof["shown"] = proof["shown"].replace("300", "900")
    transient = exchange.fresh(proofs=json.dumps([proof]).encode())
    with pytest.raises(TransactionFailed, match="malformed-document"):
        await exchange.submit("market:AttachCertificate", transient=transient)
