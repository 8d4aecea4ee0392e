# SPDX-License-Identifier: Apache-2.0
"""Writing files so that a crash leaves the old content or the new, never half."""

import os
from collections.abc import Iterator
from pathlib import Path

_SECRET = 0o600
_PLAIN = 0o644
_PRIVATE = 0o700
_END = b"-----END CERTIFICATE-----"


def write(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Replace `path` by `data`; a secret is never readable by others, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    mode = _SECRET if secret else _PLAIN
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    part.replace(path)


def directory(path: Path) -> None:
    """Make a directory that only its owner enters, and any that lead to it likewise."""
    for each in reversed((path, *path.parents)):
        each.mkdir(exist_ok=True, mode=_PRIVATE)


def pem_parts(data: bytes) -> Iterator[bytes]:
    """The certificates of a PEM text one by one."""
    for part in data.split(_END)[:-1]:
        begin = part.find(b"-----BEGIN CERTIFICATE-----")
        if begin >= 0:
            yield part[begin:] + _END + b"\n"
