# SPDX-License-Identifier: Apache-2.0
"""A typed view of a TOML table that names the entry when something is wrong with it."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from emsagent.errors import ConfigError

T = TypeVar("T")
_NAMES = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
    list: "an array",
}


class Table:
    """One table; every entry must be asked for, or `done` names the ones that were not."""

    def __init__(self, values: Mapping[str, Any], where: str = "") -> None:
        self.where = where
        self.values = values
        self._asked: set[str] = set()

    def path(self, name: str) -> str:
        """The entry's full name, as in `home[0].device[1].id`."""
        return f"{self.where}.{name}" if self.where else name

    def _get(self, name: str, kind: type[T]) -> T | None:
        self._asked.add(name)
        value = self.values.get(name)
        if value is None:
            return None
        if type(value) is not kind:
            raise ConfigError(self.path(name), f"must be {_NAMES[kind]}, is {value!r}")
        return value

    def _need(self, name: str, kind: type[T], default: T | None) -> T:
        value = self._get(name, kind)
        if value is None:
            value = default
        if value is None:
            raise ConfigError(self.path(name), f"is missing; it must be {_NAMES[kind]}")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._need(name, str, default)
        if not value:
            raise ConfigError(self.path(name), "is empty")
        return value

    def text_or_none(self, name: str) -> str | None:
        """A text, or None where the entry is not there."""
        return self._get(name, str)

    def number(self, name: str, default: int | None, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self._need(name, int, default)
        if not least <= value <= most:
            raise ConfigError(self.path(name), f"must be from {least} to {most}, is {value}")
        return value

    def by_hour(self, name: str, least: int, most: int) -> tuple[int, ...]:
        """A whole number for each hour of a day; one alone is for all of them."""
        value = self.values.get(name)
        found = value if isinstance(value, list) else [self.number(name, None, least, most)] * 24
        self._asked.add(name)
        if len(found) != 24 or not all(type(one) is int and least <= one <= most for one in found):
            raise ConfigError(self.path(name), f"must be one or 24 from {least} to {most}")
        return tuple(found)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        return self._need(name, bool, default)

    def texts(self, name: str, most: int) -> list[str]:
        """An array of 1 to `most` texts."""
        values = self._need(name, list, None)
        if not 0 < len(values) <= most or not all(isinstance(one, str) and one for one in values):
            raise ConfigError(self.path(name), f"must be 1 to {most} texts")
        return values

    def optional(self, name: str) -> None:
        """An entry that may be left out altogether."""
        self._asked.add(name)

    def table(self, name: str) -> "Table":
        """A table inside this one; an absent one is empty."""
        return Table(self._get(name, dict) or {}, self.path(name))

    def tables(self, name: str, most: int) -> Iterator["Table"]:
        """The tables of an array of tables (`[[name]]`), at least one."""
        self._asked.add(name)
        values = self.values.get(name)
        if not isinstance(values, list) or not values or not isinstance(values[0], dict):
            raise ConfigError(self.path(name), f"is missing; write at least one [[{name}]]")
        if len(values) > most:
            raise ConfigError(
                self.path(name), f"has {len(values)} entries, at most {most} are allowed"
            )
        for index, value in enumerate(values):
            yield Table(value, f"{self.path(name)}[{index}]")

    def names(self) -> list[str]:
        """The names of the tables inside this one."""
        self._asked.update(self.values)
        return list(self.values)

    def done(self) -> None:
        """Refuse entries nobody asked for: a misspelt name must not be ignored."""
        unknown = sorted(set(self.values) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked))
            raise ConfigError(self.path(unknown[0]), f"is not a known entry (known here: {known})")
