# SPDX-License-Identifier: Apache-2.0
"""Goal: a container says of itself what a process says. Method: an engine that repeats what it
was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from pedchain_network import limits
from pedchain_network.runtimes.docker import container, engine
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology


class FakeEngine:
    """Answers with what it was given; counts how often it was asked."""

    def __init__(self, states: dict[str, str]) -> None:
        self.states = states
        self.asked = 0

    def containers(self, project: str) -> list[Any]:
        self.asked += 1
        return [SimpleNamespace(attrs=summary(*each)) for each in self.states.items()]

    def memory_bytes(self, identifier: str) -> int | None:
        return {"id-peer0.dso.ped": 5}.get(identifier)

    def log(
        self, identifier: str, lines: int | None, *, follow: bool, times: bool
    ) -> Iterator[str]:
        if identifier:
            yield ("2026-01-01T00:00:00Z " if times else "") + f"panic in {identifier} of {lines}"


def summary(name: str, state: str) -> dict[str, Any]:
    return {
        "Id": f"id-{name}",
        "State": state,
        "Status": f"{state} for a minute",
        "Image": "hyperledger/fabric-peer:3.1.5",
        "Labels": {"com.docker.compose.service": name},
    }


@pytest.fixture
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    made = FakeEngine({"volumes": "exited", "gateway0.districta.ped": "running"})

    @contextmanager
    def connected() -> Iterator[FakeEngine]:
        yield made

    monkeypatch.setattr(engine, "connected", connected)
    monkeypatch.setattr(container, "ENGINE_LOOK_S", -1.0)
    return made


def only(topology: Topology, name: str) -> container.ContainerPart:
    return next(each for each in container.parts(topology, "ped-1") if each.name == name)


def test_the_parts_are_the_topologys_nodes_that_exist(fake: FakeEngine, topology: Topology) -> None:
    assert container.parts(topology, "ped-1") == ()
    fake.states |= {"peer0.dso.ped": "running", "chaincode0.dso.ped": "exited"}
    parts = container.parts(topology, "ped-1")
    assert {(each.name, each.kind, each.organization) for each in parts} == {
        ("peer0.dso.ped", "peer", "DSO"),
        ("chaincode0.dso.ped", "chaincode", "DSO"),
    }


@pytest.mark.parametrize(
    ("state", "alive"),
    [("running", True), ("paused", True), ("exited", False), ("restarting", False)],
)
def test_one_that_has_ended_or_ends_again_and_again_is_not_alive(
    fake: FakeEngine, topology: Topology, state: str, alive: bool
) -> None:
    fake.states["peer0.dso.ped"] = state
    assert only(topology, "peer0.dso.ped").alive is alive


def test_one_that_was_removed_meanwhile_is_not_alive(fake: FakeEngine, topology: Topology) -> None:
    fake.states["peer0.dso.ped"] = "running"
    part = only(topology, "peer0.dso.ped")
    del fake.states["peer0.dso.ped"]
    assert not part.alive
    assert part.health == "gone"
    assert part.log_tail() == "(no log)"


def test_only_what_is_published_is_said_to_listen(fake: FakeEngine, topology: Topology) -> None:
    fake.states |= {"peer0.dso.ped": "running", "chaincode0.dso.ped": "running"}
    peer = only(topology, "peer0.dso.ped")
    assert dict(peer.listens) == {
        "peer0.dso.ped": "127.0.0.1:7051",
        "peer0.dso.ped operations": "127.0.0.1:7055",
    }
    assert only(topology, "chaincode0.dso.ped").listens == {}


def test_log_memory_and_image_are_the_engines(fake: FakeEngine, topology: Topology) -> None:
    fake.states |= {"peer0.dso.ped": "running", "orderer0.dso.ped": "running"}
    part = only(topology, "peer0.dso.ped")
    assert part.log_tail() == f"  peer0.dso.ped| panic in id-peer0.dso.ped of {limits.LOG_SEARCHED}"
    assert list(part.read_log(3, follow=False)) == [
        "2026-01-01T00:00:00Z panic in id-peer0.dso.ped of 3"
    ]
    assert part.memory_bytes == 5
    assert only(topology, "orderer0.dso.ped").memory_bytes is None
    assert part.image == "hyperledger/fabric-peer:3.1.5"
    assert part.health == "running for a minute"


def test_many_questions_at_once_are_one_question(
    fake: FakeEngine, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "ENGINE_LOOK_S", 3600.0)
    fake.states |= {node.name: "running" for node in topology.nodes()}
    assert all(each.alive for each in container.parts(topology, "ped-1"))
    assert fake.asked == 1
