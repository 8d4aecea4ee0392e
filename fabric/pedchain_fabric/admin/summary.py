# SPDX-License-Identifier: Apache-2.0
"""What changes between two configurations, for people to read before they sign."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fabric_protos.common.configtx_pb2 import Config, ConfigGroup, ConfigPolicy, ConfigValue

from pedchain_fabric.admin import wording

Item: TypeAlias = ConfigGroup | ConfigValue | ConfigPolicy
ROOT = "/Channel"


@dataclass(frozen=True, slots=True)
class Change:
    """One element that comes, goes or changes.

    `policy` is the path of the policy that must agree: the element's own if it changes, its
    group's if it comes or goes. `before` and `after` are short texts, empty where there is nothing.
    """

    kind: Literal["group", "value", "policy"]
    path: str
    action: Literal["added", "removed", "changed"]
    policy: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        texts = {"added": self.after, "removed": self.before}
        told = texts.get(self.action, f"{self.before} -> {self.after}")
        return f"{self.action} {self.kind} {self.path}: {told} [needs {self.policy}]"


def changes(current: Config, wanted: Config) -> tuple[Change, ...]:
    """Every difference, by path. A group that comes or goes is one, whatever it holds."""
    found = _group(current.channel_group, wanted.channel_group, ROOT)
    return tuple(sorted(found, key=lambda each: (each.path, each.kind)))


def policies(found: tuple[Change, ...]) -> tuple[str, ...]:
    """Paths of all policies that must agree to these changes."""
    return tuple(sorted({each.policy for each in found}))


def _group(current: ConfigGroup, wanted: ConfigGroup, path: str) -> Iterator[Change]:
    owner = _resolve(path, current.mod_policy)
    if current.mod_policy != wanted.mod_policy:
        words = (f"changed by {current.mod_policy}", f"changed by {wanted.mod_policy}")
        yield Change("group", path, "changed", owner, *words)
    yield from _elements("group", _Place(path, owner), current.groups, wanted.groups)
    yield from _elements("value", _Place(path, owner), current.values, wanted.values)
    yield from _elements("policy", _Place(path, owner), current.policies, wanted.policies)


@dataclass(frozen=True, slots=True)
class _Place:
    """A group's path and the policy by which members come and go."""

    path: str
    owner: str


def _elements(
    kind: Literal["group", "value", "policy"],
    place: _Place,
    current: Mapping[str, Item],
    wanted: Mapping[str, Item],
) -> Iterator[Change]:
    for name in {*current, *wanted}:
        path = f"{place.path}/{name}"
        before, after = current.get(name), wanted.get(name)
        if before is None and after is not None:
            yield Change(kind, path, "added", place.owner, after=wording.element(name, after))
        elif after is None and before is not None:
            yield Change(kind, path, "removed", place.owner, before=wording.element(name, before))
        elif isinstance(before, ConfigGroup) and isinstance(after, ConfigGroup):
            yield from _group(before, after, path)
        elif before is not None and after is not None and _differ(before, after):
            texts = wording.difference(name, before, after)
            yield Change(kind, path, "changed", _resolve(place.path, before.mod_policy), *texts)


def _differ(before: Item, after: Item) -> bool:
    if before.mod_policy != after.mod_policy:
        return True
    if isinstance(before, ConfigValue) and isinstance(after, ConfigValue):
        return before.value != after.value
    if isinstance(before, ConfigPolicy) and isinstance(after, ConfigPolicy):
        return bool(before.policy != after.policy)
    return True


def _resolve(group: str, mod_policy: str) -> str:
    """A policy's path: absolute, or relative to the group."""
    return mod_policy if mod_policy.startswith("/") else f"{group}/{mod_policy}"
