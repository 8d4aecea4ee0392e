# SPDX-License-Identifier: Apache-2.0
"""The shim on every kind of peer: each answers as real Fabric did when it was recorded.

The contracts reach every function of the stub; the recordings hold payloads, error texts,
read-write sets, events and validation codes. `make golden` makes them.
"""

import re
from typing import Any

import pytest

from tests.conformance.facts import Fact, key
from tests.conformance.steps import STEPS, Step

ALL = [pytest.param(step, id=key(step)) for step in STEPS]
UNPOLICED = [pytest.param(step, id=key(step)) for step in STEPS if not step.policed]


def test_every_step_is_recorded_and_nothing_else(recorded: dict[str, Fact]) -> None:
    assert set(recorded) == {key(step) for step in STEPS}


@pytest.mark.parametrize("step", ALL)
def test_a_network_answers_as_recorded(
    on_network: dict[str, Fact], recorded: dict[str, Fact], step: Step
) -> None:
    assert on_network[key(step)] == recorded[key(step)]


@pytest.mark.parametrize("step", UNPOLICED)
def test_a_peer_in_memory_answers_as_recorded(
    in_memory: dict[str, Fact], recorded: dict[str, Fact], step: Step
) -> None:
    expected = _at_a_peer(recorded[key(step)])
    assert _uncondensed(in_memory[key(step)], expected) == expected


def _at_a_peer(fact: Fact) -> Fact:
    """What the endorser itself said, without the gateway and without `_lifecycle`."""
    if "refused" in fact:
        [detail] = fact["details"]
        found = re.fullmatch(r"chaincode response (\d+), (.*)", detail, re.DOTALL)
        assert found is not None
        return {"status": int(found[1]), "message": found[2]}
    if "results" in fact:
        own = [each for each in fact["results"] if each["name"] != "_lifecycle"]
        return fact | {"results": own}
    return fact


def _uncondensed(fact: Fact, expected: Fact) -> Fact:
    """The fact with long range reads condensed where Fabric condenses them: bounds are left."""
    for mine, theirs in zip(_ranges(fact), _ranges(expected), strict=False):
        if "condensed" in theirs and mine["reads"]["count"] > theirs["condensed"][0]:
            del mine["reads"]
            mine["condensed"] = theirs["condensed"]
    return fact


def _ranges(fact: Fact) -> list[dict[str, Any]]:
    return [found for each in fact.get("results", ()) for found in each.get("ranges", ())]
