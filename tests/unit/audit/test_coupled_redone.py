# SPDX-License-Identifier: Apache-2.0
"""Two coupled zones, redone: the auditor finds the same flow, trades and rent, and every change."""

from collections.abc import Callable
from typing import Any

import pytest

from pedchain_audit.errors import VerificationError
from pedchain_fabric.shim.testing import Outcome
from tests.unit.audit.test_settlement_redone import Change, first_row, more, noting, redo
from tests.unit.chaincode.test_coupled import ALL, RULES, Coupled, limits


async def history(*rows: list[int]) -> list[Outcome]:
    """Both zones from their limits to what everybody took."""
    market = Coupled()
    outcomes = noting(market)
    await market.prepare()
    await market.put(*rows)
    await market.place(*RULES)
    await market.clear_both()
    await market.settle_both({**ALL, "art": (700, 0)})
    return outcomes


@pytest.mark.parametrize("flow", [300, 1_200, 0])
async def test_two_zones_are_redone(flow: int) -> None:
    done = await history([flow, 1])
    assert redo(done).sessions == 2


@pytest.fixture(scope="module")
async def congested() -> list[Outcome]:
    return await history([300, 0])


def _rent(one: dict[str, Any]) -> dict[str, Any]:
    rows = [[*row[:9], row[9] + 1] if len(row) > 9 else row for row in one["trades"]]
    return {**one, "trades": rows}


def _crosses(_kind: str, one: dict[str, Any]) -> bool:
    return any(len(row) in (5, 10) for row in one.get("trades", ()))


CHANGES: dict[str, tuple[Change, Callable[[str, dict[str, Any]], bool], str]] = {
    "the rent": (more("amount"), lambda kind, one: kind == "credit" and one["amount"] < 10**5,
                 "balances"),
    "a trade across": (first_row("trades"), lambda kind, one: _crosses(kind, one)
                       and "price" in one, "trades"),
    "its rent": (_rent, lambda kind, one: _crosses(kind, one) and "price" not in one,
                 "settlement"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(CHANGES))
def test_a_changed_document_is_found(congested: list[Outcome], what: str) -> None:
    change, wants, text = CHANGES[what]
    with pytest.raises(VerificationError, match=text):
        redo(congested, change, wants)


async def test_zones_cleared_apart_without_their_limits_are_found() -> None:
    """As if the endorsers had not looked at what the system operator published."""
    market = Coupled()
    outcomes = noting(market)
    await market.prepare()
    await market.place(*RULES)
    await market.clear_both()
    late = Coupled()
    published = noting(late)
    await late.prepare()
    before = len(published)
    await late.submit("market:PutLimits", limits([300, 0]))
    opened = next(at for at, each in enumerate(outcomes) if b"\x00ask\x00" in each.private_results)
    with pytest.raises(VerificationError, match="coupled"):
        redo([*outcomes[:opened], *published[before:], *outcomes[opened:]])
