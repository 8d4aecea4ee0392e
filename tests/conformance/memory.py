# SPDX-License-Identifier: Apache-2.0
"""Runs the steps on a peer in memory, and notes what it answered in the same form."""

import re
from collections.abc import Sequence

from pedchain_fabric.shim.testing import (
    CommitRefused,
    MemoryPeer,
    Outcome,
    TransactionFailed,
    creator,
)
from tests.conformance.contract import CONTRACTS
from tests.conformance.facts import Fact, Names, key
from tests.conformance.steps import Step

_IDENTIFIER = re.compile(r"\b[0-9a-f]{64}\b")
COLLECTIONS = {"shared": None, "pair": ("DSOMSP", "DistrictAMSP")}


class MemoryDriver:
    """The steps' calls, on one peer."""

    def __init__(self) -> None:
        self._peer = MemoryPeer()
        for name, contracts in CONTRACTS.items():
            made = [contract() for contract in contracts]
            collections = COLLECTIONS if name == "conformance" else {}
            self._peer.install(name, *made, collections=collections)
        self._held: dict[str, Outcome] = {}
        self.names = Names()

    async def take(self, step: Step) -> Fact:
        """Do one step; what came of it."""
        if step.kind == "release":
            return {"code": self._commit(self._held.pop(step.held), step.held)}
        try:
            outcome = await self._peer.endorse(
                step.chaincode,
                step.function,
                *step.args,
                transient=step.transient,
                creator=creator(f"{step.organization}MSP"),
            )
        except TransactionFailed as error:
            message = _IDENTIFIER.sub(f"<{step.name}>", error.message)
            return {"status": error.status, "message": message}
        self.names.transactions[outcome.transaction_id] = step.name
        fact: Fact = {"payload": self.names.value(outcome.payload)}
        if step.kind == "evaluate":
            return fact
        fact["results"] = self.names.results(outcome.results)
        if outcome.event is not None:
            name, payload = outcome.event
            fact["event"] = [step.chaincode, name, self.names.value(payload)]
        if step.kind == "hold":
            self._held[step.name] = outcome
            return fact
        return fact | {"code": self._commit(outcome, step.name)}

    def _commit(self, outcome: Outcome, name: str) -> str:
        try:
            self.names.blocks[self._peer.commit(outcome)] = name
        except CommitRefused as error:
            return error.code
        return "VALID"


async def run(steps: Sequence[Step]) -> dict[str, Fact]:
    """Every step's outcome, without those that turn on policies."""
    driver = MemoryDriver()
    return {key(step): await driver.take(step) for step in steps if not step.policed}
