# SPDX-License-Identifier: Apache-2.0
"""`tests/native.json`: what the last whole run on real Fabric was, when, and on which sources;
`tests/docker.json`: the same of containers.

Only `make conformance` and `make docker-test` write them (pytest's `--evidence`): a part would hide
the rest.
"""

import datetime
import json
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes import native

SOURCES = ("fabric", "chaincode", "network")
"""Folders whose content decides whether a run on real Fabric still speaks for this tree."""

NATIVE = "native"


def file(runtime: str = NATIVE) -> Path:
    """Where the evidence of a runtime lies, from the repository's root."""
    return Path(f"tests/{runtime}.json")


def write(root: Path, outcomes: Mapping[str, str], runtime: str = NATIVE) -> None:
    """Replace the runtime's file with the outcomes of a whole run, by test id."""
    document = {
        "schema": f"{runtime}/1",
        "fabric": fabric_version(),
        "at": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "counts": dict(sorted(Counter(outcomes.values()).items())),
        "tests": dict(sorted(outcomes.items())),
        "trees": trees(root),
    }
    (root / file(runtime)).write_text(json.dumps(document, indent=1) + "\n")


def read(root: Path, runtime: str = NATIVE) -> dict[str, Any] | None:
    """The document, or None if nothing ever ran."""
    path = root / file(runtime)
    if not path.exists():
        return None
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def sentence(root: Path) -> str:
    """What the recorded runs on real Fabric say of this tree, in one sentence."""
    found = read(root)
    if found is None:
        return "real Fabric: NOT RUN, nothing has ever run on it from this tree"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in found["counts"].items())
    now = trees(root)
    changed = [name for name in SOURCES if found["trees"].get(name) != now.get(name)]
    state = f"since then changed: {', '.join(changed)}" if changed else "of these very sources"
    here = "" if fabric_found() else "; NOT RUN here, its binaries were not found (FABRIC_HOME)"
    return f"real Fabric {found['fabric']}: {counts}, last run {found['at']}, {state}{here}"


def fabric_found() -> bool:
    """Are Fabric's own binaries on this machine."""
    try:
        native.find()
    except RuntimeMissingError:
        return False
    return True


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

        git("add", "--", *SOURCES)
        return {name: git("write-tree", f"--prefix={name}/") for name in SOURCES}


if __name__ == "__main__":
    print(sentence(Path(__file__).resolve().parent.parent))  # noqa: T201 - for .ci/run to end with
