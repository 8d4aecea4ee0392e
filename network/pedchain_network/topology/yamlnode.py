# SPDX-License-Identifier: Apache-2.0
"""A YAML document that remembers its lines, read field by field with typed errors."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from pedchain_network.errors import TopologyError
from pedchain_network.limits import TOPOLOGY_BYTES, TOPOLOGY_DEPTH

_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_STR = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Value:
    """One node of the document and how one gets there (`organizations[1].name`)."""

    file: str
    path: str
    node: yaml.Node

    def fail(self, message: str, fix: str = "") -> TopologyError:
        """The error "this value is wrong", with its line."""
        where = f"{self.file}:{self.node.start_mark.line + 1}"
        return TopologyError(where, f"{self.path or 'document'}: {message}", fix)

    def text(self) -> str:
        """A non-empty string; numbers must be quoted to be one."""
        node = self.node
        if not isinstance(node, yaml.ScalarNode) or node.tag != _STR or not node.value:
            raise self.fail("must be a text", "write it in quotes")
        return str(node.value)

    def integer(self, low: int, high: int) -> int:
        """A whole number between `low` and `high`."""
        node = self.node
        if not isinstance(node, yaml.ScalarNode) or node.tag != _INT or not node.value.isdecimal():
            raise self.fail("must be a whole number", f"write a number from {low} to {high}")
        number = int(node.value)
        if not low <= number <= high:
            raise self.fail(f"{number} is out of range", f"write a number from {low} to {high}")
        return number

    def flag(self) -> bool:
        """`true` or `false`; YAML's other words for them are not taken."""
        node = self.node
        words = {"true": True, "false": False}
        if not isinstance(node, yaml.ScalarNode) or node.tag != _BOOL or node.value not in words:
            raise self.fail("must be true or false", "write true or false, without quotes")
        return words[node.value]

    @property
    def is_text(self) -> bool:
        """Is it a single word rather than a list or a mapping."""
        return isinstance(self.node, yaml.ScalarNode)

    def field(self, name: str) -> "Value | None":
        """One field of a mapping before the others are checked, or None."""
        if isinstance(self.node, yaml.MappingNode):
            for key, node in self.node.value:
                if isinstance(key, yaml.ScalarNode) and key.value == name:
                    return Value(self.file, f"{self.path}.{name}".lstrip("."), node)
        return None

    def items(self) -> Iterator["Value"]:
        """The elements of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.fail("must be a list", "start each entry with '- ', or write [a, b]")
        for index, node in enumerate(self.node.value):
            yield Value(self.file, f"{self.path}[{index}]", node)

    def fields(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> "Fields":
        """A mapping with all of `required` and no key beyond `optional`."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fail("must be a mapping", f"write the keys {', '.join(required)}")
        found: dict[str, Value] = {}
        for key_node, node in self.node.value:
            key = Value(self.file, self.path, key_node)
            name = key.text()
            if name in found:
                raise key.fail(f"{name!r} stands twice", "remove one")
            if name not in (*required, *optional):
                known = ", ".join((*required, *optional))
                raise key.fail(f"unknown key {name!r}", f"known here: {known}")
            found[name] = Value(self.file, f"{self.path}.{name}".lstrip("."), node)
        for name in required:
            if name not in found:
                raise self.fail(f"{name!r} is missing", f"add '{name}:' here")
        return Fields(found)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a mapping, checked for names already."""

    found: dict[str, Value]

    def __getitem__(self, name: str) -> Value:
        return self.found[name]

    def text(self, name: str, default: str = "") -> str:
        """A field's text, or `default` where an optional one is absent."""
        return self.found[name].text() if name in self.found else default

    def integer(self, name: str, low: int, high: int, default: int = 0) -> int:
        """A field's number, or `default` where an optional one is absent."""
        return self.found[name].integer(low, high) if name in self.found else default

    def flag(self, name: str, *, default: bool) -> bool:
        """A field's truth, or `default` where an optional one is absent."""
        return self.found[name].flag() if name in self.found else default

    def items(self, name: str) -> Iterator[Value]:
        """A field's list, empty where an optional one is absent."""
        return self.found[name].items() if name in self.found else iter(())


class _Loader(yaml.SafeLoader):
    """Refuses what is nested deeper than any topology: the parser would take seconds for it."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > TOPOLOGY_DEPTH:
            raise yaml.YAMLError(f"nested deeper than {TOPOLOGY_DEPTH} levels")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def read(path: Path) -> Value:
    """The document in `path`. Raises `TopologyError` if there is none or it is not YAML."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise TopologyError(str(path), reason, "name the topology with --topology") from error
    return parse(data, str(path))


def parse(data: bytes, file: str) -> Value:
    """The document in `data`, named `file` in errors. Raises `TopologyError`."""
    if len(data) > TOPOLOGY_BYTES:
        raise TopologyError(file, f"larger than {TOPOLOGY_BYTES} bytes")
    try:
        node = yaml.compose(data, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise TopologyError(f"{file}:{line}", f"not YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise TopologyError(file, "not YAML in UTF-8") from error
    if node is None:
        raise TopologyError(file, "the file is empty")
    return Value(file, "", node)
