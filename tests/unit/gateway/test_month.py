# SPDX-License-Identifier: Apache-2.0
"""A community's day and a member's month, through the contracts on a peer in memory."""

import csv
from decimal import Decimal
from typing import Any

import pytest

from pedchain_chaincode.settlement import limits
from pedchain_fabric.shim.testing import TransactionFailed
from pedchain_gateway.ledger.port import Committed, Refused
from pedchain_gateway.market.month import Months
from tests.unit.chaincode.marketplace import NOON
from tests.unit.chaincode.settling import ENDS
from tests.unit.chaincode.test_sharing import EXAMPLE, Sharing, terms

DAY, MONTH = "2026-01-02", "2026-01"
TARIFF = {"schema": "tariff/1", "version": "t1", "import": 90_000, "shared": 50_000, "bought": 0}


class InMemory:
    """The ledger port on a peer in memory."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        try:
            found: bytes = await self.peer.evaluate(definition, function, *arguments)
        except TransactionFailed as error:
            raise Refused(error.message.split(":")[0]) from error
        return found

    async def submit(
        self, definition: str, function: str, *arguments: str, transient: Any = None
    ) -> Committed:
        try:
            answer = await self.peer.submit(definition, function, *arguments, transient=transient)
        except TransactionFailed as error:
            raise Refused(error.message.split(":")[0]) from error
        return Committed("tx", answer)


@pytest.fixture
async def street() -> Sharing:
    """The rules' example of an hour, measured and shown; the day's other hours are not."""
    found = Sharing()
    await found.prepare()
    await found.gather(EXAMPLE, terms())
    await found.void()
    await found.show(EXAMPLE, even=False)
    return found


def months(street: Sharing, said: list[str]) -> Months:
    ledger: Any = InMemory(street.peer)
    return Months(ledger, said.append)


async def test_a_day_is_shared_up_to_the_hour_that_nobody_showed(street: Sharing) -> None:
    said: list[str] = []
    with pytest.raises(Refused, match="not-attached"):
        await months(street, said).share("street", DAY)
    with pytest.raises(Refused, match="unknown-day"):
        await months(street, said).share("street", "2027-01-01")


async def test_a_members_month_has_every_line_and_the_bank_gets_what_balances(
    street: Sharing,
) -> None:
    await street.share()
    work = months(street, [])
    found = await work.statement("a", MONTH, TARIFF)
    lines = {line["kind"]: (line["wh"], line["amount"]) for line in found["lines"]}
    assert lines["shared-in"] == (250, -30_000)
    assert lines["grid-import"] == (50, 0)
    assert lines["fees"] == (0, -(50 * 90 + 250 * 50))
    assert (found["run"], found["rules"]["tariff"], len(found["proof"])) == ("F", "t1", 1)
    names = {name: f"ref-{name}" for name in EXAMPLE}
    await street.spend(street.people["c"], "tokens", "Redeem", "redeem", amount=1_000_000)
    rows = (await work.bank_file(MONTH, names)).splitlines()
    assert "2026-01,c,ref-c,pay,0.940120" in rows
    assert "2026-01,p1,ref-p1,pay,0.096000" in rows


async def test_postings_are_hour_by_hour_what_statements_sum_up(street: Sharing) -> None:
    await street.share()
    work = months(street, [])
    found = list(csv.DictReader((await work.postings(MONTH, [*EXAMPLE, "a"])).splitlines()))
    mine = {(row["posting"], row["kwh"], row["amount"]) for row in found if row["account"] == "a"}
    assert mine == {("grid-import", "0.050", "0.000000"), ("shared-in", "0.250", "-0.030000")}
    assert {row["hour"] for row in found} == {"2026-01-02T12:00Z"}
    assert sum(Decimal(row["amount"]) for row in found) == 0
    for account in EXAMPLE:
        said = await work.statement(account, MONTH, {**TARIFF, "import": 0, "shared": 0})
        posted = sum(Decimal(row["amount"]) for row in found if row["account"] == account)
        assert posted * 1_000_000 == said["total"]


async def test_a_day_is_forgotten_once_its_retention_is_over(street: Sharing) -> None:
    await street.share()
    work = months(street, [])
    with pytest.raises(Refused, match="too-early"):
        await work.forget(["street"], DAY)
    await street.submit("tokens:BeginPeriod")
    await street.clock(ENDS + limits.RETENTION + limits.PERIOD)
    debits = len(await street.ask("tokens:ListDebits", "0", ""))
    assert await work.forget(["street"], DAY) == 2 + debits > 2
    assert await work.forget(["street"], DAY) == 0
    with pytest.raises(TransactionFailed, match="not-found"):
        await street.ask("sharing:GetShared", "street", str(NOON))
