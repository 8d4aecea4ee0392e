# SPDX-License-Identifier: Apache-2.0
"""The images a network needs, each at one version."""

import hashlib
from importlib.metadata import version
from pathlib import Path

CHAINCODE, GATEWAY, AGENT = "chaincode", "gateway", "agent"
"""Roles of the images that are ours."""

DOCKERFILE = "images/Dockerfile"
"""What they are built by, below the repository's root."""

MEMBERS = {
    CHAINCODE: ("domain", "fabric", "chaincode"),
    GATEWAY: ("domain", "fabric", "gateway"),
    AGENT: ("domain", "emsagent"),
}
"""The members of the repository that each holds."""


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


def digest(role: str, root: Path) -> str:
    """Changes with everything the image of a role is built from."""
    found = hashlib.sha256()
    recipe = [root / DOCKERFILE, root / "images" / f"{role}.lock", root / "images" / "build.lock"]
    code = [path for member in MEMBERS[role] for path in (root / member).rglob("*.py")]
    projects = [root / member / "pyproject.toml" for member in MEMBERS[role]]
    for path in sorted([*recipe, *code, *projects]):
        data = path.read_bytes()
        found.update(f"{path.relative_to(root)} {len(data)}\n".encode())
        found.update(data)
    return found.hexdigest()
