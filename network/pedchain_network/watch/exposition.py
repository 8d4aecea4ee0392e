# SPDX-License-Identifier: Apache-2.0
"""Prometheus' text format, version 0.0.4: read what nodes serve, write what we serve ourselves."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_LINE: Final = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?")
_LABEL: Final = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_ESCAPES: Final = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Exposition:
    """What one node serves at one moment."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._by_name: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._by_name[sample.name].append(sample)

    @classmethod
    def parse(cls, text: str) -> "Exposition":
        """Every sample; lines that are none (comments, damage) are passed over."""
        return cls(sample for line in text.splitlines() for sample in _sample(line))

    @property
    def names(self) -> frozenset[str]:
        """Names of all samples (`..._bucket`, `..._count` and so on for histograms)."""
        return frozenset(self._by_name)

    def all(self, name: str, **labels: str) -> Sequence[Sample]:
        """The samples of that name that have these labels."""
        return [
            sample
            for sample in self._by_name.get(name, ())
            if all(sample.labels.get(key) == value for key, value in labels.items())
        ]

    def value(self, name: str, **labels: str) -> float | None:
        """The first such sample's value."""
        found = self.all(name, **labels)
        return found[0].value if found else None

    def count(self, name: str, **labels: str) -> int | None:
        """The same as a whole number."""
        value = self.value(name, **labels)
        return None if value is None else int(value)


def write(described: Mapping[str, str], samples: Iterable[Sample]) -> str:
    """The text of gauges; `described` says in words what each name means."""
    by_name: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_name[sample.name].append(sample)
    lines = []
    for name, own in by_name.items():
        lines += [f"# HELP {name} {described[name]}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(sample.labels)} {sample.value:.17g}" for sample in own]
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    parts = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(parts) + "}" if parts else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _sample(line: str) -> Iterable[Sample]:
    match = _LINE.fullmatch(line.strip())
    if match is None or line.startswith("#"):
        return
    name, inside, text = match.groups()
    try:
        value = float(text)
    except ValueError:
        return
    labels = {
        key: re.sub(r'\\[\\"n]', lambda each: _ESCAPES[each[0]], raw)
        for key, raw in _LABEL.findall(inside or "")
    }
    yield Sample(name, value, labels)
