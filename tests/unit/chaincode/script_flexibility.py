# SPDX-License-Identifier: Apache-2.0
"""One order of demand response from consent to payment, printed call by call as digests.

Run as `python -m tests.unit.chaincode.script_flexibility`; two runs anywhere must print the same.
"""

import asyncio
import json
import sys
from typing import Any

from pedchain_domain.flexibility import papers
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import DAY, DSO, METERING, START
from tests.unit.chaincode.exchange import SETTLEMENT
from tests.unit.chaincode.flexing import EVENT, Flexible, order
from tests.unit.chaincode.script import digest
from tests.unit.chaincode.test_flexibility_corrected import closed


class Printing(Flexible):
    """Prints what each endorsed call would send to be ordered."""

    def __init__(self, homes: int) -> None:
        super().__init__(homes)
        self.lines: list[str] = []
        endorse = self.peer.endorse

        async def noted(chaincode: str, function: str, *args: Any, **options: Any) -> Any:
            try:
                outcome = await endorse(chaincode, function, *args, **options)
            except TransactionFailed as error:
                self.lines.append(f"{chaincode} {function} {error.status} {error.message}")
                raise
            parts = (outcome.payload, outcome.results, outcome.private_results)
            shown = " ".join(digest(part) for part in parts)
            self.lines.append(f"{chaincode} {function} {shown}")
            return outcome

        self.peer.endorse = noted


async def run() -> list[str]:
    """All calls of demand response, and what they leave."""
    street = Printing(3)
    await street.prepare()
    first, second, third = street.homes
    document = json.dumps({"site": third.name, "protected": True}).encode()
    await street.metering("flexibility:ProtectSite", by=DSO, document=document)
    body = {"schema": "withdrawal/1", "site": third.name, "device": third.grid.name}
    withdrawal = {**body, "provider": "aggregator", "to": EVENT + 86_400}
    paper = street.paper(withdrawal, third.grid)
    await street.metering("flexibility:WithdrawSite", withdrawal=paper)
    street.peer.now = START
    away = {"schema": "absence/1", "first": "2026-01-05", "last": "2026-01-06"}
    await street.declare(first, **away)
    await street.declare(second, schema="schedule/1", day="2026-01-17", values=[600] * 24)
    street.peer.now = START + 40 * DAY
    await street.clock(START)
    for name in ("o-2", "o-3"):
        await street.issue(order(id=name, power_w=800))
    await street.revoke("o-2")
    await street.file(16, range(1, 9), {})
    await street.clock(EVENT - 3 * 3_600)
    await street.issue(order(power_w=800, availability=1_000))
    await street.accept(800, plant=True)
    await street.seal()
    await street.steps("FreezeOrder")
    await street.dispatch()
    await street.answer([first, second])
    await street.answer([first], papers.OPT_OUT)
    await street.answer([first])
    await street.reduce()
    wh = {(home.name, hour): 210 for home in (first, second) for hour in (12, 13)}
    await street.file(16, range(9, 13), wh)
    await closed(street)
    await street.step("LapseOrder", "o-3")
    await street.statement(first)
    await street.file(16, range(13, 24), wh)
    await street.file(17, [0], {})
    await street.seal()
    pool = str((await street.correct())["pools"]["DistrictA"])
    await street.owe(street.dso)
    await street.owe(street.provider, "DistrictA")
    await street.look("flexibility:GetCorrection", "o-1", first.name, "0", pool)
    for ask in ("GetPlan", "ListSites"):
        await street.look(f"flexibility:{ask}", "o-1")
    for ask in ("GetDispatch", "GetAnswer"):
        await street.look(f"flexibility:{ask}", "o-1", first.name)
    await street.look("flexibility:GetEnrolments", third.name)
    await street.look("flexibility:GetFigure", first.name, "2026-01-17")
    await street.look("flexibility:GetSharedDay", "2026-01-17")
    await street.look("flexibility:GetSubjectDay", first.name, "2026-01-17")
    street.peer.now = START + 200 * DAY
    cell = json.loads(street.peer.state(METERING)[f"\x00site\x00{first.name}\x00"])["cell"]
    for what in ({"day": "2026-01-17"}, {"month": "2026-01"}):
        subject = json.dumps({"site": first.name, "cell": cell, **what}).encode()
        await street.metering("flexibility:Erase", subject=subject)
    while await street.metering("flexibility:Purge", "days", "2026-01-02") != b"done":
        pass
    await street.ask("flexibility:GetOutcomeOf", "o-1")
    await street.ask("flexibility:ListOrdersIssued", "")
    await street.ask("flexibility:ListOrdersAhead", "", "")
    asked = json.dumps([{"order": "o-1", "site": first.name}])
    await street.look("flexibility:GetDispatches", asked)
    held = [street.peer.state(SETTLEMENT), street.peer.private(SETTLEMENT, "book")]
    held += [street.peer.state(METERING), street.peer.private(METERING, "flex")]
    for place in held:
        whole = json.dumps([[key, digest(value)] for key, value in place.items()])
        street.lines.append(f"state {digest(whole.encode())}")
    return street.lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(asyncio.run(run())) + "\n")
