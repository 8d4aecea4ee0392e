# SPDX-License-Identifier: Apache-2.0
"""Which runtime brings the network up, and why that one."""

from dataclasses import dataclass

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes import native

RUNTIMES = ("auto", "docker", "native", "embedded")

_NO_DOCKER = "docker: not available yet"


@dataclass(frozen=True, slots=True)
class Choice:
    """A runtime and the reason for it, to be told."""

    runtime: str
    reason: str


def choose(wanted: str) -> Choice:
    """The runtime for `wanted`. Raises `RuntimeMissingError` if that very one cannot run here."""
    if wanted == "embedded":
        return Choice("embedded", "as asked; our own peers and orderers, for trying and testing")
    if wanted == "native":
        return Choice("native", f"as asked; {native.find().peer}")
    if wanted == "docker":
        raise RuntimeMissingError(_NO_DOCKER, "use --runtime native, embedded or auto")
    if wanted != "auto":
        raise RuntimeMissingError(f"no runtime {wanted!r}", f"known: {', '.join(RUNTIMES)}")
    try:
        return Choice("native", f"{_NO_DOCKER}; found {native.find().peer}")
    except RuntimeMissingError as missing:
        return Choice("embedded", f"{_NO_DOCKER}; {missing.message}; for trying and testing")
