# SPDX-License-Identifier: Apache-2.0
"""Goal: status tells the truth, to people and to scripts. Method: facts by hand, and this very
test as a part of a network whose other nodes are not there."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pedchain_network.runtimes.process import Process
from pedchain_network.state import Run, State
from pedchain_network.topology import reader
from pedchain_network.watch import health
from pedchain_network.watch.health import Health, NodeHealth, PartHealth
from pedchain_network.watch.leadership import Leadership
from pedchain_network.watch.look import look
from tests import ports

LED = Leadership("orderer0.dso.ped", 2, 4, 4, 3)
PEER_PART = PartHealth(
    "peer0.dso.ped", "peer", "DSO", 7, True, {"peer0.dso.ped": True}, "/log/peer0.log", 90_000_000
)
ORDERER_PART = replace(PEER_PART, name="orderer0.dso.ped", kind="orderer")
PEER = NodeHealth(
    "peer0.dso.ped", "peer", "DSO", "up", "peer0.dso.ped", 12, 0, chaincode={"registry": ""}
)
ORDERER = NodeHealth(
    "orderer0.dso.ped", "orderer", "DSO", "up", "orderer0.dso.ped", 12, 0, True, "3.1.5"
)


def whole(
    parts: tuple[PartHealth, ...] = (ORDERER_PART, PEER_PART),
    nodes: tuple[NodeHealth, ...] = (ORDERER, PEER),
    led: Leadership = LED,
) -> Health:
    verdict = health.verdict(parts, nodes, led)
    return Health(verdict, "native", "ped", "smartbft", parts, nodes, led)


def test_all_well_is_up_and_reads_well() -> None:
    assert whole().lines() == [
        "network up: runtime native, channel ped, height 12",
        "ordering smartbft: orderer0.dso.ped leads, view 2, 4 of 4 orderers answer, 3 needed",
        "  state  name              height  lag  serves            version  memory  pid",
        "  up     orderer0.dso.ped      12    0  leads             3.1.5     90 MB    7",
        "  up     peer0.dso.ped         12    0  1 of 1 contracts  -         90 MB    7",
    ]


def test_as_a_document_nothing_is_lost() -> None:
    document = whole().to_document()
    assert (document["state"], document["height"]) == ("up", 12)
    assert document["parts"][1]["healthy"] is True  # type: ignore[index]
    assert document["nodes"][0]["leads"] is True  # type: ignore[index]
    assert document["ordering"]["quorum"] == 3  # type: ignore[index]


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (
            whole(parts=(ORDERER_PART, replace(PEER_PART, alive=False))),
            "  ended  peer0.dso.ped",
        ),
        (whole(parts=(replace(PEER_PART, listens={"x": False}),)), "         no answer: x"),
        (
            whole(nodes=(ORDERER, replace(PEER, chaincode={"registry": "no stream"}))),
            "         registry: no stream",
        ),
        (whole(nodes=(ORDERER, replace(PEER, state="behind", lag=9))), "  behind"),
        (
            whole(nodes=(ORDERER, PEER, replace(PEER, name="p1", part="", state="absent"))),
            "  absent",
        ),
        (whole(led=replace(LED, leader="")), "ordering smartbft: nobody leads"),
        (
            whole(led=replace(LED, live=2)),
            "ordering smartbft: orderer0.dso.ped leads, view 2, 2 of 4 orderers answer, 3 needed: "
            "quorum lost",
        ),
    ],
)
def test_anything_amiss_is_degraded_and_told(broken: Health, line: str) -> None:
    assert broken.state == "degraded"
    assert any(each.startswith(line) for each in broken.lines()), broken.lines()


def test_a_node_in_another_process_stands_below_it() -> None:
    part = replace(PEER_PART, name="embedded", kind="network")
    lines = whole(parts=(part,), nodes=(replace(PEER, part="embedded"),)).lines()
    assert [line.split()[1] for line in lines[3:]] == ["embedded", "peer0.dso.ped"]
    assert "     peer0.dso.ped" in lines[4]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path / "state")
    with ports.moved(reader.reference().read_text()) as text:
        made.save_topology(reader.parse(text, "here"))
        yield made


def me(address: str) -> Process:
    """This very test as a part of the network."""
    started = psutil.Process().create_time()
    return Process("chaincode", "chaincode", "DSO", os.getpid(), started, "/log", {"it": address})


@asynccontextmanager
async def listening() -> AsyncIterator[str]:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_no_record_is_down(tmp_path: Path) -> None:
    found = await look(State(tmp_path))
    assert (found.state, found.lines()) == ("down", ["network down"])


async def test_a_part_that_runs_and_listens_is_up_though_all_nodes_are_absent(state: State) -> None:
    async with listening() as address:
        state.save(Run("native", "ped", (me(address),)))
        found = await look(state)
    assert found.state == "degraded"
    assert [part.word for part in found.parts] == ["up"]
    assert {node.state for node in found.nodes} == {"absent"}
    assert found.leadership is not None
    assert (found.leadership.live, found.leadership.leader) == (0, "")


async def test_a_silent_listener_is_named(state: State) -> None:
    state.save(Run("native", "ped", (me("127.0.0.1:1"),)))
    found = await look(state)
    assert [part.word for part in found.parts] == ["silent"]
    assert "         no answer: it" in found.lines()


async def test_the_port_of_a_dead_part_is_somebody_elses(state: State) -> None:
    async with listening() as address:
        dead = replace(me(address), name="chaincode1", started=0.0)
        state.save(Run("native", "ped", (me(address), dead)))
        found = await look(state)
    assert [part.word for part in found.parts] == ["up", "ended"]
    assert found.parts[1].listens == {"it": False}


async def test_all_dead_is_down(state: State) -> None:
    state.save(Run("native", "ped", (replace(me("127.0.0.1:1"), started=0.0),)))
    assert (await look(state)).state == "down"
