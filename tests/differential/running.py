# SPDX-License-Identifier: Apache-2.0
"""Networks for sequences, and sequences on them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.differential.chain import Chain
from tests.differential.interpreter import Run
from tests.differential.known import Known
from tests.differential.normal import Fact, Names
from tests.differential.steps import BLOCK, Step
from tests.scenarios import harness

_FOLDER = Path(__file__).parent
_NEVER_MS = 20_000  # a block is cut when it is full


@contextmanager
def network(runtime: str, directory: Path) -> Iterator[harness.Network]:
    """This folder's consortium on free ports, up; gone afterwards."""
    command = ("python", str(_FOLDER / "chaincode.py"), "serve")
    with harness.network(runtime, directory, command, _FOLDER / "consortium.yaml") as made:
        made.run("up")
        cut = ("--set", f"messages={BLOCK}", "--set", f"interval_ms={_NEVER_MS}")
        made.run("channel update", "--yes", *cut)
        yield made


class Runner:
    """Runs sequences on one network, one after another."""

    def __init__(self, target: Known) -> None:
        self._target = target
        self._chain = Chain(target)

    async def run(self, steps: Sequence[Step], prefix: str) -> list[Fact]:
        """What came of each step."""
        names = Names(await self._chain.begin())
        run = Run(self._target, self._chain, prefix, names)
        return [await run.take(step) for step in steps]


@asynccontextmanager
async def runner(made: harness.Network) -> AsyncIterator[Runner]:
    """A runner on a network that is up."""
    async with Known(made.state / "profiles") as target:
        yield Runner(target)


def prefix(seed: int) -> str:
    """Of a seed's keys."""
    return f"s{seed:04}-"
