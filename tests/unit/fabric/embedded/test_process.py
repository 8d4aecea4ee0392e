# SPDX-License-Identifier: Apache-2.0
"""The process: how it starts, and that it may be killed at any moment."""

import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import grpc
import pytest

from tests.parity.asking import ask
from tests.parity.target import CHANNEL
from tests.unit.fabric.embedded import town as towns
from tests.unit.fabric.embedded.town import Town, evaluate, until

COMMAND = (sys.executable, "-m", "pedchain_fabric.embedded")


def run(config: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


async def ready(process: subprocess.Popen[str]) -> list[str]:
    """What it says up to `ready`."""
    stdout: IO[str] | None = process.stdout
    assert stdout is not None
    said = []
    while line := await asyncio.wait_for(asyncio.to_thread(stdout.readline), 30):
        said.append(line.strip())
        if said[-1] == "ready":
            break
    return said


def ended(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, str(config)], capture_output=True, text=True, timeout=30)


def test_it_refuses_to_listen_beyond_this_machine(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    node: dict[str, Any] = {
        "name": "p",
        "msp_id": "AMSP",
        "msp_dir": "msp",
        "listen": "0.0.0.0:7051",
        "tls": {"certificate": "cert.pem", "key": "key.pem"},
    }
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"peers": [node], "orderers": []}))
    done = ended(config)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "embedded network: peers[0].listen: '0.0.0.0:7051' is not a loopback address; "
        "embedded serves no other\n"
    )


def test_without_configuration_it_does_not_start(tmp_path: Path) -> None:
    done = ended(tmp_path / "none.json")
    assert (done.returncode, "cannot read none.json" in done.stderr) == (2, True)


class Killable:
    """The town's network as a process of its own, with the town's clients."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.config = town.state.root / "killable.json"
        self.config.write_text(json.dumps(town.config))
        self.process: subprocess.Popen[str] | None = None

    async def start(self) -> list[str]:
        self.process = run(self.config)
        return await ready(self.process)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code


@pytest.fixture
async def killable(tmp_path: Path, keys: Path) -> AsyncIterator[Killable]:
    async with towns.start(tmp_path, keys, data=True) as town:
        await town.network.stop()
        made = Killable(town)
        await made.start()
        try:
            yield made
        finally:
            if made.process is not None:
                made.end(signal.SIGKILL)


async def test_it_says_what_it_is_and_ends_on_request(killable: Killable) -> None:
    killable.end(signal.SIGKILL)
    said = await killable.start()
    assert "never for production" in said[0]
    assert said[-1] == "ready"
    second = await asyncio.to_thread(ended, killable.config)
    assert second.returncode == 2
    assert "cannot listen on" in second.stderr
    assert killable.end(signal.SIGTERM) == 0


async def test_on_sighup_it_reads_its_configuration_again(killable: Killable) -> None:
    def write(document: dict[str, Any]) -> None:
        killable.config.write_text(json.dumps(document))

    process, whole = killable.process, killable.town.config
    assert process is not None
    last = whole["orderers"][-1]["name"]
    for document, told in (
        ({**whole, "orderers": whole["orderers"][:-1]}, f"reloaded: -{last}"),
        (whole, f"reloaded: +{last}"),
        (whole, "reloaded: nothing changed"),
        ({**whole, "data_dir": "elsewhere"}, "reload refused: data_dir cannot change"),
        ({**whole, "peers": "none"}, "reload refused: peers must be an array of objects"),
    ):
        write(document)
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 30)
        assert line.startswith(told)
    assert killable.end(signal.SIGTERM) == 0


async def _submitting(town: Town, name: str, committed: set[str]) -> None:
    """Transactions one after the other, whatever happens to the network."""
    number = 0
    while True:
        number += 1
        key = f"{name}-{number}"
        with contextlib.suppress(grpc.aio.AioRpcError):
            if await town.submit("put", key, key) == "VALID":
                committed.add(key)
                continue
        await asyncio.sleep(0.05)


@pytest.mark.serial
async def test_what_was_committed_outlives_any_kill(killable: Killable) -> None:
    town = killable.town
    await town.join()
    await town.serve()
    await town.define("probe", await town.install())
    committed: set[str] = set()
    clients = [asyncio.create_task(_submitting(town, f"c{n}", committed)) for n in range(4)]
    pause = random.Random(7)
    for _ in range(5):
        await until(partial(_reached, committed, len(committed) + 5))
        await asyncio.sleep(pause.random() / 5)
        killable.end(signal.SIGKILL)
        assert (await killable.start())[-1] == "ready"
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    await _all_there(town, committed)


async def _reached(committed: set[str], enough: int) -> bool:
    return len(committed) >= enough


async def _all_there(town: Town, committed: set[str]) -> None:
    async def answers() -> bool:
        try:
            await evaluate(town, "ready")
        except grpc.aio.AioRpcError:
            return False
        return True

    await until(answers)
    for key in committed:
        assert await evaluate(town, "get", key) == key.encode()
    infos = {
        (await ask(town.target, "qscc", "GetChainInfo", CHANNEL, organization=each)).payload
        for each in towns.ORGANIZATIONS
    }
    assert len(infos) == 1
