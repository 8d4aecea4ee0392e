# SPDX-License-Identifier: Apache-2.0
"""Connection profiles (`profile/1`): where an organisation's nodes and keys are."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from pedchain_fabric.client.gateway import Gateway
from pedchain_fabric.client.limits import CHANNEL_OPTIONS, PROFILE_BYTES_MAX, Deadlines
from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer

SCHEMA: Final = "profile/1"


@dataclass(frozen=True, slots=True)
class Node:
    """A peer or an orderer. `tls_ca` is None where it speaks without TLS."""

    address: str
    server_name: str
    tls_ca: Path | None
    msp_id: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """Where a user's certificate and key are."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Profile:
    """What a file of schema `profile/1` says, its paths made absolute."""

    organization: str
    msp_id: str
    channel: str
    runtime: str
    peer: Node
    users: Mapping[str, User]
    orderers: tuple[Node, ...] = ()
    peers: tuple[Node, ...] = ()
    genesis: Path | None = None

    def identity(self, user: str = "gateway") -> SigningIdentity:
        """The user with its key. Raises `IdentityError` if there is no usable one."""
        if user not in self.users:
            raise IdentityError(f"the profile has no user {user!r}")
        paths = self.users[user]
        try:
            certificate, key = paths.certificate.read_bytes(), paths.key.read_bytes()
        except OSError as error:
            raise IdentityError(f"user {user!r}: {error.strerror}") from error
        return SigningIdentity(self.msp_id, certificate, load_signer(key))


def load(path: str | os.PathLike[str]) -> Profile:
    """Read a profile. Raises `WireError` if it is none, `OSError` if it cannot be read."""
    file = Path(path)
    with file.open("rb") as opened:
        data = opened.read(PROFILE_BYTES_MAX + 1)
    if len(data) > PROFILE_BYTES_MAX:
        raise WireError("the profile is too large")
    try:
        found = json.loads(data)
        if found["schema"] != SCHEMA:
            raise WireError(f"the profile's schema is {found['schema']!r}, not {SCHEMA!r}")
        return _profile(found, file.parent)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WireError(f"{file.name} is no profile: {type(error).__name__} {error}") from error


def open_channel(node: Node) -> grpc.aio.Channel:
    """A gRPC channel to a node, with the message sizes Fabric uses. The caller closes it."""
    options: list[tuple[str, Any]] = list(CHANNEL_OPTIONS)
    if node.tls_ca is None:
        return grpc.aio.insecure_channel(node.address, options=options)
    if node.server_name:
        options.append(("grpc.ssl_target_name_override", node.server_name))
    credentials = grpc.ssl_channel_credentials(node.tls_ca.read_bytes())
    return grpc.aio.secure_channel(node.address, credentials, options=options)


async def connect(
    profile: Profile | str | os.PathLike[str],
    user: str = "gateway",
    deadlines: Deadlines | None = None,
    *,
    trusted_organizations: frozenset[str] = frozenset(),
) -> Gateway:
    """A gateway for the profile's user through the organisation's own peer.

    It owns its channel: close it, or use `async with`. Nothing is sent yet. Raises what `load`
    and `Profile.identity` raise.
    """
    known = profile if isinstance(profile, Profile) else load(profile)
    return Gateway(
        known.identity(user),
        open_channel(known.peer),
        deadlines,
        trusted_organizations=trusted_organizations,
        owns_channel=True,
    )


def _profile(found: Mapping[str, Any], folder: Path) -> Profile:
    genesis = found.get("genesis")
    return Profile(
        organization=_text(found["organization"]),
        msp_id=_text(found["msp_id"]),
        channel=_text(found["channel"]),
        runtime=_text(found.get("runtime", "")),
        peer=_node(found["peer"], folder, found),
        users={
            name: User(_path(each["certificate"], folder), _path(each["key"], folder))
            for name, each in found["users"].items()
        },
        orderers=tuple(_node(each, folder, {}) for each in found.get("orderers", ())),
        peers=tuple(_node(each, folder, {}) for each in found.get("peers", ())),
        genesis=None if genesis is None else _path(genesis, folder),
    )


def _node(found: Mapping[str, Any], folder: Path, default: Mapping[str, Any]) -> Node:
    tls_ca = found.get("tls_ca")
    return Node(
        address=_text(found["address"]),
        server_name=_text(found.get("server_name", "")),
        tls_ca=None if tls_ca is None else _path(tls_ca, folder),
        msp_id=_text(found.get("msp_id", default.get("msp_id", ""))),
        organization=_text(found.get("organization", default.get("organization", ""))),
    )


def _path(value: object, folder: Path) -> Path:
    return (folder / _text(value)).resolve()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
