# SPDX-License-Identifier: Apache-2.0
"""Goal: end what we started, all of it, and nothing else. Method: real processes."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pedchain_network.limits import LOG_LINES
from pedchain_network.runtimes import process
from pedchain_network.runtimes.process import Process, Spec

SLEEPER = "import time; time.sleep(60)"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    made: list[Process] = []

    def start(code: str) -> Process:
        spec = Spec(
            name="part",
            kind="peer",
            organization="DSO",
            command=(sys.executable, "-c", code),
            environment=dict(os.environ),
            directory=tmp_path / "cwd",
            log=tmp_path / "log" / "part.log",
            listens={"part": "127.0.0.1:1"},
        )
        made.append(process.start(spec))
        return made[-1]

    yield start
    for each in made:
        each.signal(signal.SIGKILL)
    process.stop(made)


def test_a_process_leads_a_session_of_its_own(started: Callable[[str], Process]) -> None:
    sleeper = started(SLEEPER)
    assert sleeper.alive
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_stopping_ends_it(started: Callable[[str], Process]) -> None:
    sleeper = started(SLEEPER)
    assert process.stop([sleeper]) == ()
    assert not sleeper.alive
    assert not runs(sleeper.pid)


def test_stopping_ends_its_children_too(started: Callable[[str], Process]) -> None:
    parent = started(PARENT)
    wait_until(lambda: Path(parent.log).read_text().strip())
    child = int(Path(parent.log).read_text())
    process.stop([parent])
    wait_until(lambda: not runs(child))


def test_what_does_not_listen_is_killed(
    started: Callable[[str], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STOP_TIMEOUT_S", 0.2)
    deaf = started(STUBBORN)
    wait_until(lambda: "deaf" in Path(deaf.log).read_text())
    assert process.stop([deaf]) == ("part",)
    assert not deaf.alive


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(
    started: Callable[[str], Process],
) -> None:
    sleeper = started(SLEEPER)
    earlier = replace(sleeper, started=sleeper.started - 3_600)
    assert not earlier.alive
    process.stop([earlier])
    assert sleeper.alive


def test_a_corpse_is_not_alive(started: Callable[[str], Process]) -> None:
    brief = started("pass")
    wait_until(lambda: not brief.alive)


def test_the_logs_last_lines_are_shown_with_the_parts_name(
    started: Callable[[str], Process],
) -> None:
    talker = started("for n in range(1000): print('line', n)")
    wait_until(lambda: not talker.alive)
    lines = talker.log_tail().splitlines()
    assert len(lines) == LOG_LINES
    assert lines[-1] == "  part| line 999"


def test_a_process_without_log_says_so(tmp_path: Path) -> None:
    gone = Process("part", "peer", "DSO", 1, 0.0, str(tmp_path / "none.log"), {})
    assert gone.log_tail() == "(no log)"


def test_a_process_survives_being_written_down(started: Callable[[str], Process]) -> None:
    sleeper = started(SLEEPER)
    assert Process.from_document(sleeper.to_document()) == sleeper
