# SPDX-License-Identifier: Apache-2.0
"""Sequences from seeds: the same seed gives the same steps, always and everywhere.

A sequence begins with some state, goes through two themes, and ends with everything there is to
see. Themes come in turn, so that any fifty seeds in a row hold each of them more than once.
"""

import random

from tests.differential import themes
from tests.differential.dice import COLLECTIONS, Dice
from tests.differential.steps import BLOCKS, Step, events, order, transaction, world


def sequence(seed: int) -> list[Step]:
    """The steps of a seed."""
    dice = Dice(random.Random(seed))
    names = list(themes.THEMES)
    first = themes.THEMES[names[seed % len(names)]]
    second = themes.THEMES[dice.one(names)]
    steps = [_beginning(dice)]
    for theme in (first, second):
        steps += theme(dice)
    return [*steps, events("main"), BLOCKS, world(dice.keys, dice.some(COLLECTIONS, 2))]


def theme_of(seed: int) -> str:
    """What the seed's sequence is about first."""
    return list(themes.THEMES)[seed % len(themes.THEMES)]


def _beginning(dice: Dice) -> Step:
    """Some keys, so that something is there."""
    writes = [["put", key, dice.value()] for key in dice.keys[:3]]
    private = [["put", key, dice.value(), "all"] for key in dice.keys[:2]]
    first = transaction("seed", [*writes, *private, ["event", "begun", "1"]], by=["Alpha", "Beta"])
    other = transaction(
        "seed-callee", [["put", dice.keys[0], dice.value()]], by=["Gamma"], chaincode="callee"
    )
    return order(first, other)
