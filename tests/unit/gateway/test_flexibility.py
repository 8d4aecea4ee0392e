# SPDX-License-Identifier: Apache-2.0
"""What a gateway says about orders of demand response before it sends anything."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import canonical
from pedchain_gateway.demandresponse.flexibility import Flexibility
from pedchain_gateway.ledger.port import Refused
from pedchain_gateway.market.trader import Trader, Wallet
from tests.unit.gateway.conftest import FakeLedger


def knowing(**order: Any) -> tuple[Flexibility, FakeLedger]:
    """A gateway whose ledger holds one order."""
    ledger = FakeLedger()
    found = {"state": "SETTLED", "districts": {}, "result": {"pools": {"DistrictA": 5}}, **order}
    ledger.answers["flexibility:GetOrder", "o-1"] = canonical.encode(found)
    return Flexibility(ledger, "ped", lambda _: None), ledger


@pytest.mark.parametrize("state", ["ISSUED", "REVOKED", "LAPSED"])
async def test_an_order_without_a_delivery_is_not_settled(state: str) -> None:
    flexibility, ledger = knowing(state=state, result=None)
    with pytest.raises(Refused, match="wrong-state"):
        await flexibility.settle("o-1")
    assert ledger.filed == []


async def test_a_statement_is_shown_once_the_order_is_settled() -> None:
    flexibility, _ = knowing(result=None)
    with pytest.raises(Refused, match="not-measured"):
        await flexibility.statement("o-1", "DistrictA", "home-1")


async def test_a_district_that_was_not_asked_has_no_statement() -> None:
    flexibility, _ = knowing()
    with pytest.raises(Refused, match="unknown-district"):
        await flexibility.statement("o-1", "DistrictB", "home-1")


async def test_a_correction_is_computed_before_it_is_paid() -> None:
    flexibility, ledger = knowing(order={"issuer": "dso", "provider": "aggregator"})
    trader = Trader(ledger, "ped", Wallet("dso", ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(Refused, match="not-measured"):
        await flexibility.pay_correction(trader, "o-1")
    assert ledger.filed == []
