# SPDX-License-Identifier: Apache-2.0
"""Goal: exit codes and words scripts can rely on. Method: the command as a process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pedchain_network.topology.reader import reference


def ped_network(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pedchain_network", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_status_of_nothing_is_down(tmp_path: Path) -> None:
    done = ped_network("status", "--state", str(tmp_path), "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["state"] == "down"


def test_a_broken_topology_exits_1_with_line_and_fix(tmp_path: Path) -> None:
    topology = tmp_path / "consortium.yaml"
    topology.write_text(reference().read_text().replace("faults: 1", "faults: 3"))
    state = str(tmp_path / "state")
    options = ("--runtime", "embedded", "--topology", str(topology), "--state", state)
    done = ped_network("up", *options)
    assert done.returncode == 1
    assert f"{topology}:" in done.stderr
    assert "4 orderers tolerate 1 faults, not 3" in done.stderr
    assert "fix: add organisations up to 10" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("arguments", [("up", "--unknown"), ("nothing",)])
def test_a_wrong_usage_exits_2_in_plain_text(arguments: tuple[str, ...]) -> None:
    done = ped_network(*arguments)
    assert done.returncode == 2
    assert (done.stdout + done.stderr).isascii()


def test_docker_is_plainly_not_there_yet(tmp_path: Path) -> None:
    done = ped_network("up", "--runtime", "docker", "--state", str(tmp_path))
    assert done.returncode == 1
    assert "docker: not available yet" in done.stderr


def test_help_is_plain_text_when_piped() -> None:
    done = ped_network("up", "--help")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "--topology" in done.stdout
