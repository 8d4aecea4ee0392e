# SPDX-License-Identifier: Apache-2.0
"""The same transactions in several processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from pedchain_fabric.testing.repeated import compare


@pytest.fixture(autouse=True)
def _scenarios_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_a_deterministic_contract_gives_the_same_bytes_in_all_processes() -> None:
    assert compare("repeatable:same", [sys.executable]) == (2, None)


def test_the_order_of_a_set_is_found_at_the_call_that_used_it() -> None:
    calls, found = compare("repeatable:order_of_a_set")
    assert calls == 2
    assert found is not None
    assert (found.call, found.first.split()[:2]) == (2, ["words", "BySet"])
    assert "PYTHONHASHSEED" in str(found)


def test_a_run_that_fails_is_told_with_its_error() -> None:
    with pytest.raises(RuntimeError, match="no_such_scenario"):
        compare("repeatable:no_such_scenario")


def test_the_command_exits_with_1_when_processes_differ() -> None:
    command = [sys.executable, "-m", "pedchain_fabric.testing.repeated", "repeatable:time_zone"]
    folder = Path(__file__).parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "at call 1" in done.stdout


def test_the_command_exits_with_2_and_the_scenarios_own_error_when_it_fails() -> None:
    command = [sys.executable, "-m", "pedchain_fabric.testing.repeated", "repeatable:nowhere"]
    folder = Path(__file__).parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("Traceback") == 1
    assert "has no attribute 'nowhere'" in done.stderr
