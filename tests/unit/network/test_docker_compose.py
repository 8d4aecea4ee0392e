# SPDX-License-Identifier: Apache-2.0
"""Goal: compose is found, is told the right things, and its failures say what to do.
Method: commands of our own on PATH that note how they were called."""

import json
import sys
from pathlib import Path

import pytest

from pedchain_network.errors import PartError, PortBusyError, RuntimeMissingError
from pedchain_network.runtimes.docker import command, compose
from pedchain_network.runtimes.docker.compose import Compose
from pedchain_network.state import State

_NOTE = """#!{python}
import json, os, sys
with open({calls!r}, "a") as file:
    file.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
print({output!r}, file=sys.stderr)
sys.exit({code})
"""


@pytest.fixture
def bin_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    return directory


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state")
    state.config.mkdir(parents=True)
    return state


def answering(path: Path, output: str, code: int = 0) -> None:
    path.write_text(f"#!/bin/sh\necho '{output}'\nexit {code}\n")
    path.chmod(0o755)


def noting(path: Path, output: str = "", code: int = 0) -> Path:
    calls = path.with_suffix(".calls")
    text = _NOTE.format(python=sys.executable, calls=str(calls), output=output, code=code)
    path.write_text(text)
    path.chmod(0o755)
    return calls


def test_the_engines_plugin_is_taken_first(bin_directory: Path) -> None:
    answering(bin_directory / "docker", "2.39.4")
    answering(bin_directory / "docker-compose", "1.29.2")
    assert command.find() == ("docker", "compose")


def test_without_the_plugin_the_old_command_will_do(bin_directory: Path) -> None:
    answering(bin_directory / "docker", "compose is not a docker command", code=1)
    answering(bin_directory / "docker-compose", "1.29.2")
    assert command.find() == ("docker-compose",)


def test_a_compose_that_cannot_read_our_file_is_refused(bin_directory: Path) -> None:
    answering(bin_directory / "docker-compose", "1.25.0")
    with pytest.raises(RuntimeMissingError, match="compose is missing") as raised:
        command.find()
    assert "1.29" in raised.value.fix


def test_compose_works_on_the_states_own_project_and_file(
    bin_directory: Path, state: State
) -> None:
    calls = noting(bin_directory / "compose")
    Compose((str(bin_directory / "compose"),), state).up(["peer0.dso.ped"])
    arguments, _ = json.loads(calls.read_text())
    assert arguments == [
        *("--project-name", compose.project(state)),
        *("--file", str(state.root / "config" / "compose.yaml")),
        *("up", "-d", "--no-build", "peer0.dso.ped"),
    ]


def test_settings_beside_the_file_are_not_overridden_from_outside(
    bin_directory: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PED_STATE", "/somebody/elses")
    monkeypatch.setenv("COMPOSE_FILE", "other.yaml")
    calls = noting(bin_directory / "compose")
    project = Compose((str(bin_directory / "compose"),), state)
    project.configure("services: {}\n", {"PED_STATE": str(state.root)})
    project.down()
    _, environment = json.loads(calls.read_text())
    assert not {"PED_STATE", "COMPOSE_FILE"} & set(environment)
    assert (state.config / ".env").read_text() == f"PED_STATE={state.root}\n"


def test_down_ends_gateways_and_agents_too(bin_directory: Path, state: State) -> None:
    calls = noting(bin_directory / "compose")
    Compose((str(bin_directory / "compose"),), state).down(volumes=True)
    arguments, _ = json.loads(calls.read_text())
    assert arguments[4:] == [
        *("--profile", "gateways", "--profile", "agents"),
        *("down", "--remove-orphans", "--volumes"),
    ]


def test_two_states_are_two_projects(tmp_path: Path) -> None:
    names = {compose.project(State(tmp_path / each)) for each in ("a", "b")}
    assert len(names) == 2
    assert compose.project(State(tmp_path / "a")) in names


def test_what_compose_says_when_it_fails_is_shown(bin_directory: Path, state: State) -> None:
    noting(bin_directory / "compose", "no space left on device", code=1)
    with pytest.raises(PartError, match=r"compose\| no space left on device"):
        Compose((str(bin_directory / "compose"),), state).up(["peer0.dso.ped"])


@pytest.mark.parametrize(
    "words",
    [
        "Bind for 127.0.0.1:7051 failed: port is already allocated",
        "listen tcp4 127.0.0.1:7051: bind: address already in use",
    ],
)
def test_a_port_that_somebody_takes_meanwhile_is_named(
    bin_directory: Path, state: State, words: str
) -> None:
    noting(bin_directory / "compose", words, code=1)
    with pytest.raises(PortBusyError, match=r"127\.0\.0\.1:7051") as raised:
        Compose((str(bin_directory / "compose"),), state).up(["peer0.dso.ped"])
    assert "other ports" in raised.value.fix
