# SPDX-License-Identifier: Apache-2.0
"""Calls at the same moment that are in each other's way."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pedchain_gateway.ledger.port import Invalid, Mismatch, Refused, Unavailable
from tests.scenarios.onnetwork import LAGGING
from tests.scenarios.trading import Trading
from tests.unit.chaincode.exchange import Prosumer


async def together(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    """All at once; what each gave or failed with."""
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def race(calls: Callable[[], Sequence[Awaitable[Any]]]) -> list[Any]:
    """Together; once more while none counts, since peers may lag behind what went before."""
    end = asyncio.get_running_loop().time() + 30
    while True:
        results = await together(calls())
        won = any(not isinstance(each, BaseException) for each in results)
        if won or asyncio.get_running_loop().time() > end:
            return results


async def insist(
    market: Trading, who: Prosumer, terms: dict[str, Any], by: str, failures: Counter[str]
) -> None:
    """Place an order; what a busy machine refuses meanwhile is sent again, and counted by kind."""
    signed = who.signed("market", "register-order", terms)
    for pause in range(8):
        try:
            await market.once("market:RegisterOrder", by=by, debit=signed)
            break
        except (Invalid, Mismatch, Refused, Unavailable) as error:
            failures[type(error).__name__] += 1
            if isinstance(error, Refused) and error.reason not in LAGGING:
                raise
            await asyncio.sleep(pause)
    who.counter += 1
