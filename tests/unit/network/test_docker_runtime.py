# SPDX-License-Identifier: Apache-2.0
"""Goal: only what is missing is started, and nothing is started that cannot become whole.
Method: the runtime between an engine and a compose that only remember."""

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pedchain_network.errors import ImageMissingError, PortBusyError
from pedchain_network.pki import crypto
from pedchain_network.progress import Progress
from pedchain_network.runtimes.docker import command, compose, container, engine, images
from pedchain_network.runtimes.docker.runtime import Docker
from pedchain_network.state import Run, State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology
from tests import ports

ROOT = Path(__file__).resolve().parents[3]
RUN = Run("docker", "ped")


@dataclass
class FakeMachine:
    """Engine and compose in one: what is up is what compose was told."""

    up: dict[str, str] = field(default_factory=dict)
    images: bool = True
    volumes: bool = False
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def containers(self, project: str) -> list[Any]:
        labels = "com.docker.compose.service"
        return [
            SimpleNamespace(attrs={"Id": name, "State": state, "Labels": {labels: name}})
            for name, state in self.up.items()
        ]

    def has_image(self, name: str) -> bool:
        return self.images

    def label(self, name: str, key: str) -> str:
        return images.digest(images.CHAINCODE, ROOT)

    def pull(self, name: str) -> None:
        raise ImageMissingError(f"image {name} is not here")

    def has_volumes(self, project: str) -> bool:
        return self.volumes

    def maps_root(self) -> bool:
        return False

    def log(self, identifier: str, *_: object, **__: object) -> Iterator[str]:
        yield f"last words of {identifier}"

    def run(self, project: compose.Compose, *arguments: str) -> None:
        self.calls.append(arguments)
        names = [each for each in arguments if "." in each]
        if arguments[0] == "up":
            self.up |= dict.fromkeys(names, "running")
        elif arguments[0] == "rm":
            for name in names:
                self.up.pop(name, None)
        else:
            self.up.clear()


@pytest.fixture
def topology() -> Iterator[Topology]:
    with ports.moved(reader.reference().read_text()) as text:
        yield reader.parse(text, "the test's topology")


@pytest.fixture
def state(tmp_path: Path, topology: Topology) -> State:
    state = State(tmp_path / "state")
    crypto.create(state.crypto, topology)
    state.save_topology(topology)
    return state


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    made = FakeMachine()

    @contextmanager
    def connected() -> Iterator[FakeMachine]:
        yield made

    monkeypatch.setattr(engine, "connected", connected)
    monkeypatch.setattr(container, "ENGINE_LOOK_S", -1.0)
    monkeypatch.setattr(command, "find", lambda: ("compose",))
    monkeypatch.setattr(compose.Compose, "_run", made_run(made))
    return made


def made_run(machine: FakeMachine) -> Any:
    def run(self: compose.Compose, *arguments: str) -> None:
        machine.run(self, *arguments)

    return run


def start(topology: Topology, state: State, only: Sequence[str] = ()) -> list[str]:
    told: list[str] = []
    Docker().start(topology, state, RUN, Progress(told.append), only)
    return told


def test_a_whole_network_is_started_at_once(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    told = start(topology, state)
    assert machine.calls == [("up", "-d", "--no-build", *(n.name for n in topology.nodes()))]
    assert "started 12 containers" in told[-1]
    assert all(each.alive for each in Docker().parts(state, RUN))


def test_a_running_network_is_left_alone(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    start(topology, state)
    told = start(topology, state)
    assert len(machine.calls) == 1
    assert "all 12 containers run already" in told[-1]


@pytest.mark.parametrize("ended", ["exited", "created", "restarting"])
def test_of_a_half_made_network_the_rest_is_started(
    machine: FakeMachine, topology: Topology, state: State, ended: str
) -> None:
    start(topology, state)
    machine.up["peer0.dso.ped"] = ended
    start(topology, state)
    assert machine.calls[-1] == ("up", "-d", "--no-build", "peer0.dso.ped")


def test_a_busy_port_is_told_before_anything_is_started(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    node = topology.find("peer0.dso.ped")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", node.port()))
        with pytest.raises(PortBusyError, match=str(node.port())):
            start(topology, state)
    assert machine.calls == []


def test_a_missing_image_is_told_before_anything_is_started(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    machine.images = False
    with pytest.raises(ImageMissingError, match="hyperledger/fabric-peer"):
        start(topology, state)
    assert machine.calls == []


def test_one_node_can_be_ended_and_started_by_itself(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    start(topology, state)
    Docker().stop(state, RUN, Progress(lambda _: None), only=["peer0.dso.ped"])
    assert machine.calls[-1] == ("rm", "--stop", "--force", "peer0.dso.ped")
    assert len(Docker().parts(state, RUN)) == 11
    start(topology, state, only=["peer0.dso.ped"])
    assert len(Docker().parts(state, RUN)) == 12


def test_what_a_container_wrote_outlives_it(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    start(topology, state)
    Docker().stop(state, RUN, Progress(lambda _: None))
    assert "down" in machine.calls[-1]
    assert "--volumes" not in machine.calls[-1]
    assert "last words" in (state.log / "peer0.dso.ped.log").read_text()


def test_ledgers_of_a_network_that_is_gone_do_not_become_the_new_ones(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    machine.volumes = True
    start(topology, state)
    assert [each[-1] for each in machine.calls[:-1]] == ["--volumes"]


def test_ledgers_of_a_network_that_has_a_channel_are_kept(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    machine.volumes = True
    state.genesis(topology.channel).parent.mkdir()
    state.genesis(topology.channel).touch()
    start(topology, state)
    assert [each[0] for each in machine.calls] == ["up"]


def test_ledgers_are_removed_on_request_only(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    Docker().remove(state, RUN)
    assert machine.calls == []
    start(topology, state)
    Docker().remove(state, RUN)
    assert machine.calls[-1][-1] == "--volumes"


def test_nodes_bind_anywhere_inside_but_are_dialled_by_name(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    named = replace(topology, dial_names=True)
    start(named, state)
    node = named.find("peer0.dso.ped")
    core = json.loads((state.config / node.name / "core.yaml").read_text())
    assert core["peer"]["listenAddress"] == f"0.0.0.0:{node.port()}"
    assert core["peer"]["address"] == f"peer0.dso.ped:{node.port()}"
    assert core["peer"]["gossip"]["externalEndpoint"] == f"peer0.dso.ped:{node.port()}"
    assert core["peer"]["mspConfigPath"] == "/etc/pedchain/node/msp"
    assert core["operations"]["tls"]["enabled"] is True
    assert core["operations"]["tls"]["clientRootCAs"]["files"] == [
        "/etc/pedchain/node/msp/tlscacerts/cert.pem"
    ]


def test_who_else_is_on_this_host_cannot_read_the_keys_that_peers_dial_with(
    machine: FakeMachine, topology: Topology, state: State
) -> None:
    start(topology, state)
    told = state.config / "peer0.dso.ped" / "builder.json"
    assert told.stat().st_mode & 0o777 == 0o600
    for text in (state.config / "compose.yaml", state.config / ".env"):
        assert "PRIVATE KEY" not in text.read_text()
