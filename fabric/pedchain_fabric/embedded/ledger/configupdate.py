# SPDX-License-Identifier: Apache-2.0
"""Changing a channel's configuration (Fabric common/configtx).

An update names what it read and what it wants written, each element with its version; whatever
gets the next version must be agreed to by the policy the element itself names.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from fabric_protos.common.common_pb2 import (
    CONFIG_UPDATE,
    ChannelHeader,
    Envelope,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigPolicy,
    ConfigUpdate,
    ConfigUpdateEnvelope,
    ConfigValue,
)

from pedchain_fabric.embedded.ledger.errors import ConfigRefused
from pedchain_fabric.embedded.ledger.limits import CONFIG_DEPTH
from pedchain_fabric.embedded.ledger.policies import shortfall
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse

Item: TypeAlias = ConfigGroup | ConfigValue | ConfigPolicy
# Kind ("Group", "Value", "Policy") and path below the root, the element's own name last.
Place: TypeAlias = tuple[str, tuple[str, ...]]
Items: TypeAlias = dict[Place, Item]
E = TypeVar("E", ConfigGroup, ConfigValue, ConfigPolicy)

_NAME: Final = re.compile(r"[a-zA-Z0-9.-]{1,249}")


@dataclass(frozen=True, slots=True)
class Update:
    """A signed configuration update, taken apart."""

    channel_id: str
    read_set: Items
    write_set: Items
    signed: tuple[SignedData, ...]


def propose(config: ChannelConfig, envelope: Envelope) -> ConfigEnvelope:
    """The configuration that a CONFIG_UPDATE envelope leads to, to be ordered as CONFIG.

    Raises `ConfigRefused` if it is not authorised or does not fit the current configuration.
    """
    try:
        return _proposed(config, envelope)
    except ConfigRefused as error:
        raise ConfigRefused(f"error authorizing update: {error}") from error


def _proposed(config: ChannelConfig, envelope: Envelope) -> ConfigEnvelope:
    try:
        update = _read_update(envelope)
        group = _result(config, update)
        proposed = Config(sequence=config.sequence + 1, channel_group=group)
        ChannelConfig.from_config(config.channel_id, proposed)
    except WireError as error:
        raise ConfigRefused(str(error)) from error
    return ConfigEnvelope(config=proposed, last_update=envelope)


def apply(config: ChannelConfig, ordered: ConfigEnvelope) -> ChannelConfig:
    """The configuration after an ordered CONFIG transaction, its update judged again.

    Raises `ConfigRefused`: then the orderers agreed on what they should not have.
    """
    if ordered.config.sequence != config.sequence + 1:
        raise ConfigRefused(
            f"config currently at sequence {config.sequence}, cannot validate config at sequence "
            f"{ordered.config.sequence}"
        )
    if _proposed(config, ordered.last_update).config != ordered.config:
        raise ConfigRefused("ConfigEnvelope LastUpdate did not produce the supplied config result")
    return ChannelConfig.from_config(config.channel_id, ordered.config)


def _read_update(envelope: Envelope) -> Update:
    payload = parse(Payload, envelope.payload)
    header = parse(ChannelHeader, payload.header.channel_header)
    if header.type != CONFIG_UPDATE:
        raise ConfigRefused("not a tx of type CONFIG_UPDATE")
    signed = parse(ConfigUpdateEnvelope, payload.data)
    update = parse(ConfigUpdate, signed.config_update)
    claims = tuple(
        SignedData(
            parse(SignatureHeader, each.signature_header).creator,
            each.signature_header + signed.config_update,
            each.signature,
        )
        for each in signed.signatures
    )
    read_set = _items(update.read_set) if update.HasField("read_set") else {}
    write_set = _items(update.write_set) if update.HasField("write_set") else {}
    return Update(update.channel_id, read_set, write_set, claims)


def _items(root: ConfigGroup) -> Items:
    return dict(_walk(root, ()))


def _walk(group: ConfigGroup, path: tuple[str, ...]) -> Iterator[tuple[Place, Item]]:
    if len(path) > CONFIG_DEPTH:
        raise ConfigRefused("the configuration is nested too deeply")
    yield ("Group", path), group
    for name, below in group.groups.items():
        yield from _walk(below, (*path, _checked(name)))
    for name, value in group.values.items():
        yield ("Value", (*path, _checked(name))), value
    for name, policy in group.policies.items():
        yield ("Policy", (*path, _checked(name))), policy


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None or name in (".", ".."):
        raise ConfigRefused(f"config ID {name!r} is illegal")
    return name


def _show(place: Place) -> str:
    kind, path = place
    return f"{f'[{kind}]':<9}{'/'.join(('/Channel', *path))}"


def _result(config: ChannelConfig, update: Update) -> ConfigGroup:
    """The new channel group, once every change is found authorised."""
    if update.channel_id != config.channel_id:
        raise ConfigRefused(
            f"ConfigUpdate for channel '{update.channel_id}' but envelope for channel "
            f"'{config.channel_id}'"
        )
    existing = _items(config.config.channel_group)
    _check_read_set(existing, update.read_set)
    changed = {
        place: item
        for place, item in update.write_set.items()
        if place not in update.read_set or update.read_set[place].version != item.version
    }
    _check_changes(config, existing, changed, update.signed)
    result = existing | changed
    for place in update.write_set:
        if place not in result:
            raise ConfigRefused(
                f"full config did not verify: writeset contained key {_show(place)} which did not "
                "appear in proposed config"
            )
    return _assemble(result, ())


def _check_read_set(existing: Items, read_set: Items) -> None:
    for place, item in read_set.items():
        if place not in existing:
            raise ConfigRefused(
                "error validating ReadSet: existing config does not contain element for "
                f"{_show(place)} but was in the read set"
            )
        if existing[place].version != item.version:
            raise ConfigRefused(
                f"error validating ReadSet: proposed update requires that key {_show(place)} be at "
                f"version {item.version}, but it is currently at version {existing[place].version}"
            )


def _check_changes(
    config: ChannelConfig, existing: Items, changed: Items, signed: tuple[SignedData, ...]
) -> None:
    try:
        if not changed:
            raise ConfigRefused("delta set was empty -- update would have no effect")
        for place, item in changed.items():
            _check_change(config, existing, place, item, signed)
    except ConfigRefused as error:
        raise ConfigRefused(f"error validating DeltaSet: {error}") from error


def _check_change(
    config: ChannelConfig,
    existing: Items,
    place: Place,
    item: Item,
    signed: tuple[SignedData, ...],
) -> None:
    """Raise unless the element is new, or has the next version and its policy agrees."""
    if not item.mod_policy:
        raise ConfigRefused(f"invalid mod_policy for element {_show(place)}: mod_policy not set")
    for part in item.mod_policy.removeprefix("/").split("/"):
        _checked(part)
    before = existing.get(place)
    if before is None:
        if item.version != 0:
            raise ConfigRefused(
                f"attempted to set key {_show(place)} to version {item.version}, "
                "but key does not exist"
            )
        return
    if item.version != before.version + 1:
        raise ConfigRefused(
            f"attempt to set key {_show(place)} to version {item.version}, but key is at version "
            f"{before.version}"
        )
    path = _policy_path(place, before.mod_policy)
    reason = shortfall(config, path, config.msps.signers(signed))
    if reason:
        raise ConfigRefused(f"policy for {_show(place)} not satisfied: {reason}")


def _policy_path(place: Place, name: str) -> str:
    """Where the policy of that name is: absolute, or relative to the element's group."""
    if name.startswith("/"):
        return name
    kind, path = place
    group = path if kind == "Group" else path[:-1]
    return "/".join(("/Channel", *group, name))


def _assemble(items: Items, path: tuple[str, ...]) -> ConfigGroup:
    """The group at a path. What it holds is what its latest version names."""
    found = _at(items, ("Group", path), ConfigGroup)
    group = ConfigGroup()
    group.CopyFrom(found)
    for name in found.groups:
        group.groups[name].CopyFrom(_assemble(items, (*path, name)))
    for name in found.values:
        group.values[name].CopyFrom(_at(items, ("Value", (*path, name)), ConfigValue))
    for name in found.policies:
        group.policies[name].CopyFrom(_at(items, ("Policy", (*path, name)), ConfigPolicy))
    if ("Value", ("Orderer", "Capabilities")) in items:
        _repair(group)
    return group


def _repair(group: ConfigGroup) -> None:
    """What has no mod_policy gets "Admins", as Fabric repairs channels of its first version."""
    items: list[Item] = [group, *group.values.values(), *group.policies.values()]
    for item in items:
        item.mod_policy = item.mod_policy or "Admins"


def _at(items: Items, place: Place, kind: type[E]) -> E:
    found = items.get(place)
    if not isinstance(found, kind):
        raise ConfigRefused(f"missing element at path: {_show(place)}")
    return found
