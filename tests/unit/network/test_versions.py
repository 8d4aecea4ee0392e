# SPDX-License-Identifier: Apache-2.0
"""Goal: binaries of another Fabric are refused before anything starts. Method: scripts that say
a version."""

import os
from pathlib import Path

import pytest

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes import versions
from pedchain_network.runtimes.versions import Release


def binary(directory: Path, name: str, script: str) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def release(directory: Path, peer: str, orderer: str = "echo ' Version: v3.1.5'") -> Release:
    return Release(
        binary(directory, "peer", peer), binary(directory, "orderer", orderer), directory
    )


@pytest.mark.parametrize("said", ["3.1.0", "v3.1.5", "v3.1.12"])
def test_any_release_of_3_1_is_taken(tmp_path: Path, said: str) -> None:
    versions.require(release(tmp_path, f"echo ' Version: {said}'"), "3.1.5", tmp_path / "c/known")


@pytest.mark.parametrize("said", ["2.5.15", "3.0.1", "3.2.0", "3.1.0-beta"])
def test_another_release_is_refused_by_name(tmp_path: Path, said: str) -> None:
    with pytest.raises(RuntimeMissingError, match=f"peer is of Fabric v?{said}") as raised:
        versions.require(release(tmp_path, f"echo ' Version: {said}'"), "3.1.5", tmp_path / "c")
    assert "v3.1.5" in raised.value.fix


def test_the_orderer_is_asked_too(tmp_path: Path) -> None:
    old = release(tmp_path, "echo ' Version: 3.1.5'", "echo ' Version: 2.5.0'")
    with pytest.raises(RuntimeMissingError, match=r"orderer is of Fabric 2.5.0"):
        versions.require(old, "3.1.5", tmp_path / "c")


@pytest.mark.parametrize("script", ["exit 1", "echo hello", "kill -SEGV $$"])
def test_a_binary_that_says_nothing_is_refused(tmp_path: Path, script: str) -> None:
    with pytest.raises(RuntimeMissingError, match="does not tell its version"):
        versions.require(release(tmp_path, script), "3.1.5", tmp_path / "c")


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    broken = release(tmp_path, "echo ' Version: 3.1.5'")
    broken.peer.write_bytes(b"\x7fELF of another machine")
    with pytest.raises(RuntimeMissingError, match="does not run"):
        versions.require(broken, "3.1.5", tmp_path / "c")


def test_the_answer_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    asked = f"echo x >> {tmp_path}/asked; echo ' Version: 3.1.5'"
    found, cache = release(tmp_path, asked), tmp_path / "c"
    for _ in range(3):
        versions.require(found, "3.1.5", cache)
    assert (tmp_path / "asked").read_text() == "x\n"
    os.utime(found.peer, ns=(1, 1))
    versions.require(found, "3.1.5", cache)
    assert (tmp_path / "asked").read_text() == "x\nx\n"


@pytest.mark.parametrize("content", ["", "[]", '{"peer": 3}', '{"a": []}'])
def test_a_damaged_memory_is_no_obstacle(tmp_path: Path, content: str) -> None:
    cache = tmp_path / "c"
    cache.write_text(content)
    versions.require(release(tmp_path, "echo ' Version: 3.1.5'"), "3.1.5", cache)
