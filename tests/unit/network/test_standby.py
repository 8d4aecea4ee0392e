# SPDX-License-Identifier: Apache-2.0
"""A program that loads before it is known what it will run on."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pedchain_network.runtimes import process, standby
from pedchain_network.runtimes.process import Spec

_PROGRAM = """
import json, os, sys

def main():
    print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["WORD"], os.environ.get("OTHER")]))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "waiting").mkdir()
    (tmp_path / "waiting/__init__.py").touch()
    (tmp_path / "waiting/__main__.py").write_text(_PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OTHER", "inherited")
    return "waiting"


def spec(tmp_path: Path, module: str) -> Spec:
    return Spec(
        name="waiting",
        kind="network",
        organization="",
        command=(sys.executable, "-m", module, "one", "two"),
        environment={"WORD": "given", "PYTHONPATH": os.environ["PYTHONPATH"]},
        directory=tmp_path / "data",
        log=tmp_path / "log/waiting.log",
        listens={},
    )


def ended(started: process.Process) -> str:
    child = process._adopted[started.pid]
    child.wait(timeout=30)
    return Path(started.log).read_text()


def test_what_waited_runs_as_it_was_ordered(tmp_path: Path, module: str) -> None:
    standby.begin(module)
    waiting = standby._waiting[module].child.pid
    started = process.start(spec(tmp_path, module))
    assert started.pid == waiting
    assert json.loads(ended(started)) == [["one", "two"], str(tmp_path / "data"), "given", None]


def test_a_module_that_cannot_be_loaded_says_so_in_the_log(tmp_path: Path, module: str) -> None:
    (tmp_path / "waiting/__main__.py").write_text("raise ValueError('broken here')")
    standby.begin(module)
    assert "broken here" in ended(process.start(spec(tmp_path, module)))


def test_it_is_on_record_before_it_does_anything(tmp_path: Path, module: str) -> None:
    standby.begin(module)
    logs: list[bool] = []
    started = process.start(
        spec(tmp_path, module), lambda begun: logs.append(Path(begun.log).exists())
    )
    ended(started)
    assert logs == [False]


def test_without_orders_it_ends(module: str) -> None:
    standby.begin(module)
    child = standby._waiting.pop(module).child
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(timeout=30) == 0


def test_one_that_has_ended_is_not_taken(module: str) -> None:
    standby.begin(module)
    child = standby._waiting[module].child
    assert child.stdin is not None
    child.stdin.close()
    child.wait(timeout=30)
    assert standby.take((sys.executable, "-m", module)) is None


def test_another_program_is_not_taken_for_it(module: str) -> None:
    assert standby.take(("/bin/true", "-m", module)) is None
    assert standby.take((sys.executable, "-m", module)) is None


def test_many_are_made_of_what_was_loaded_once(tmp_path: Path, module: str) -> None:
    standby.begin(module, many=True)
    mould = standby._waiting[module].child.pid
    specs = [
        replace(spec(tmp_path, module), name=f"waiting{number}", log=tmp_path / f"{number}.log")
        for number in range(2)
    ]
    started = [process.start(each) for each in specs]
    standby.dismiss()
    assert len({mould, *(each.pid for each in started)}) == 3
    for each in started:
        assert json.loads(written(each)) == [["one", "two"], str(tmp_path / "data"), "given", None]


def test_one_of_many_ends_if_nobody_records_it(tmp_path: Path, module: str) -> None:
    standby.begin(module, many=True)
    seen: list[process.Process] = []

    def fail(begun: process.Process) -> None:
        seen.append(begun)
        raise OSError("no room for the record")

    with pytest.raises(OSError, match="no room"):
        process.start(spec(tmp_path, module), fail)
    deadline = time.monotonic() + 30
    while seen[0].alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not seen[0].alive
    assert not Path(seen[0].log).exists()
    standby.dismiss()


def test_if_many_cannot_be_loaded_each_is_started_by_itself(tmp_path: Path, module: str) -> None:
    (tmp_path / "waiting/__main__.py").write_text("raise ValueError('broken here')")
    standby.begin(module, many=True)
    assert "broken here" in ended(process.start(spec(tmp_path, module)))
    standby.dismiss()


def written(started: process.Process) -> str:
    """What a process that is not our child wrote, once it has ended."""
    deadline = time.monotonic() + 30
    while started.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    return Path(started.log).read_text()
