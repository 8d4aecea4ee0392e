# SPDX-License-Identifier: Apache-2.0
"""Which runtime brings the network up, and why that one."""

from dataclasses import dataclass

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes import native
from pedchain_network.topology.model import FABRIC

DOCKER, NATIVE, EMBEDDED = "docker", "native", "embedded"
RUNTIMES = ("auto", DOCKER, NATIVE, EMBEDDED)


@dataclass(frozen=True, slots=True)
class Choice:
    """A runtime and the reason for it, to be told."""

    runtime: str
    reason: str


def choose(wanted: str, fabric: str = FABRIC, last: str = "") -> Choice:
    """The runtime for `wanted`, with this release of Fabric; `auto` stays with the `last` one.

    Raises `RuntimeMissingError` if the very one that is asked for cannot run here.
    """
    if wanted == EMBEDDED:
        return Choice(EMBEDDED, "as asked; our own peers and orderers, for trying and testing")
    if wanted == NATIVE:
        return Choice(NATIVE, f"as asked; {native.find().peer}")
    if wanted == DOCKER:
        return Choice(DOCKER, f"as asked; {_engine()}")
    if wanted != "auto":
        raise RuntimeMissingError(f"no runtime {wanted!r}", f"known: {', '.join(RUNTIMES)}")
    return Choice(last, "as before") if last else _best(fabric)


def _best(fabric: str) -> Choice:
    """Real Fabric if it can be had, in containers before plain processes."""
    obstacle = _obstacle(fabric)
    if not obstacle:
        return Choice(DOCKER, _engine())
    try:
        return Choice(NATIVE, f"{obstacle}; found {native.find().peer}")
    except RuntimeMissingError as missing:
        return Choice(EMBEDDED, f"{obstacle}; {missing.message}; for trying and testing")


def _obstacle(fabric: str) -> str:
    """Why it cannot be docker. Without a socket nobody can answer, and asking is dear."""
    from pedchain_network.runtimes.docker import endpoint

    if not endpoint.address():
        return "docker: no engine runs here"
    from pedchain_network.runtimes.docker import check

    return check.obstacle(fabric)


def _engine() -> str:
    from pedchain_network.runtimes.docker import check

    return check.words()
