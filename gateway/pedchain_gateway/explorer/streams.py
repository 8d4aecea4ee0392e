# SPDX-License-Identifier: Apache-2.0
"""Server-sent events: bounded in number and time, alive while nothing happens, ended with us.

A stream ends after some minutes; clients come again by themselves and name the last id they saw.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi.responses import StreamingResponse

from pedchain_gateway import limits
from pedchain_gateway.ledger.port import LedgerError
from pedchain_gateway.service.problems import Problem, ProblemError


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its checkpoint, its name, its data."""

    id: str
    name: str
    data: Any


class Streams:
    """Counts the streams that are open, and ends them when the service is to end."""

    def __init__(self) -> None:
        self.open = 0
        self.ending = False

    def response(self, events: AsyncGenerator[Told]) -> StreamingResponse:
        """The stream as an answer. Raises `ProblemError` where too many are open."""
        if self.open >= limits.STREAMS_MAX:
            raise ProblemError(Problem.OVERLOADED)
        return StreamingResponse(
            self._lines(events),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _lines(self, events: AsyncGenerator[Told]) -> AsyncIterator[bytes]:
        self.open += 1
        until, spoken = time.monotonic() + limits.STREAM_S, time.monotonic()
        waiting: asyncio.Future[Told] | None = None
        try:
            yield b"retry: 2000\n\n"
            while not self.ending and time.monotonic() < until:
                waiting = waiting or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait([waiting], timeout=limits.STREAM_LOOK_S)
                if done:
                    told, waiting = waiting.result(), None
                    yield line(told)
                    spoken = time.monotonic()
                elif time.monotonic() - spoken > limits.STREAM_ALIVE_S:
                    yield b": alive\n\n"
                    spoken = time.monotonic()
        except (LedgerError, StopAsyncIteration):
            return  # clients come again with the last id they saw
        finally:
            self.open -= 1
            if waiting is not None:
                waiting.cancel()
                await asyncio.wait([waiting])
            await events.aclose()


def line(told: Told) -> bytes:
    """An event as it goes over the wire."""
    data = json.dumps(told.data, separators=(",", ":"))
    return f"id: {told.id}\nevent: {told.name}\ndata: {data}\n\n".encode()
