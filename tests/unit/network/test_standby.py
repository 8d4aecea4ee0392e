# SPDX-License-Identifier: Apache-2.0
"""A program that loads before it is known what it will run on."""

import json
import os
import sys
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
    waiting = standby._waiting[module].pid
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
    child = standby._waiting.pop(module)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(timeout=30) == 0


def test_one_that_has_ended_is_not_taken(module: str) -> None:
    standby.begin(module)
    child = standby._waiting[module]
    assert child.stdin is not None
    child.stdin.close()
    child.wait(timeout=30)
    assert standby.take((sys.executable, "-m", module)) is None


def test_another_program_is_not_taken_for_it(module: str) -> None:
    assert standby.take(("/bin/true", "-m", module)) is None
    assert standby.take((sys.executable, "-m", module)) is None
