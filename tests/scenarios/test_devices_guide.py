# SPDX-License-Identifier: Apache-2.0
"""The guide for makers of devices: its commands are run as they stand, with curl and openssl."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import ports
from tests.scenarios.harness import network

ROOT = Path(__file__).parents[2]
TOOLS = ("bash", "curl", "openssl", "od", "sed", "gzip")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="the guide needs curl and openssl")
def test_the_guides_commands_bring_a_first_reading(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/devices.md").read_text(), re.S)
    assert len(blocks) == 6
    folder = tmp_path / "guide"
    (folder / "docs").mkdir(parents=True)
    shutil.copytree(ROOT / "docs/examples", folder / "docs/examples")
    with network("embedded", tmp_path) as made, ports.free() as port:
        made.run("up")
        bins = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {"PATH": bins, "PROFILES": str(made.state / "profiles"), "PORT": str(port)}
        script = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", "\n".join([*blocks, "kill $!; wait $! || true"])],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = script.communicate(timeout=90)
        finally:
            if script.poll() is None:
                os.killpg(script.pid, signal.SIGKILL)
    assert script.returncode == 0, said
    first, again, forged, many, spooled, later = (
        results(folder / "first" / f"{name}.json")
        for name in ("first", "again", "forged", "many", "spooled", "later")
    )
    assert [one["status"] for one in first] == ["recorded"]
    assert again[0]["status"] == "duplicate"
    assert again[0]["transaction"] == first[0]["transaction"]
    assert [(one["status"], one["reason"]) for one in forged] == [("rejected", "bad-signature")]
    assert [one["status"] for one in many] == ["recorded"] * 2
    assert [one["status"] for one in spooled] == ["spooled"]
    assert [one["status"] for one in later] == ["recorded"]


def results(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["results"]
    return found
