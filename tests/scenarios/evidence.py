# SPDX-License-Identifier: Apache-2.0
"""`tests/native.json`: proof that the scenarios ran on real Fabric, and on which sources."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pedchain_network import native

_SOURCES = ("fabric", "chaincode", "network")


def write(root: Path, outcomes: Mapping[str, str], counts: Mapping[str, int]) -> None:
    """Replace the file: Fabric's version, counts, each test's outcome, trees of the sources."""
    document = {
        "schema": "native/1",
        "fabric": fabric_version(),
        "counts": dict(sorted(counts.items())),
        "tests": dict(sorted(outcomes.items())),
        "trees": trees(root),
    }
    (root / "tests" / "native.json").write_text(json.dumps(document, indent=1) + "\n")


def fabric_version() -> str:
    """What the peer says its version is."""
    command = [str(native.find().peer), "version"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^\s*Version:\s*(\S+)", text, re.MULTILINE)
    return found[1] if found else "unknown"


def trees(root: Path) -> dict[str, str]:
    """Git's hash of each source folder as it lies in the work tree now, committed or not.

    Made in an index and object store thrown away afterwards, so that the repository stays as it
    is. Empty where there is no repository.
    """
    if not (root / ".git").exists():
        return {}
    store = subprocess.check_output(["git", "rev-parse", "--git-path", "objects"], cwd=root)
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {
            "GIT_INDEX_FILE": f"{scratch}/index",
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str((root / store.decode().strip()).resolve()),
        }

        def git(*arguments: str) -> str:
            done = subprocess.run(
                ["git", *arguments],
                cwd=root,
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
            return done.stdout.strip()

        git("add", "--", *_SOURCES)
        return {name: git("write-tree", f"--prefix={name}/") for name in _SOURCES}
