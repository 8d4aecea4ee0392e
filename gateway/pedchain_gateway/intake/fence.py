# SPDX-License-Identifier: Apache-2.0
"""The open filing period of each district, remembered for a while.

A batch filed under a sealed period is refused or fails as read conflict; either way the period is
asked again. So remembering it costs at most one wasted transaction a day.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Unavailable

SEALED = frozenset({"period-sealed", "period-not-open"})
"""Reasons by which the contract says that the period given is not the open one."""


@dataclass(frozen=True, slots=True)
class _Seen:
    period: int
    at: float


class Fence:
    """Open periods by district. `definitions` names each district's chaincode definition."""

    def __init__(
        self,
        ledger: Ledger,
        definitions: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._definitions = definitions
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._asking = {district: asyncio.Lock() for district in definitions}

    async def period(self, district: str) -> int:
        """The open period. Raises what `Ledger.evaluate` raises."""
        async with self._asking[district]:
            seen = self._seen.get(district)
            if seen is None or self._clock() - seen.at > limits.FENCE_FRESH_S:
                answer = await self._ledger.evaluate(self._definitions[district], "GetFence")
                seen = self._seen[district] = _Seen(read_period(answer), self._clock())
            return seen.period

    def forget(self, district: str, period: int) -> None:
        """This period turned out to be sealed: ask before the next batch."""
        seen = self._seen.get(district)
        if seen is not None and seen.period == period:
            del self._seen[district]


def read_period(answer: bytes) -> int:
    """The period in an answer of `GetFence`."""
    try:
        document = canonical.decode(answer)
    except canonical.CanonicalError as error:
        raise Unavailable("the fence's answer cannot be read") from error
    period = document.get("period") if isinstance(document, dict) else None
    if type(period) is not int:
        raise Unavailable("the fence's answer cannot be read")
    return period
