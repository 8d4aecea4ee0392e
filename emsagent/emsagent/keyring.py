# SPDX-License-Identifier: Apache-2.0
"""Where each device's key is: in a file of its own, or in a token; and the one that follows it.

A rotation begins with a second key and the counter it signs from. From that counter on it signs;
once nothing before it waits to be signed it takes the first one's place, and the first is kept
aside. A crash between two renames is finished at the next start.
"""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import keys
from emsagent.config import Config, DeviceConfig, TokenConfig
from emsagent.errors import ConfigError, KeyFileError

if TYPE_CHECKING:
    from emsagent.token import Token

Key = ec.EllipticCurvePrivateKey
TOKEN = "token"  # noqa: S105 - where a key is, not what it is


def path_of(config: Config, device: str) -> Path:
    """Where a device's key file lies."""
    return config.state / "keys" / f"{device}.pem"


def device_of(config: Config, device: str) -> DeviceConfig:
    """A configured device. Raises `ConfigError`."""
    for home in config.homes:
        for one in home.devices:
            if one.id == device:
                return one
    raise ConfigError("", f"no device {device} is configured")


def exists(config: Config, device: DeviceConfig) -> bool:
    """Whether the device has a key. Raises `KeyFileError`."""
    if device.key == TOKEN:
        return _token(config).find(device.id) is not None
    return path_of(config, device.id).exists()


def load(config: Config, device: DeviceConfig) -> Key:
    """The device's key. Raises `KeyFileError` where it has none that can be used."""
    if device.key == TOKEN:
        found = _token(config).find(device.id)
        if found is None:
            raise KeyFileError(f"the token holds no key {device.id}")
        return found
    return keys.load(path_of(config, device.id))


def load_or_create(config: Config, device: DeviceConfig) -> Key:
    """The device's key, made on its first start."""
    if exists(config, device):
        return load(config, device)
    if device.key == TOKEN:
        return _token(config).create(device.id)
    return keys.create(path_of(config, device.id))


@dataclass(frozen=True, slots=True)
class Next:
    """The key that signs from a counter on."""

    key: Key
    first_counter: int


def upcoming(config: Config, device: str) -> Next | None:
    """The device's next key, if a rotation has begun."""
    for found in _next_files(config, device):
        return Next(keys.load(found), int(found.name.split(".")[-2]))
    return None


def begin(config: Config, device: DeviceConfig, first_counter: int) -> Next:
    """Make the next key. Raises `KeyFileError` where one waits already, or a token holds it."""
    if device.key == TOKEN:
        raise KeyFileError("a key in a token is exchanged with its device, not rotated")
    if _next_files(config, device.id):
        raise KeyFileError(f"{device.id} has a next key already")
    path = path_of(config, device.id)
    made = keys.create(path.with_name(f"{device.id}.next.{first_counter}.pem"))
    return Next(made, first_counter)


def finish(config: Config, device: str, signed_to: int) -> None:
    """Put the next key in its place once every counter before its own is signed (or a crash was in
    between)."""
    path = path_of(config, device)
    for found in _next_files(config, device):
        first = int(found.name.split(".")[-2])
        if signed_to + 1 < first and path.exists():
            return
        if path.exists():
            os.replace(path, path.with_name(f"{device}.before.{first}.pem"))
        os.replace(found, path)


def _next_files(config: Config, device: str) -> list[Path]:
    return sorted(path_of(config, device).parent.glob(f"{device}.next.*.pem"))


def _token(config: Config) -> "Token":
    if config.token is None:
        raise ConfigError("token", "is missing; write a table [token]")
    return _opened(config.token)


@cache
def _opened(config: TokenConfig) -> "Token":
    from emsagent import token  # only where a key is in one

    return token.Token(config.module, config.label, config.pin_file)
