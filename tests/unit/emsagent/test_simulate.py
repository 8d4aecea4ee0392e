# SPDX-License-Identifier: Apache-2.0
"""The simulated street and the command line, as a person or the demo calls them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emsagent import config as configuration
from emsagent import keys
from emsagent.cli import main
from emsagent.home import Home
from emsagent.keyring import path_of


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert isinstance(left.value.code, int)
    return left.value.code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


DAYS = ("--from", "2026-03-29", "--through", "2026-03-31")


def test_days_are_replayed_one_after_the_other(
    street: configuration.Config,
    gateway: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, days = call(capsys, "simulate", "--config", str(tmp_path / "agent.toml"), *DAYS)
    assert code == 0
    assert [(day["day"], day["records"], day["states"]) for day in days] == [
        ("2026-03-29", 2, {"recorded": 2}),
        ("2026-03-30", 2, {"recorded": 4}),
        ("2026-03-31", 2, {"recorded": 6}),
    ]
    assert len(gateway.payloads) == 6


def test_a_home_that_is_offline_for_a_day_drains_on_the_next(
    street: configuration.Config,
    gateway: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, days = call(
        capsys, "simulate", "--config", str(tmp_path / "agent.toml"), *DAYS,
        "--offline", "home-2:2026-03-30",
    )  # fmt: skip
    assert code == 0
    assert [day["offline"] for day in days] == [[], ["home-2"], []]
    assert days[1]["states"] == {"recorded": 3, "queued": 1}
    assert days[2]["states"] == {"recorded": 6}


def test_a_forged_record_is_refused_and_the_device_goes_on(
    street: configuration.Config,
    gateway: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = str(tmp_path / "agent.toml")
    call(capsys, "keys", "--config", config)
    for home in street.homes:
        device = home.devices[0].id
        gateway.keys[device] = keys.load(path_of(street, device)).public_key()
    code, days = call(
        capsys, "simulate", "--config", config, *DAYS, "--forge", "home-1-grid:2026-03-29"
    )
    assert code == 0
    ((forged,), _, _) = (day["forged"] for day in days)
    assert (forged["counter"], forged["status"], forged["reason"]) == (
        2,
        "rejected",
        "bad-signature",
    )
    assert days[2]["states"] == {"recorded": 6}
    assert ("home-1-grid", 2) in gateway.payloads


def test_a_gateway_that_never_answers_is_told_after_patience(
    street: configuration.Config,
    gateway: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway.refuse = [(503, {"retry-after": "60"})] * 10
    code, days = call(
        capsys, "simulate", "--config", str(tmp_path / "agent.toml"), "--patience", "1",
        "--through", "2026-03-29",
    )  # fmt: skip
    assert code == 1
    assert sorted(days[0]["unreachable"]) == ["home-1", "home-2"]
    assert days[0]["states"] == {"sent": 2}


def test_keys_are_made_once_and_printed_for_the_registry(
    street: configuration.Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(tmp_path / "agent.toml")
    code, first = call(capsys, "keys", "--config", config)
    _, second = call(capsys, "keys", "--config", config)
    assert code == 0
    assert first == second
    assert [line["device"] for line in first] == ["home-1-grid", "home-2-grid"]
    assert all(line["spki"].startswith("3059301306072a8648ce3d0201") for line in first)


def test_check_names_what_is_wrong(
    street: configuration.Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(tmp_path / "agent.toml")
    assert call(capsys, "check", "--config", config) == (
        0,
        [{"ok": True, "homes": 2, "devices": 2}],
    )
    (tmp_path / "registers/home-1-grid.csv").write_text("instant,power/W\n")
    keys.create(path_of(street, "home-2-grid")).public_key()
    path_of(street, "home-2-grid").chmod(0o644)
    code, findings = call(capsys, "check", "--config", config)
    assert code == 1
    assert [(line["device"], line["code"]) for line in findings] == [
        ("home-1-grid", "driver-fault"),
        ("home-2-grid", "key-file"),
    ]


def test_status_shows_counts_and_alarms(
    street: configuration.Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(tmp_path / "agent.toml")
    assert call(capsys, "status", "--config", config)[0] == 0
    with Home(street, street.homes[0]) as home:
        home.collect(until=1_774_742_400)
        home.alarm("rejected", "home-1-grid counter 1: spike")
        code, lines = call(capsys, "status", "--config", config)
    assert code == 1
    assert lines[0]["records"]["queued"] == 1
    assert lines[0]["alarms"][0]["name"] == "rejected"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["simulate", "--offline", "home-9:2026-03-29"], "'home-9' is not in the configuration"),
        (["simulate", "--from", "tomorrow"], "is not a day"),
        (["run", "--config", "no-such.toml"], "no-such.toml"),
    ],
)
def test_a_wrong_call_says_why(
    street: configuration.Config,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    with pytest.raises(SystemExit) as left:
        main([arguments[0], "--config", str(tmp_path / "agent.toml"), *arguments[1:]])
    assert left.value.code == 2
    assert message in capsys.readouterr().err


def test_the_agent_loads_only_what_it_uses(tmp_path: Path) -> None:
    """Memory on a small box is imports: none of these belongs on the edge."""
    probe = (
        "import sys, emsagent.cli, emsagent.run, emsagent.simulate\n"
        "print([m for m in ('grpc', 'pydantic', 'fastapi', 'pedchain_fabric', 'numpy')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
