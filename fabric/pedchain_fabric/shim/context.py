# SPDX-License-Identifier: Apache-2.0
"""What a contract's method is given: the stub, the client, and ways to do heavy work."""

import asyncio
import os
import weakref
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, TypeVar

from pedchain_fabric.shim.clientidentity import ClientIdentity
from pedchain_fabric.shim.errors import StubError
from pedchain_fabric.shim.stub import Stub

T = TypeVar("T")
R = TypeVar("R")

WORKERS: Final = os.cpu_count() or 1
SLICE: Final = 32
"""Items worked through before other transactions' messages are taken: some milliseconds."""

_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]
_turns = weakref.WeakKeyDictionary()


class Context:
    """One call: `stub` to read and write, `client` who asks."""

    def __init__(self, stub: Stub, msp_id: str = "") -> None:
        self.stub = stub
        self._msp_id = msp_id

    @cached_property
    def client(self) -> ClientIdentity:
        """Who sent the transaction."""
        return ClientIdentity(self.stub.creator)

    @property
    def peer_msp_id(self) -> str:
        """The organisation whose peer this chaincode serves, as its operator has set it (`Package`,
        or the variable CORE_PEER_LOCALMSPID). Raises `StubError` if nobody has.

        Other organisations see another: no result may depend on it, but which private data to
        look for.
        """
        found = self._msp_id or os.environ.get("CORE_PEER_LOCALMSPID", "")
        if not found:
            raise StubError("'CORE_PEER_LOCALMSPID' is not set")
        return found

    async def in_threads(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """`[function(item) for item in items]`, in threads, in the order of `items`.

        For pure functions that release the interpreter, such as checking signatures; other
        transactions go on meanwhile. Raises what the first failing item, in order, raised.
        """
        size = max(1, -(-len(items) // WORKERS))
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        results = await asyncio.gather(
            *(asyncio.to_thread(_each, function, part) for part in parts),
            return_exceptions=True,
        )
        done: list[R] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            done += result
        return done

    async def in_slices(
        self, function: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]
    ) -> list[R]:
        """`function(items)` a slice at a time, in the order of `items`; the messages of other
        transactions are taken in between.

        For pure functions that hold the interpreter, which threads would only take from each
        other. Long lists take turns: a transaction that is through frees its peer's commits, two
        half done hold them both up. What fits into a slice goes at once.
        """
        if len(items) <= SLICE:
            return list(function(items))
        done: list[R] = []
        async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            for start in range(0, len(items), SLICE):
                done += function(items[start : start + SLICE])
                await asyncio.sleep(0)
        return done


def _each(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [function(item) for item in items]
