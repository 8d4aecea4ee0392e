# SPDX-License-Identifier: Apache-2.0
"""Long work in numbered steps, each of which looks first at what is done already.

A command that was broken off is called again and goes on: no step relies on what an earlier call
remembered, only on what it finds.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pedchain_network.progress import Progress


@dataclass(frozen=True, slots=True)
class Step:
    """`goal` says what is so afterwards; `reach` makes it so, and returns whether it had to."""

    goal: str
    reach: Callable[[], Awaitable[bool]]


async def walk(steps: Sequence[Step], progress: Progress) -> None:
    """All steps in their order, each told when it is reached."""
    for number, step in enumerate(steps, start=1):
        done = await step.reach()
        progress.step(f"{number}/{len(steps)} {step.goal}" + ("" if done else ", already"))
