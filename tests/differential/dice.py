# SPDX-License-Identifier: Apache-2.0
"""Choices of a seed."""

import random
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from tests.differential.steps import ORGANIZATIONS, Script

T = TypeVar("T")

COLLECTIONS = ("pair", "all", "strict", "single")
MEMBERS = {
    "pair": ("Alpha", "Beta"), "all": ORGANIZATIONS, "strict": ("Alpha", "Gamma"),
    "single": ORGANIZATIONS,
}  # fmt: skip


class Dice:
    """A source of chance with the sequence's keys, and names for its transactions."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.keys = ["$a", "$b", "$c", "$d", "$é"]
        self._count = 0

    def name(self) -> str:
        """The next transaction's."""
        self._count += 1
        return f"t{self._count}"

    def one(self, among: Sequence[T]) -> T:
        """One of them."""
        return self.chance.choice(among)

    def some(self, among: Sequence[T], count: int) -> list[T]:
        """So many different ones, in order."""
        chosen = self.chance.sample(range(len(among)), min(count, len(among)))
        return [among[index] for index in sorted(chosen)]

    def maybe(self, percent: int) -> bool:
        """Yes, in so many of a hundred cases."""
        return self.chance.randrange(100) < percent

    def key(self) -> str:
        """A key."""
        return self.one(self.keys)

    def value(self) -> str:
        """A value; now and then one that is special."""
        return self.one(["1", "2", "drei", "ü", "v" * 40, "", "null", "0" * 64])

    def by(self) -> list[str]:
        """Endorsers enough for `main`, mostly."""
        return self.one(
            [["Alpha", "Beta"], ["Alpha", "Gamma"], ["Beta", "Gamma"], list(ORGANIZATIONS)]
        )

    def anybody(self) -> list[str]:
        """Any endorsers, enough or not."""
        return self.some(ORGANIZATIONS, self.chance.randrange(1, 4))

    def members(self, collection: str) -> list[str]:
        """Two who may hold a collection."""
        return self.some(MEMBERS[collection], 2)

    def organization(self) -> str:
        """An organisation."""
        return self.one(ORGANIZATIONS)

    def bounds(self) -> tuple[str, str]:
        """A range over some of the keys."""
        starts = ["$", "$a", "$b", "$c", "$b0"]
        ends = ["$b", "$c", "$d", "$~", "$e"]
        return self.one(starts), self.one(ends)

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """In another order."""
        found = list(items)
        self.chance.shuffle(found)
        return found

    def public(self) -> list[Any]:
        """One operation on public state."""
        start, end = self.bounds()
        return self.one(
            [
                ["get", self.key()], ["put", self.key(), self.value()], ["copy", "$a", self.key()],
                ["delete", self.key()], ["range", start, end], ["get-metadata", self.key()],
                ["many", self.some(self.keys, 3)], ["put", self.key(), self.value()],
                ["history", self.key()], ["fill", "$f", self.chance.randrange(1, 5)],
            ]
        )  # fmt: skip

    def private(self, collection: str) -> list[Any]:
        """One operation on a collection that may be part of a transaction."""
        key = self.key()
        return self.one(
            [
                ["get", key, collection], ["put", key, self.value(), collection],
                ["put", key, "@transient", collection], ["delete", key, collection],
                ["purge", key, collection], ["hash", key, collection],
                ["many", self.some(self.keys, 2), collection],
                ["put", key, self.value(), collection], ["copy", key, "$d", collection],
            ]
        )  # fmt: skip

    def script(self, length: int = 4) -> Script:
        """Operations on public state."""
        return [self.public() for _ in range(self.chance.randrange(1, length + 1))]
