# SPDX-License-Identifier: Apache-2.0
"""Waiting for the ledger to grow, and being told when it has."""

import asyncio
from collections.abc import Callable

from pedchain_fabric.embedded.ledger.outcome import BlockOutcome

Listener = Callable[[BlockOutcome], None]


class Heights:
    """The ledger's height, as others wait for it."""

    def __init__(self, height: int) -> None:
        self.height = height
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._listeners: list[Listener] = []

    async def wait(self, height: int) -> None:
        """Return once the ledger has at least `height` blocks."""
        if self.height >= height:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[reached] = height
        try:
            await reached
        finally:
            self._waiting.pop(reached, None)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each commit; the function returned ends that.

        It must not raise: the block is durable by then.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def advance(self, outcome: BlockOutcome) -> None:
        """A block is durable."""
        self.height = outcome.number + 1
        for reached, height in list(self._waiting.items()):
            if self.height >= height and not reached.done():
                reached.set_result(None)
        for listener in tuple(self._listeners):
            listener(outcome)
