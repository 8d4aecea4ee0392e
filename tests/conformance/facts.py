# SPDX-License-Identifier: Apache-2.0
"""What a step's outcome is compared by: JSON in which nothing depends on the run.

Transaction ids and block numbers are replaced by the names of the steps they belong to; long
values by their digest.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pedchain_fabric.wire import rwset
from tests.conformance.steps import Step

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "shim"
_LONG: Final = 300  # characters of a value that are kept as they are
_MANY: Final = 20  # entries of a list

Fact = dict[str, Any]


@dataclass(slots=True)
class Names:
    """Which transaction, and which block, is which step's."""

    transactions: dict[str, str] = field(default_factory=dict)
    blocks: dict[int, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """The text with transaction ids named."""
        for identifier, name in self.transactions.items():
            text = text.replace(identifier, f"<{name}>")
        return text

    def value(self, data: bytes) -> str | Fact:
        """Bytes as text where they are one, in short where they are long."""
        try:
            text = self.text(data.decode())
        except UnicodeDecodeError:
            return {"hex": data.hex()}
        if len(text) <= _LONG:
            return text
        return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def version(self, version: rwset.Version | None) -> str | None:
        """The step that wrote it; what stood there before the first step is `before`."""
        return None if version is None else self.blocks.get(version.block, "before")

    def results(self, data: bytes) -> list[Fact]:
        """A public read-write set."""
        return [self._namespace(each) for each in rwset.decode(data)]

    def _namespace(self, namespace: rwset.Namespace) -> Fact:
        return _dense(
            name=namespace.name,
            reads=_short([[read.key, self.version(read.version)] for read in namespace.reads]),
            ranges=[self._range(query) for query in namespace.range_queries],
            writes=_short(
                [
                    [write.key, None if write.is_delete else self.value(write.value)]
                    for write in namespace.writes
                ]
            ),
            policies=[[each.key, _entries(each.entries)] for each in namespace.metadata_writes],
            collections=[self._collection(each) for each in namespace.collections],
        )

    def _range(self, query: rwset.RangeQuery) -> Fact:
        fact: Fact = {
            "start": query.start_key,
            "end": query.end_key,
            "exhausted": query.exhausted,
        }
        if query.reads is not None:
            reads = [[read.key, self.version(read.version)] for read in query.reads]
            fact["reads"] = _short(reads)
        if query.merkle is not None:
            # its hashes cover block numbers, which differ from run to run
            levels = len(query.merkle.max_level_hashes)
            fact["condensed"] = [query.merkle.max_degree, query.merkle.max_level, levels]
        return fact

    def _collection(self, collection: rwset.HashedCollection) -> Fact:
        return _dense(
            name=collection.name,
            reads=[[read.key_hash.hex(), self.version(read.version)] for read in collection.reads],
            writes=[
                [
                    write.key_hash.hex(),
                    "purge" if write.is_purge else write.value_hash.hex() or None,
                ]
                for write in collection.writes
            ],
            policies=[
                [each.key_hash.hex(), _entries(each.entries)] for each in collection.metadata_writes
            ],
            private_hash=collection.private_hash.hex(),
        )


def load() -> dict[str, Fact]:
    """What real Fabric answered, by step."""
    facts: dict[str, Fact] = {}
    for path in sorted(GOLDEN.glob("*.json")):
        facts |= {
            f"{path.stem}/{name}": fact for name, fact in json.loads(path.read_text()).items()
        }
    return facts


def store(facts: Mapping[str, Fact], sections: Iterable[str]) -> None:
    """Write what was recorded, a file a section and a line a step."""
    for section in sections:
        prefix = f"{section}/"
        lines = [
            f"{json.dumps(name.removeprefix(prefix))}: {json.dumps(fact)}"
            for name, fact in facts.items()
            if name.startswith(prefix)
        ]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (GOLDEN / f"{section}.json").write_text(text)


def key(step: Step) -> str:
    """A step's name among all facts."""
    return f"{step.section}/{step.name}"


def _entries(entries: rwset.Entries) -> dict[str, str]:
    return {name: value.hex() for name, value in entries}


def _short(entries: list[Any]) -> list[Any] | Fact:
    """Long lists by their first and last entry and a digest."""
    if len(entries) <= _MANY:
        return entries
    digest = hashlib.sha256(json.dumps(entries).encode()).hexdigest()
    return {"count": len(entries), "first": entries[0], "last": entries[-1], "sha256": digest}


def _dense(**parts: Any) -> Fact:
    return {name: part for name, part in parts.items() if part}
