# SPDX-License-Identifier: Apache-2.0
"""What the agent tells of itself: metrics, a page, a word to systemd; a disk that takes nothing."""

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emsagent import config as configuration
from emsagent import limits
from emsagent.errors import ConfigError, OutboxFull
from emsagent.home import Home
from emsagent.mark import Mark
from emsagent.outbox import Outbox
from emsagent.watching import Pulse, Service, metrics, page, tell_systemd
from tests.unit.emsagent.livedevices import free_port, until

T0, HOUR = 1_774_742_400, 3_600


@pytest.fixture
def home(street: configuration.Config) -> Any:
    with Home(street, street.homes[0]) as made:
        made.collect(until=T0 + 5 * HOUR, since=T0)
        made.alarm("rejected", "home-1-grid counter 1: <b>")
        yield made


def test_metrics_are_of_the_form_that_prometheus_reads(home: Home) -> None:
    text = metrics([home], Pulse())
    assert 'emsagent_records{home="home-1",state="queued"} 1\n' in text
    assert 'emsagent_alarms{home="home-1"} 1\n' in text
    assert 'emsagent_counter{home="home-1",device="home-1-grid"} 1\n' in text
    seen: list[str] = []
    for line in text.splitlines():
        name = line.split()[2] if line.startswith("#") else line.split("{")[0].split()[0]
        if not seen or seen[-1] != name:
            seen.append(name)
    assert len(seen) == len(set(seen))  # a family's lines stand together


def test_the_page_lets_nothing_break_out(home: Home) -> None:
    told = page([home], Pulse())
    assert "&lt;b&gt;" in told
    assert "<b>" not in told


async def test_it_is_served_and_says_when_a_loop_stands_still(home: Home) -> None:
    pulse, port = Pulse(), free_port()
    task = asyncio.create_task(Service([home], pulse).serve(("127.0.0.1", port)))
    url = f"http://127.0.0.1:{port}"

    async with httpx2.AsyncClient(trust_env=False) as http:

        async def get(path: str) -> Any:
            async with asyncio.timeout(20):
                while True:
                    try:
                        return await http.get(url + path)
                    except httpx2.ConnectError:
                        await asyncio.sleep(0.01)

        pulse.beat("home-1", 900)
        assert (await get("/healthz")).text == "ok"
        pulse.beat("home-1", -limits.STANDSTILL_S - 1)
        found = await get("/healthz")
        assert (found.status_code, found.text) == (503, "home-1")
        assert "emsagent_standing_still 1" in (await get("/metrics")).text
        assert "standing still: home-1" in (await get("/")).text
        assert (await get("/etc/passwd")).status_code == 404
    task.cancel()


async def test_systemd_hears_of_an_agent_that_goes_on_and_not_of_one_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse = Pulse()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        task = asyncio.create_task(tell_systemd(pulse))
        heard: list[bytes] = []

        def hear() -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.append(systemd.recv(100))
            return b"WATCHDOG=1" in heard

        await until(hear)
        assert heard[0] == b"READY=1"
        pulse.beat("home", -limits.STANDSTILL_S - 1)
        hear()
        heard.clear()
        await asyncio.sleep(0.1)  # ten times as long as it would wait
        assert not hear()
        task.cancel()


@pytest.mark.parametrize("listen", ["9464", "host:0", "host:x", ":9"])
def test_an_address_that_is_none_is_named(street: Any, tmp_path: Path, listen: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(file.read_text() + f'[service]\nlisten = "{listen}"\n')
    with pytest.raises(ConfigError, match=r"service\.listen"):
        configuration.load(file)


@pytest.mark.fault(34)
def test_a_disk_that_cannot_be_written_is_said_and_not_crashed_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxFull, match="cannot be written"):
        Outbox(tmp_path / "file" / "home.sqlite")
    Mark(tmp_path / "file" / "home.mark").advance({"meter": 1})
    assert "mark-not-written" in caplog.text


@pytest.mark.fault(34)
def test_a_read_only_outbox_is_said_and_heals(tmp_path: Path) -> None:
    path = tmp_path / "home.sqlite"
    with Outbox(path) as outbox:
        outbox._db.execute("PRAGMA query_only = ON")
        with pytest.raises(OutboxFull, match="cannot be written"):
            outbox.set_pause(1, 1)
        outbox._db.execute("PRAGMA query_only = OFF")
        outbox.set_pause(1, 1)
        assert outbox.pause() == (1, 1)
