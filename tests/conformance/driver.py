# SPDX-License-Identifier: Apache-2.0
"""Runs the steps on a network through its profiles, and notes what it answered."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from pedchain_fabric.client import Commit, Gateway, Transaction, profile
from pedchain_fabric.errors import EndorseError, EndorsementMismatch, GatewayError
from tests.conformance.facts import Fact, Names, key
from tests.conformance.steps import Step

_EVERYONE: Final = frozenset({"DSOMSP", "DistrictAMSP", "DistrictBMSP", "AggregatorMSP"})
_CHANNEL: Final = "ped"
_ADDRESS: Final = re.compile(r"127\.0\.0\.1:\d+")
_UP_TO_DATE_SECONDS: Final = 20.0


class Driver:
    """Keeps what later steps need of earlier ones: held transactions, and names."""

    def __init__(self, gateways: Mapping[str, Gateway], channel: str) -> None:
        self._gateways = gateways
        self._channel = channel
        self._held: dict[str, Transaction] = {}
        self.names = Names()

    async def take(self, step: Step) -> Fact:
        """Do one step; what came of it."""
        if step.kind == "release":
            held = self._held.pop(step.held)
            return {"code": await self._order(held, step.held)}
        network = self._gateways[step.organization].network(self._channel)
        proposal = network.contract(step.chaincode).new_proposal(
            step.function,
            *step.args,
            transient=step.transient,
            endorsing_organizations=step.endorsers,
        )
        self.names.transactions[proposal.transaction_id] = step.name
        try:
            if step.kind == "evaluate":
                return {"payload": self.names.value(await proposal.evaluate())}
            transaction = await proposal.endorse()
        except GatewayError as error:
            return self._refusal(error)
        fact = self._endorsed(transaction)
        if step.kind == "hold":
            self._held[step.name] = transaction
            return fact
        return fact | {"code": await self._order(transaction, step.name)}

    async def _order(self, transaction: Transaction, name: str) -> str:
        status = await (await transaction.submit()).status()
        self.names.blocks[status.block_number] = name
        # A gateway may ask any peer: every one must have the block before the next step.
        async with asyncio.timeout(_UP_TO_DATE_SECONDS):
            await asyncio.gather(
                *(self._commit(gateway, transaction).status() for gateway in self._others())
            )
        return status.code

    def _others(self) -> Sequence[Gateway]:
        return [self._gateways[name] for name in sorted(self._gateways)]

    def _commit(self, gateway: Gateway, transaction: Transaction) -> Commit:
        return gateway.network(self._channel).commit(transaction.transaction_id)

    def _endorsed(self, transaction: Transaction) -> Fact:
        action = transaction.parts.action
        assert action is not None
        event = action.event
        fact: Fact = {
            "payload": self.names.value(action.response.payload),
            "results": self.names.results(action.results),
        }
        if event is not None and event.event_name:
            fact["event"] = [event.chaincode_id, event.event_name, self.names.value(event.payload)]
        return fact

    def _refusal(self, error: GatewayError) -> Fact:
        """The refusal without what depends on which peers were asked."""
        if isinstance(error, EndorsementMismatch):
            raise error
        messages = {self._plain(detail.message) for detail in error.details}
        return {
            "refused": error.code,
            "step": "endorse" if isinstance(error, EndorseError) else "evaluate",
            "message": self._plain(error.message),
            "details": sorted(messages),
        }

    def _plain(self, text: str) -> str:
        return _ADDRESS.sub("<address>", self.names.text(text))


async def run(profiles: Mapping[str, Path], steps: Sequence[Step]) -> dict[str, Fact]:
    """Every step's outcome on the network whose profiles (by organisation) these are."""
    async with AsyncExitStack() as stack:
        gateways = {}
        for organization, path in profiles.items():
            connected = profile.connect(path, trusted_organizations=_EVERYONE)
            gateways[organization] = await stack.enter_async_context(await connected)
        driver = Driver(gateways, _CHANNEL)
        return {key(step): await driver.take(step) for step in steps}
