# SPDX-License-Identifier: Apache-2.0
"""Values of a configuration group: read as a message, written without touching who may change
them."""

from typing import TypeVar

from fabric_protos.common.configtx_pb2 import ConfigGroup, ConfigPolicy
from google.protobuf.message import Message

from pedchain_fabric.wire.messages import parse, serialize

M = TypeVar("M", bound=Message)

ADMINS = "Admins"


def put(group: ConfigGroup, key: str, value: Message) -> None:
    """Set a value; a new one may be changed by `Admins`."""
    entry = group.values[key]
    entry.value = serialize(value)
    entry.mod_policy = entry.mod_policy or ADMINS


def get(group: ConfigGroup, key: str, kind: type[M]) -> M:
    """The value, empty if there is none. Raises `WireError` if it is of another kind."""
    return parse(kind, group.values[key].value if key in group.values else b"")


def put_policy(group: ConfigGroup, key: str, wanted: ConfigPolicy) -> None:
    """Set a policy; one that was there stays changeable by whom it was."""
    entry = group.policies[key]
    entry.policy.CopyFrom(wanted.policy)
    entry.mod_policy = entry.mod_policy or wanted.mod_policy
