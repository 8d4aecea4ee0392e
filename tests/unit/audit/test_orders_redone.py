# SPDX-License-Identifier: Apache-2.0
"""What orders of demand response hold: the auditor adds it to the balances, and finds what is not
accounted for."""

from dataclasses import replace
from typing import Any

import pytest

from pedchain_audit.errors import VerificationError
from pedchain_fabric.shim.testing import Outcome
from tests.unit.audit.test_settlement_redone import noting, redo
from tests.unit.chaincode.flexing import EVENT, HOUR, Flexible, order


async def history() -> list[Outcome]:
    """An order settled and paid, one taken back, one that lapsed."""
    street = Flexible(2)
    outcomes = noting(street)
    await street.prepare()
    await street.clock(EVENT - 4 * HOUR)
    for name in ("o-2", "o-3"):
        await street.issue(order(id=name, power_w=800))
    await street.revoke("o-2")
    await street.file(16, range(1, 9), {})
    await street.clock(EVENT - 3 * HOUR)
    await street.issue(order(power_w=800, availability=100_000, toe_price=1_000, supplier="dso"))
    await street.accept(800, plant=True)
    await street.seal()
    await street.steps("FreezeOrder")
    await street.dispatch()
    await street.answer(street.homes)
    await street.event({(home.name, hour): 205 for home in street.homes for hour in (12, 13)})
    await street.settle()
    await street.step("LapseOrder", "o-3")
    await street.fold(street.dso)
    return outcomes


@pytest.fixture(scope="module")
async def done() -> list[Outcome]:
    return await history()


def test_every_unit_that_orders_lock_comes_back(done: list[Outcome]) -> None:
    assert redo(done).debits > 5


@pytest.mark.parametrize(
    ("kind", "field"), [("credit", "amount"), ("book", "paid"), ("row", "amount")]
)
def test_a_unit_too_much_is_found(done: list[Outcome], kind: str, field: str) -> None:
    def wants(found: str, document: dict[str, Any]) -> bool:
        settled.append(document.get("schema") == "paid/1")
        ours = any(settled) if kind == "credit" else True
        return found == kind and field in document and bool(document[field]) and ours

    settled: list[bool] = []
    with pytest.raises(VerificationError):
        redo(done, lambda document: {**document, field: document[field] + 1}, wants)


def test_an_order_that_returns_to_an_earlier_state_is_found(done: list[Outcome]) -> None:
    changed = [_returned(outcome) for outcome in done]
    with pytest.raises(VerificationError, match="an order moves from SETTLED"):
        redo(changed)


def _returned(outcome: Outcome) -> Outcome:
    """Payments that put the order back to where it was accepted."""
    spaces = tuple(
        replace(
            space,
            writes=tuple(
                replace(one, value=one.value.replace(b'"state":"SETTLED"', b'"state":"ACCEPTED"'))
                if b'"phase":"paid"' in one.value
                else one
                for one in space.writes
            ),
        )
        for space in outcome.namespaces
    )
    return _Changed(outcome, spaces)  # type: ignore[return-value]  # as `redo` looks at it


class _Changed:
    def __init__(self, outcome: Outcome, spaces: Any) -> None:
        self.namespaces, self.private_namespaces = spaces, outcome.private_namespaces
