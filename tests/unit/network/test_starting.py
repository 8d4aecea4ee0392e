# SPDX-License-Identifier: Apache-2.0
"""Goal: no process without a record. Method: what starts it dies just before it is on record."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from pedchain_network.runtimes import process
from pedchain_network.runtimes.process import Process, Spec

WORKS = "from pathlib import Path; import time; Path('began').touch(); time.sleep(60)"

STARTER = """
import os, signal, sys
from pathlib import Path
from pedchain_network.runtimes import process
from pedchain_network.runtimes.process import Spec

def die(begun):
    print(begun.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

command = (sys.executable, "-c", sys.argv[2])
folder = Path(sys.argv[1])
process.start(Spec("part", "peer", "DSO", command, os.environ, folder, folder / "log", {}), die)
"""


def spec(folder: Path, *command: str) -> Spec:
    return Spec("part", "peer", "DSO", command, os.environ, folder, folder / "log", {})


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while not gone(pid):
        assert time.monotonic() < deadline, "it still runs"
        time.sleep(0.01)


def test_whoever_is_killed_before_the_record_leaves_no_process(tmp_path: Path) -> None:
    starter = [sys.executable, "-c", textwrap.dedent(STARTER), str(tmp_path), WORKS]
    done = subprocess.run(starter, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    wait_until_gone(int(done.stdout))
    assert not (tmp_path / "began").exists()


def test_a_record_that_cannot_be_written_leaves_no_process(tmp_path: Path) -> None:
    begun: list[Process] = []

    def full(process: Process) -> None:
        begun.append(process)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        process.start(spec(tmp_path, sys.executable, "-c", WORKS), full)
    wait_until_gone(begun[0].pid)
    assert not (tmp_path / "began").exists()


def test_the_recorded_process_is_the_one_that_works(tmp_path: Path) -> None:
    begun: list[Process] = []
    started = process.start(spec(tmp_path, sys.executable, "-c", WORKS), begun.append)
    assert begun == [started]
    deadline = time.monotonic() + 10
    while not (tmp_path / "began").exists():
        assert time.monotonic() < deadline, "it does not work"
        time.sleep(0.01)
    assert started.alive
    assert process.stop([started]) == ()


def test_a_program_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        process.start(spec(tmp_path, str(tmp_path / "no-such-program")))


def test_what_runs_below_a_directory_is_found_without_a_record(tmp_path: Path) -> None:
    folder = tmp_path / "peer0.dso.ped"
    folder.mkdir()
    started = process.start(spec(folder, sys.executable, "-c", WORKS))
    (found,) = process.below(tmp_path)
    assert (found.name, found.pid) == ("peer0.dso.ped", started.pid)
    assert process.below(tmp_path / "elsewhere") == ()
    assert process.stop([found]) == ()
    wait_until_gone(started.pid)
