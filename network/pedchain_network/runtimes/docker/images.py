# SPDX-License-Identifier: Apache-2.0
"""The images a network needs, each at one version."""

from importlib.metadata import version
from pathlib import Path

CHAINCODE, GATEWAY, AGENT = "chaincode", "gateway", "agent"
"""Roles of the images that are ours."""

DOCKERFILE = "images/Dockerfile"
"""What they are built by, below the repository's root."""


def fabrics(kind: str, release: str) -> str:
    """Fabric's official image of a peer or an orderer."""
    return f"hyperledger/fabric-{kind}:{release}"


def own(role: str) -> str:
    """The image of one of our roles, of this very version."""
    return f"pedchain/{role}:{version('pedchain-network')}"


def needed(release: str) -> tuple[str, ...]:
    """What a network's own containers are made from."""
    return fabrics("peer", release), fabrics("orderer", release), own(CHAINCODE)


def source() -> Path | None:
    """The repository this code runs from, if it does: where our images can be built."""
    root = Path(__file__).resolve().parents[4]
    return root if (root / DOCKERFILE).is_file() else None
