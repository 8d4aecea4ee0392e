# SPDX-License-Identifier: Apache-2.0
"""Which runtime is taken, on machines that have or lack engine and binaries."""

from pathlib import Path

import pytest

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes import choice


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One without an engine and without binaries; the folder is $FABRIC_HOME."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setenv("FABRIC_HOME", str(tmp_path / "fabric"))
    return tmp_path / "fabric"


def install(home: Path) -> None:
    for name in ("bin/peer", "bin/orderer", "builders/ccaas/bin/build"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)


def test_auto_without_an_engine_takes_native_and_says_why(machine: Path) -> None:
    install(machine)
    chosen = choice.choose("auto")
    assert chosen.runtime == "native"
    assert "docker: no engine answers" in chosen.reason
    assert str(machine) in chosen.reason


def test_auto_without_engine_and_binaries_is_embedded_and_says_why(machine: Path) -> None:
    chosen = choice.choose("auto")
    assert chosen.runtime == "embedded"
    assert "docker: no engine answers" in chosen.reason
    assert "bin/peer" in chosen.reason


@pytest.mark.parametrize("wanted", ["podman", "native"])
def test_a_runtime_that_cannot_run_is_refused(machine: Path, wanted: str) -> None:
    with pytest.raises(RuntimeMissingError) as raised:
        choice.choose(wanted)
    assert "embedded" in raised.value.fix


def test_docker_without_an_engine_is_refused_with_what_to_do(machine: Path) -> None:
    with pytest.raises(RuntimeMissingError) as raised:
        choice.choose("docker")
    assert "no engine answers" in raised.value.message
    assert "start the engine" in raised.value.fix


def test_auto_stays_with_what_was_taken_before(machine: Path) -> None:
    install(machine)
    chosen = choice.choose("auto", last="embedded")
    assert chosen.runtime == "embedded"
    assert chosen.reason == "as before"
