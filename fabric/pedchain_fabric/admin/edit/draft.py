# SPDX-License-Identifier: Apache-2.0
"""A configuration being edited: a copy, and where things are in it."""

from collections.abc import Iterator

from fabric_protos.common.configtx_pb2 import Config, ConfigGroup

from pedchain_fabric.admin.refusal import EditRefused, Reason

APPLICATION = "Application"
ORDERER = "Orderer"


class Draft:
    """A copy of a configuration; `config` is what becomes of it."""

    def __init__(self, config: Config) -> None:
        self.config = Config()
        self.config.CopyFrom(config)

    @property
    def root(self) -> ConfigGroup:
        """The group `/Channel`."""
        return self.config.channel_group

    @property
    def application(self) -> ConfigGroup:
        """The group of those who have peers."""
        return self.group(f"/Channel/{APPLICATION}")

    @property
    def orderer(self) -> ConfigGroup:
        """The group of those who order."""
        return self.group(f"/Channel/{ORDERER}")

    def group(self, path: str) -> ConfigGroup:
        """The group at a path below `/Channel`. Raises `EditRefused` if there is none."""
        found = self.root
        first, *names = path.removeprefix("/").split("/")
        for name in names:
            if name not in found.groups:
                raise EditRefused(Reason.BAD_VALUE, f"the channel has no group {path}")
            found = found.groups[name]
        if first != "Channel":
            raise EditRefused(Reason.BAD_VALUE, f"{path} does not begin with /Channel")
        return found

    def members(self, name: str) -> Iterator[ConfigGroup]:
        """The organisation's entry in each half it stands in. Raises `EditRefused`."""
        halves = [self.application, self.orderer]
        found = [half.groups[name] for half in halves if name in half.groups]
        if not found:
            raise EditRefused(Reason.UNKNOWN_ORGANIZATION, f"{name} is not on the channel")
        return iter(found)

    def peer_owner(self, name: str) -> ConfigGroup:
        """The organisation's entry in the Application group. Raises `EditRefused`."""
        if name not in self.application.groups:
            raise EditRefused(Reason.UNKNOWN_ORGANIZATION, f"{name} is not on the channel")
        return self.application.groups[name]

    def orderer_owner(self, name: str) -> ConfigGroup:
        """The organisation's entry in the Orderer group. Raises `EditRefused`."""
        if name not in self.orderer.groups:
            raise EditRefused(Reason.NOT_ORDERING, f"{name} does not order on the channel")
        return self.orderer.groups[name]
