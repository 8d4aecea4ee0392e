# SPDX-License-Identifier: Apache-2.0
"""Sequences of good and bad requests are answered as real Fabric answered them when it was recorded
(`make golden`): by the embedded network, always; by real Fabric itself with `-m native`.
"""

import json

import pytest

from tests.differential.generator import sequence, theme_of
from tests.differential.recording import GOLDEN, SEEDS, difference, load, plain, store
from tests.differential.running import Runner, prefix
from tests.differential.shrinking import shrink
from tests.differential.steps import Step
from tests.differential.stopping import may_stop_peers
from tests.differential.themes import THEMES

CASES = [pytest.param(seed, id=f"{seed}-{theme_of(seed)}") for seed in SEEDS]


@pytest.mark.parity("sequences")
@pytest.mark.parametrize("seed", CASES)
async def test_a_sequence_is_answered_as_by_fabric(
    running: Runner, seed: int, request: pytest.FixtureRequest
) -> None:
    steps = sequence(seed)
    facts = plain(await running.run(steps, prefix(seed)))
    if request.config.getoption("--record"):
        store(seed, facts)
    told = difference(seed, steps, facts, load(seed))
    assert not told, told


def test_every_seed_is_recorded_and_nothing_else() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {f"{seed:04}" for seed in SEEDS}


def test_a_seed_always_gives_the_same_steps() -> None:
    assert [json.dumps(sequence(seed)) for seed in SEEDS] == [
        json.dumps(sequence(seed)) for seed in SEEDS
    ]


def test_every_theme_is_recorded_more_than_once() -> None:
    found = [theme_of(seed) for seed in SEEDS]
    assert all(found.count(theme) > 1 for theme in THEMES)


@pytest.mark.parametrize("seed", [149, 484, 495, 1532, 1955])
def test_a_sequence_that_stopped_real_peers_is_left_out_of_the_soak(seed: int) -> None:
    assert may_stop_peers(sequence(seed))


def test_few_harmless_sequences_are_left_out_with_them() -> None:
    assert sum(may_stop_peers(sequence(seed)) for seed in SEEDS) <= len(SEEDS) // 20


async def test_shrinking_leaves_the_steps_that_matter_and_what_they_need() -> None:
    held: Step = {"do": "hold", "tx": {"name": "t"}}
    released: Step = {"do": "order", "txs": [{"release": "t"}]}
    steps: list[Step] = [{"do": "events", "cc": str(number)} for number in range(20)]
    steps[3:3] = [held]
    steps[9:9] = [released]

    async def differs(some: object) -> bool:
        return isinstance(some, list) and released in some

    assert await shrink(steps, differs) == [held, released]
