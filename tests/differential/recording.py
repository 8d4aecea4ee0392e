# SPDX-License-Identifier: Apache-2.0
"""What a network answered to sequences, as files: one a seed, one line a step.

`python -m tests.differential.recording native 0 50` records real Fabric into tests/golden; with a
directory as fourth argument the answers go there instead, of whichever runtime.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.differential.generator import sequence
from tests.differential.normal import Fact
from tests.differential.running import network, prefix, runner
from tests.differential.steps import Step

GOLDEN = Path(__file__).parents[1] / "golden" / "differential"
_SLOW = (18, 21, 23, 33, 41)  # forged private writes let real peers wait for data nobody has
SEEDS = tuple(seed for seed in (*range(52), 54, 77, 113) if seed not in _SLOW)
"""Those whose recordings `make test` replays: fifty, each theme more than once."""


def load(seed: int, folder: Path = GOLDEN) -> list[Fact]:
    """What was recorded of a seed. Raises `ValueError` if it was recorded of other steps."""
    found: list[Fact] = json.loads((folder / f"{seed:04}.json").read_text(encoding="utf-8"))
    of, *facts = found
    if of != _digest(seed):
        raise ValueError(f"seed {seed} gives other steps than were recorded: make golden")
    return facts


def _digest(seed: int) -> str:
    return hashlib.sha256(json.dumps(sequence(seed)).encode()).hexdigest()[:16]


def store(seed: int, facts: Sequence[Fact], folder: Path = GOLDEN) -> None:
    """Writes what came of a seed's steps."""
    parts = [_digest(seed), *facts]
    lines = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in parts]
    folder.mkdir(parents=True, exist_ok=True)
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (folder / f"{seed:04}.json").write_text(text, encoding="utf-8")


def plain(facts: Sequence[Fact]) -> list[Fact]:
    """As JSON gives them back."""
    found: list[Fact] = json.loads(json.dumps(facts))
    return found


def difference(
    seed: int, steps: Sequence[Step], here: Sequence[Fact], there: Sequence[Fact]
) -> str:
    """The first step that was answered differently: seed, step and both answers; or nothing."""
    for index, (step, mine, theirs) in enumerate(zip(steps, here, there, strict=True)):
        if mine != theirs:
            shown = json.dumps(step, ensure_ascii=False)
            return (
                f"seed {seed}, step {index}: {shown}\n  here:   {_cut(mine, theirs)}\n"
                f"  Fabric: {_cut(theirs, mine)}"
            )
    return ""


def _cut(fact: Fact, other: Fact) -> str:
    """The part of an answer that differs, not what is equal beside it."""
    if isinstance(fact, dict) and isinstance(other, dict):
        names = [name for name in {**fact, **other} if fact.get(name) != other.get(name)]
        return ", ".join(f"{name}: {_cut(fact.get(name), other.get(name))}" for name in names)
    if isinstance(fact, list) and isinstance(other, list) and len(fact) == len(other):
        pairs = [(i, a, b) for i, (a, b) in enumerate(zip(fact, other, strict=True)) if a != b]
        return ", ".join(f"[{i}] {_cut(a, b)}" for i, a, b in pairs)
    return json.dumps(fact, ensure_ascii=False)


async def record(runtime: str, seeds: Iterable[int], folder: Path) -> None:
    """Runs the seeds on a network of their own and stores what came of them."""
    with tempfile.TemporaryDirectory() as directory, network(runtime, Path(directory)) as made:
        async with runner(made) as running:
            for seed in seeds:
                began = time.monotonic()
                facts = await running.run(sequence(seed), prefix(seed))
                store(seed, facts, folder)
                sys.stdout.write(f"{seed}: {time.monotonic() - began:.1f} s\n")
                sys.stdout.flush()


def main() -> None:
    """From the command line."""
    runtime, first, end, *folder = sys.argv[1:]
    where = Path(folder[0]) if folder else GOLDEN
    asyncio.run(record(runtime, range(int(first), int(end)), where))


if __name__ == "__main__":
    main()
