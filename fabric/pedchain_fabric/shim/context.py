# SPDX-License-Identifier: Apache-2.0
"""What a contract's method is given: the stub, the client, and threads for heavy work."""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, TypeVar

from pedchain_fabric.shim.clientidentity import ClientIdentity
from pedchain_fabric.shim.stub import Stub

T = TypeVar("T")
R = TypeVar("R")

WORKERS: Final = os.cpu_count() or 1


class Context:
    """One call: `stub` to read and write, `client` who asks."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub

    @cached_property
    def client(self) -> ClientIdentity:
        """Who sent the transaction."""
        return ClientIdentity(self.stub.creator)

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


def _each(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [function(item) for item in items]
