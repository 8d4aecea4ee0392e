# SPDX-License-Identifier: Apache-2.0
"""Hundreds of sequences on the embedded network and on real Fabric side by side (`make soak`).

PEDCHAIN_SOAK_SEQUENCES (500) says how many, PEDCHAIN_SOAK_SEED the first, by default the one after
the last that is recorded and part of every `make test`. A run ends early when PEDCHAIN_SOAK_SECONDS
(3000) are over, and says with which seed to go on.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests import evidence
from tests.differential.generator import sequence
from tests.differential.recording import SEEDS, difference, plain
from tests.differential.running import Runner, network, prefix, runner
from tests.differential.shrinking import shrink
from tests.differential.steps import Step
from tests.differential.stopping import may_stop_peers

pytestmark = pytest.mark.serial


class Pair:
    """The two networks, and how often each prefix was used."""

    def __init__(self, embedded: Runner, native: Runner) -> None:
        self._embedded = embedded
        self._native = native
        self._runs = 0

    async def compare(self, seed: int, steps: Sequence[Step], own: str = "") -> str:
        """The first difference, or nothing."""
        here = plain(await self._embedded.run(steps, prefix(seed) + own))
        there = plain(await self._native.run(steps, prefix(seed) + own))
        return difference(seed, steps, here, there)

    async def differs(self, seed: int, steps: Sequence[Step]) -> bool:
        """The same under keys that no run has touched."""
        self._runs += 1
        return bool(await self.compare(seed, steps, f"{self._runs}-"))


async def test_hundreds_of_sequences_are_answered_alike(tmp_path: Path) -> None:
    """The first few differences, each with its seed, its step and the fewest steps that show it."""
    if not evidence.fabric_found():
        pytest.skip("Fabric's peer and orderer were not found")
    first = int(os.environ.get("PEDCHAIN_SOAK_SEED", SEEDS[-1] + 1))
    count = int(os.environ.get("PEDCHAIN_SOAK_SEQUENCES", 500))
    end = time.monotonic() + int(os.environ.get("PEDCHAIN_SOAK_SECONDS", 3_000))
    found: list[str] = []
    skipped: list[int] = []
    async with AsyncExitStack() as stack:
        sides = []
        for runtime in ("embedded", "native"):
            (tmp_path / runtime).mkdir()
            made = stack.enter_context(network(runtime, tmp_path / runtime))
            sides.append(await stack.enter_async_context(runner(made)))
        pair = Pair(*sides)
        for seed in range(first, first + count):
            steps = sequence(seed)
            if may_stop_peers(steps):
                skipped.append(seed)
                continue
            try:
                told = await pair.compare(seed, steps)
            except Exception as error:
                error.add_note("\n".join([f"seed {seed}; differences until then:", *found]))
                raise
            if told:
                found.append(f"{told}\n  shrunk: {json.dumps(await _fewest(pair, seed, steps))}")
            if len(found) == _ENOUGH or time.monotonic() > end:
                break
    print(f"seeds {first} to {seed} compared, but {skipped}")  # noqa: T201 - for whoever goes on
    assert not found, "\n".join(found)


_ENOUGH = 5


async def _fewest(pair: Pair, seed: int, steps: Sequence[Step]) -> list[Step]:
    async def differs(some: Sequence[Step]) -> bool:
        return await pair.differs(seed, some)

    return await shrink(steps, differs)
