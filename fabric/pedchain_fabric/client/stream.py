# SPDX-License-Identifier: Apache-2.0
"""What a peer sends for as long as we listen, as an async iterator that ends cleanly."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import grpc.aio

from pedchain_fabric.client.status import CLOSED, describe
from pedchain_fabric.errors import GatewayError

R = TypeVar("R")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)


class _Call(Protocol[R_co]):
    """The half of a gRPC call that is read."""

    async def read(self) -> "R_co | object": ...

    def cancel(self) -> bool: ...


class Responses(Generic[R]):
    """The responses of a call, until either side ends it."""

    def __init__(self, call: _Call[R]) -> None:
        self._call = call
        self._cancelled = False

    async def read(self) -> R | None:
        """The next response; None at the end, also when cancelled. Raises `GatewayError`."""
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise GatewayError(*describe(error)) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            if self._cancelled:
                return None
            raise GatewayError(*CLOSED) from error  # the channel was closed
        # The stubs call the end mark an object, and so every response.
        return None if response is grpc.aio.EOF else response  # type: ignore[return-value]

    def cancel(self) -> None:
        """End the call; a read under way returns None."""
        self._cancelled = True
        self._call.cancel()


class Stream(AsyncIterator[T], Generic[R, T]):
    """Events or blocks in order.

    Opened by `async with`, or else by the first step of an iteration. Closed by the end of the
    `async with`, or `aclose`, which also ends an iteration under way in another task. There is
    no reconnecting: after a `GatewayError` open another one from your checkpoint.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[Responses[R]]],
        unpack: Callable[[R], Sequence[T] | None],
    ) -> None:
        self._start = start
        self._unpack = unpack
        self._responses: Responses[R] | None = None
        self._pending: deque[T] = deque()
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._pending:
            response = None if self._closed else await (await self._open()).read()
            items = None if response is None else self._unpack(response)
            if items is None:
                await self.aclose()
                raise StopAsyncIteration
            self._pending.extend(items)
        return self._pending.popleft()

    async def aclose(self) -> None:
        """Tell the peer to stop. What was received and not taken is dropped."""
        self._closed = True
        self._pending.clear()
        if self._responses is not None:
            self._responses.cancel()

    async def _open(self) -> Responses[R]:
        if self._responses is None:
            self._responses = await self._start()
        return self._responses
