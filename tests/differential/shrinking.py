# SPDX-License-Identifier: Apache-2.0
"""Fewer steps that still are answered differently by two networks."""

from collections.abc import Awaitable, Callable, Sequence

from tests.differential.steps import Step

Differs = Callable[[Sequence[Step]], Awaitable[bool]]


async def shrink(steps: Sequence[Step], differs: Differs, attempts: int = 40) -> list[Step]:
    """Leaves out what is not needed, the largest parts first, in so many runs at most."""
    kept = list(steps)
    size = len(kept) // 2
    while size and attempts:
        start = 0
        while start < len(kept) and attempts:
            fewer = kept[:start] + kept[start + size :]
            attempts -= 1
            if fewer and _whole(fewer) and await differs(fewer):
                kept = fewer
            else:
                start += size
        size //= 2
    return kept


def _whole(steps: Sequence[Step]) -> bool:
    """Nothing is released that was not held before."""
    held: set[str] = set()
    for step in steps:
        if step["do"] == "hold":
            held.add(step["tx"]["name"])
        if any(tx.get("release", tx.get("name")) not in held for tx in _released(step)):
            return False
    return True


def _released(step: Step) -> list[Step]:
    return [tx for tx in step.get("txs", ()) if "release" in tx]
