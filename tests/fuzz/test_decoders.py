# SPDX-License-Identifier: Apache-2.0
"""Goal: no bytes make a decoder crash, hang or take more than its bounds. Method: valid examples
broken at random, inputs built to be dear, and whatever longer runs (`make soak`) have found."""

import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.model import CORPUS, Target
from tests.fuzz.targets import TARGETS

EXAMPLES = 60
LONGEST = 1 << 16
MEMORY = 700 << 20  # the package's 256 MB, held twice for a moment, and what a test itself takes

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@st.composite
def broken(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with a few places changed, cut or doubled; sometimes mere noise."""
    data = bytearray(draw(st.sampled_from(seeds)) if seeds else b"")
    if not data or draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.integers(0, 4)):
            case 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=3))
            case 1:
                del data[at : at + draw(st.integers(1, 12))]
            case 2:
                data[at:at] = draw(st.binary(min_size=1, max_size=12))
            case 3:
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case _:
                del data[at:]
    return bytes(data)


@every_target
def test_valid_examples_are_taken(target: Target) -> None:
    for seed in target.seeds():
        target.decode(seed)


@every_target
def test_broken_examples_are_taken_or_refused_in_the_documented_way(target: Target) -> None:
    seeds = [seed for seed in target.seeds() if len(seed) < LONGEST]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(broken(seeds))
    def check(data: bytes) -> None:
        target.try_(data)

    check()


@every_target
def test_what_was_found_once_is_not_found_again(target: Target) -> None:
    for path in target.found():
        target.try_(path.read_bytes())


@pytest.mark.parametrize("name", [name for name, each in TARGETS.items() if each.hostile()])
def test_inputs_built_to_be_dear_are_refused_within_bounds(name: str) -> None:
    target = TARGETS[name]
    for data in target.hostile():
        tracemalloc.start()
        try:
            target.try_(data)
            taken = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert taken < MEMORY


def test_everything_found_belongs_to_a_target() -> None:
    assert {each.name for each in CORPUS.iterdir() if each.is_dir()} <= set(TARGETS)
