# SPDX-License-Identifier: Apache-2.0
"""Read-write sets that no peer computed, signed by as many as the policy asks for."""

from typing import Any

from tests.differential.dice import Dice
from tests.differential.steps import ORGANIZATIONS, Step, forged, order

_EVERYBODY = list(ORGANIZATIONS)


def forgeries(dice: Dice) -> list[Step]:
    """Blocks of such transactions."""
    steps = []
    for _ in range(5):
        sets = [dice.one(_SETS)(dice) for _ in range(dice.one([0, 1, 2]))]
        if dice.maybe(50):
            sets.insert(0, _metadata(dice))  # nothing of its block is deleted before it
        sets = sets or [_writes(dice)]
        made = [
            forged(dice.name(), each, by=_signers(each, dice),
                   chaincode=dice.one(["main", "main", "main", "callee"]))
            for each in sets
        ]  # fmt: skip
        steps.append(order(*made))
    return steps


def _signers(namespaces: list[Any], dice: Dice) -> list[str]:
    """Everybody where more than one namespace may fail: Fabric asks them in any order."""
    return _EVERYBODY if len(namespaces) > 1 else dice.one([_EVERYBODY, dice.by()])


def _reads(dice: Dice) -> list[Any]:
    """Right and wrong versions."""
    versions = ["now", None, [0, 0], [0, 1], [1, 0], [999, 0]]
    reads = [[key, dice.one(versions)] for key in dice.some(dice.keys, 2)]
    return [{"ns": "main", "reads": reads, "writes": [["$d", "forged"]]}]


def _ranges(dice: Dice) -> list[Any]:
    """Results left out, added, out of order, none at all."""
    results = dice.one(
        [
            [["$a", "now"], ["$b", "now"], ["$c", "now"]], [["$a", "now"], ["$c", "now"]],
            [["$b", "now"], ["$a", "now"]], [["$a", "now"]], [], None,
            [["$a", "now"], ["$b", "now"], ["$c", "now"], ["$cc", [0, 0]]],
        ]
    )  # fmt: skip
    bounds = dice.one([("$a", "$d"), ("$a", "$c"), ("$a", "$b"), ("$x", "$a"), ("$e", "$f")])
    exhausted = dice.maybe(50)
    return [{"ns": "main", "ranges": [[*bounds, exhausted, results]], "writes": [["$r", "x"]]}]


def _writes(dice: Dice) -> list[Any]:
    """Keys twice, keys out of order, no key, deletions of nothing."""
    writes = dice.one(
        [
            [["$a", "1"], ["$a", "2"]], [["$c", "1"], ["$a", "2"]], [["", "no key"]],
            [["$none", None]], [["$a", None], ["$a", "again"]], [["$a", ""]], [],
        ]
    )  # fmt: skip
    return [{"ns": "main", "writes": writes}]


def _metadata(dice: Dice) -> list[Any]:
    """Policies with and without a value, twice, unreadable, of nobody."""
    policies: list[list[str] | None] = [["Alpha"], ["Beta", "Gamma"], [], None, ["Nobody"]]
    keys = dice.one([["$a"], ["$none"], ["$a", "$a"], ["$b", "$a"]])
    metadata = [[key, dice.one(policies)] for key in keys]
    writes = dice.one([[], [["$a", "with"]], [["$a", None]], [["$none", "first"]]])
    private = {"name": "all", "metadata": [[dice.one(["$a", "$none"]), dice.one(policies)]]}
    found = {"ns": "main", "writes": writes, "metadata": metadata}
    return [found | ({"private": [private]} if dice.maybe(2) else {})]


def _namespaces(dice: Dice) -> list[Any]:
    """More than one, twice the same, unknown ones, those of the system."""
    names = dice.one(
        [
            ["main", "callee"], ["callee"], ["main", "main"], ["nobody"], ["_lifecycle"], ["lscc"],
            ["qscc"], ["main", "strict"], ["callee", "main"], [""], ["main", "nobody"],
        ]
    )  # fmt: skip
    return [{"ns": name, "writes": [["$n", name]]} for name in names]


def _read_elsewhere(dice: Dice) -> list[Any]:
    """Reads, without writes, of namespaces that may not exist."""
    name = dice.one(["nobody", "callee", "_lifecycle", "lscc"])
    return [{"ns": name, "reads": [["$a", None]]}, {"ns": "main", "writes": [["$n", "x"]]}]


UNDEFINED = ("nowhere", "")
_NOT_THERE = (*UNDEFINED, "_implicit_org_NobodyMSP")


def _private(dice: Dice) -> list[Any]:
    """Hashes of writes and reads, of collections that are there and that are not."""
    name = dice.one(["all", "strict", "single", "nowhere", "_implicit_org_AlphaMSP",
                     "_implicit_org_NobodyMSP", ""])  # fmt: skip
    found: dict[str, Any] = {"name": name}
    if dice.maybe(50):
        found["reads"] = [["$a", None], ["$zz", dice.one([None, [0, 0]])]]
    # Of a collection that is there, peers would look for private values nobody has, for seconds.
    if dice.maybe(50) and name in _NOT_THERE:
        found["writes"] = [["$a", None]]
    return [{"ns": "main", "private": [found]}]


def _nothing(dice: Dice) -> list[Any]:
    """No namespace at all, or an empty one."""
    return dice.one([[], [{"ns": "main"}], [{"ns": "callee"}]])


_SETS = (
    _reads, _ranges, _writes, _namespaces, _read_elsewhere, _private, _nothing, _reads,
    _ranges,
)  # fmt: skip
