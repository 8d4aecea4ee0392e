# SPDX-License-Identifier: Apache-2.0
"""The difference of two configurations as Fabric writes it (internal/configtxlator/update).

A config update is two trees. The read set names what the update relies on, with versions; the
write set names what shall be, changed elements with the next version. A group whose members come
or go, or whose mod_policy changes, is itself changed and then names all of its members.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigGroup,
    ConfigPolicy,
    ConfigUpdate,
    ConfigValue,
)

from pedchain_fabric.admin.refusal import EditRefused, Reason, refuse_if
from pedchain_fabric.wire.limits import CONFIG_DEPTH_MAX

Leaf = TypeVar("Leaf", ConfigValue, ConfigPolicy)


def compute(channel_id: str, current: Config, wanted: Config) -> ConfigUpdate:
    """The update that makes `wanted` of `current`. Versions in `wanted` do not matter.

    Raises `EditRefused` (NO_CHANGE) if there is no difference.
    """
    sets = _group(current.channel_group, wanted.channel_group)
    refuse_if(not sets.changed, Reason.NO_CHANGE, f"channel {channel_id} is already so")
    return ConfigUpdate(channel_id=channel_id, read_set=sets.read, write_set=sets.write)


class _Sets(NamedTuple):
    """What one group contributes to the read set and to the write set."""

    read: ConfigGroup
    write: ConfigGroup
    changed: bool


def _group(current: ConfigGroup, wanted: ConfigGroup) -> _Sets:
    read = ConfigGroup(version=current.version)
    write = ConfigGroup(version=current.version)
    same = ConfigGroup()
    changed = _leaves(current.values, wanted.values, write.values, same.values)
    changed |= _leaves(current.policies, wanted.policies, write.policies, same.policies)
    changed |= _groups(current, wanted, _Sets(read, write, False), same)
    if _members(current) != _members(wanted) or current.mod_policy != wanted.mod_policy:
        read.MergeFrom(same)
        write.MergeFrom(same)
        write.version = current.version + 1
        write.mod_policy = wanted.mod_policy
        changed = True
    return _Sets(read, write, changed)


def _leaves(
    current: Mapping[str, Leaf],
    wanted: Mapping[str, Leaf],
    write: Mapping[str, Leaf],
    same: Mapping[str, Leaf],
) -> bool:
    """Changed and new elements go into `write`, the versions of the others into `same`."""
    changed = False
    for name, element in wanted.items():
        before = current.get(name)
        if before is not None and _content(before) == _content(element):
            same[name].version = before.version
            continue
        write[name].CopyFrom(element)
        write[name].version = 0 if before is None else before.version + 1
        changed = True
    return changed


def _groups(current: ConfigGroup, wanted: ConfigGroup, into: _Sets, same: ConfigGroup) -> bool:
    changed = False
    for name, group in wanted.groups.items():
        if name not in current.groups:
            into.write.groups[name].CopyFrom(_new(group))
            changed = True
            continue
        below = _group(current.groups[name], group)
        if below.changed:
            into.read.groups[name].CopyFrom(below.read)
            into.write.groups[name].CopyFrom(below.write)
            changed = True
        else:
            same.groups[name].version = below.read.version
    return changed


def _new(group: ConfigGroup) -> ConfigGroup:
    """A group with all below it, at version 0."""
    fresh = ConfigGroup()
    fresh.CopyFrom(group)
    fresh.version = 0
    for value in fresh.values.values():
        value.version = 0
    for policy in fresh.policies.values():
        policy.version = 0
    for name, below in group.groups.items():
        fresh.groups[name].CopyFrom(_new(below))
    return fresh


def _content(leaf: ConfigValue | ConfigPolicy) -> tuple[str, bytes]:
    """What makes an element what it is: all but its version."""
    if isinstance(leaf, ConfigValue):
        return leaf.mod_policy, leaf.value
    return leaf.mod_policy, leaf.policy.SerializeToString(deterministic=True)


def _members(group: ConfigGroup) -> tuple[frozenset[str], ...]:
    return frozenset(group.groups), frozenset(group.values), frozenset(group.policies)


def result(current: Config, update: ConfigUpdate) -> Config:
    """The configuration an update leads to, authorised or not.

    Raises `EditRefused` (STALE) if it was computed from another configuration.
    """
    changed = Config(sequence=current.sequence + 1)
    trees = _Trees(current.channel_group, update.read_set, update.write_set)
    changed.channel_group.CopyFrom(_applied(trees, "/Channel", 1))
    return changed


class _Trees(NamedTuple):
    """One place in the configuration and in an update's two sets."""

    current: ConfigGroup
    read: ConfigGroup
    write: ConfigGroup


def _applied(at: _Trees, path: str, depth: int) -> ConfigGroup:
    refuse_if(depth > CONFIG_DEPTH_MAX, Reason.BAD_VALUE, "the update is nested too deeply")
    _check_versions(at, path)
    taken = ConfigGroup()
    changed = at.write.version != at.current.version
    taken.version = at.write.version
    taken.mod_policy = at.write.mod_policy if changed else at.current.mod_policy
    kept = at.write if changed else at.current
    for name in kept.groups:
        taken.groups[name].CopyFrom(_below(at, path, name, depth))
    _take(kept.values, at.current.values, at.write.values, taken.values)
    _take(kept.policies, at.current.policies, at.write.policies, taken.policies)
    return taken


def _below(at: _Trees, path: str, name: str, depth: int) -> ConfigGroup:
    if name not in at.write.groups:
        return at.current.groups[name]
    written = at.write.groups[name]
    if name not in at.current.groups:
        return written
    read = at.read.groups[name] if name in at.read.groups else ConfigGroup(version=written.version)
    return _applied(_Trees(at.current.groups[name], read, written), f"{path}/{name}", depth + 1)


def _take(
    names: Iterable[str],
    current: Mapping[str, Leaf],
    written: Mapping[str, Leaf],
    into: Mapping[str, Leaf],
) -> None:
    """An element whose version the update keeps is only named there, without its content."""
    for name in names:
        before, after = current.get(name), written.get(name)
        if before is not None and (after is None or after.version == before.version):
            into[name].CopyFrom(before)
        elif after is not None:
            into[name].CopyFrom(after)


def _check_versions(at: _Trees, path: str) -> None:
    """The update must have read what is there, and written each thing's next version."""
    if at.read.version != at.current.version:
        raise _stale(path, at.read.version, at.current.version)
    _check_leaves(at.current.values, at.read.values, at.write.values, path)
    _check_leaves(at.current.policies, at.read.policies, at.write.policies, path)
    if at.write.version not in (at.current.version, at.current.version + 1):
        raise _stale(path, at.write.version, at.current.version)


def _check_leaves(
    current: Mapping[str, Leaf], read: Mapping[str, Leaf], write: Mapping[str, Leaf], path: str
) -> None:
    for name, element in read.items():
        now = current.get(name)
        if now is None or now.version != element.version:
            raise _stale(f"{path}/{name}", element.version, -1 if now is None else now.version)
    for name, element in write.items():
        now = current.get(name)
        if name in read and read[name].version == element.version:
            continue
        if element.version != (0 if now is None else now.version + 1):
            raise _stale(f"{path}/{name}", element.version, -1 if now is None else now.version)


def _stale(path: str, named: int, now: int) -> EditRefused:
    there = "there is none now" if now < 0 else f"it is at version {now} now"
    return EditRefused(
        Reason.STALE,
        f"the update was made from another configuration: it names version {named} of {path}, and "
        f"{there}; make it again",
    )
