# SPDX-License-Identifier: Apache-2.0
"""Goal: exit codes and words scripts can rely on. Method: the command as a process."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cyclopts import App

from pedchain_fabric.errors import AdminError
from pedchain_network.cli import main
from pedchain_network.cli.app import app, confirmed
from pedchain_network.topology.reader import reference


def ped_network(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pedchain_network", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_status_of_nothing_is_down(tmp_path: Path) -> None:
    done = ped_network("status", "--state", str(tmp_path), "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["state"] == "down"


def test_a_broken_topology_exits_1_with_line_and_fix(tmp_path: Path) -> None:
    topology = tmp_path / "consortium.yaml"
    topology.write_text(reference().read_text().replace("faults: 1", "faults: 3"))
    state = str(tmp_path / "state")
    options = ("--runtime", "embedded", "--topology", str(topology), "--state", state)
    done = ped_network("up", *options)
    assert done.returncode == 1
    assert f"{topology}:" in done.stderr
    assert "4 orderers tolerate 1 faults, not 3" in done.stderr
    assert "fix: add orderers up to 10" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("arguments", [("up", "--unknown"), ("nothing",)])
def test_a_wrong_usage_exits_2_in_plain_text(arguments: tuple[str, ...]) -> None:
    done = ped_network(*arguments)
    assert done.returncode == 2
    assert (done.stdout + done.stderr).isascii()


def test_help_is_plain_text_when_piped() -> None:
    done = ped_network("up", "--help")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "--topology" in done.stdout


def _ledger(tmp_path: Path) -> Path:
    kept = tmp_path / "data" / "ledger"
    kept.parent.mkdir()
    kept.write_text("blocks")
    return kept


def test_clean_does_nothing_if_nobody_can_be_asked(tmp_path: Path) -> None:
    kept = _ledger(tmp_path)
    done = ped_network("clean", "--state", str(tmp_path))
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert kept.exists()


def test_clean_with_yes_removes_the_state(tmp_path: Path) -> None:
    kept = _ledger(tmp_path)
    assert ped_network("clean", "--yes", "--state", str(tmp_path)).returncode == 0
    assert not kept.exists()


@pytest.mark.parametrize(("answer", "yes"), [("y", True), ("Yes", True), ("", False), ("n", False)])
def test_only_yes_means_yes(monkeypatch: pytest.MonkeyPatch, answer: str, yes: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert confirmed("Really?", yes=False) is yes


def test_steps_and_errors_are_documents_on_request(tmp_path: Path) -> None:
    _ledger(tmp_path)
    done = ped_network("clean", "--yes", "--json", "--state", str(tmp_path))
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert steps
    assert all(set(each) == {"after_s", "step"} for each in steps)
    refused = ped_network("up", "--json", "--runtime", "another", "--state", str(tmp_path))
    assert refused.returncode == 1
    assert json.loads(refused.stderr) == {
        "error": "no runtime 'another'",
        "fix": "known: auto, docker, native, embedded",
    }


def test_every_command_is_for_machines_too() -> None:
    """Those without the option print a document in any case."""
    lacking = {
        name
        for name, command in _commands(app)
        if "as_json" not in inspect.signature(command).parameters
    }
    assert lacking == {"profile", "compose"}


def _commands(group: App) -> Iterator[tuple[str, Callable[..., object]]]:
    for name in group:
        found = group[name]
        if name.startswith("-"):
            continue
        if found.default_command is not None:
            yield name, found.default_command
        yield from _commands(found)


def test_what_fabric_refuses_is_a_message_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(**_: object) -> int:
        raise AdminError(503, "no leader")

    monkeypatch.setattr(main, "app", refused)
    assert main.run() == 1
    shown = capsys.readouterr().err
    assert "no leader" in shown
    assert "fix: " in shown
