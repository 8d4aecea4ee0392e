# SPDX-License-Identifier: Apache-2.0
"""Goal: status tells the truth. Method: a process and a listener of our own."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import psutil

from pedchain_network.runtimes.process import Process
from pedchain_network.state import Run, State
from pedchain_network.watch import health


def me(address: str) -> Process:
    """This very test as a part of the network."""
    started = psutil.Process().create_time()
    return Process("peer0", "peer", "DSO", os.getpid(), started, "/log", {"peer0": address})


async def look(tmp_path: Path, *processes: Process) -> health.Health:
    state = State(tmp_path)
    state.save(Run("native", "ped", "digest", processes))
    return await health.look(state)


async def serve() -> tuple[asyncio.Server, str]:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    return server, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_no_record_is_down(tmp_path: Path) -> None:
    found = await health.look(State(tmp_path))
    assert (found.state, found.lines()) == ("down", ["network down"])


async def test_all_alive_and_listening_is_up(tmp_path: Path) -> None:
    server, address = await serve()
    async with server:
        found = await look(tmp_path, me(address))
    assert found.state == "up"
    assert found.to_document()["parts"][0]["healthy"] is True  # type: ignore[index]


async def test_a_silent_listener_is_degraded_and_named(tmp_path: Path) -> None:
    found = await look(tmp_path, me("127.0.0.1:1"))
    assert found.state == "degraded"
    assert "         no answer: peer0" in found.lines()


async def test_one_dead_part_is_degraded_though_another_took_its_port(tmp_path: Path) -> None:
    server, address = await serve()
    async with server:
        dead = replace(me(address), name="peer1", started=0.0)
        found = await look(tmp_path, me(address), dead)
    assert found.state == "degraded"
    assert [part.name for part in found.parts if not part.healthy] == ["peer1"]
    assert found.parts[1].listens == {"peer0": False}


async def test_all_dead_is_down(tmp_path: Path) -> None:
    assert (await look(tmp_path, replace(me("127.0.0.1:1"), started=0.0))).state == "down"
