# SPDX-License-Identifier: Apache-2.0
"""SIGKILL anywhere: no acknowledged reading is lost, none is recorded twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emsagent import config as configuration
from emsagent.failpoint import VARIABLE, Failpoint
from emsagent.status import status
from pedchain_domain import ocmf

T0 = 1_774_742_400
HOUR = 3_600
DAYS = 3
COMMAND = ["simulate", "--from", "2026-03-29", "--through", "2026-03-31", "--patience", "20"]


def start(file: Path, failpoint: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "emsagent", *COMMAND, "--config", str(file)],
        env={**os.environ, VARIABLE: failpoint, "PYTHONDONTWRITEBYTECODE": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> int:
    _, error = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), error.decode()
    return process.returncode


def check_each_reading_once(file: Path, gateway: Any) -> None:
    """Every instant of every home stands at the gateway in exactly one payload."""
    config = configuration.load(file)
    for home, line in zip(config.homes, status(config), strict=True):
        device = home.devices[0].id
        payloads = {key: one for key, one in gateway.payloads.items() if key[0] == device}
        counters = sorted(counter for _, counter in payloads)
        assert counters == list(range(1, len(counters) + 1))
        assert line["counters"] == {device: len(counters)}
        instants = Counter(
            reading.instant
            for payload in payloads.values()
            for reading in ocmf.parse(b'OCMF|%s|{"SA":"x","SD":"00"}' % payload).readings
        )
        assert instants == {T0 + hour * HOUR: 2 for hour in range(24 * DAYS + 1)}
        records: Any = line["records"]
        assert records == {**dict.fromkeys(records, 0), "recorded": len(counters)}
        assert line["alarms"] == []


@pytest.mark.serial
@pytest.mark.fault(33)
@pytest.mark.parametrize("failpoint", list(Failpoint))
def test_a_kill_at_a_named_point_loses_and_repeats_nothing(
    street: configuration.Config, gateway: Any, tmp_path: Path, failpoint: Failpoint
) -> None:
    file = tmp_path / "agent.toml"
    assert finish(start(file, failpoint)) == -signal.SIGKILL
    assert finish(start(file)) == 0
    check_each_reading_once(file, gateway)


@pytest.mark.serial
@pytest.mark.fault(33)
def test_kills_at_random_moments_lose_and_repeat_nothing(
    street: configuration.Config, gateway: Any, tmp_path: Path
) -> None:
    """Twenty seeded moments between start and end, on one state that is carried on."""
    file = tmp_path / "agent.toml"
    moments = random.Random(20_260_329)
    began = time.monotonic()
    assert finish(start(tmp_path / "agent.toml")) == 0
    whole_run_s = time.monotonic() - began
    for file_ in (tmp_path / "state").rglob("*"):
        if file_.is_file():
            file_.unlink()
    gateway.payloads.clear()
    gateway.received.clear()
    for _ in range(20):
        process = start(file)
        time.sleep(whole_run_s * moments.uniform(0.3, 1.0))
        process.send_signal(signal.SIGKILL)
        finish(process)
    assert finish(start(file)) == 0
    check_each_reading_once(file, gateway)


@pytest.mark.serial
@pytest.mark.fault(33)
def test_a_torn_end_of_the_log_is_cut_off(
    street: configuration.Config, gateway: Any, tmp_path: Path
) -> None:
    """Bytes of a transaction that never committed lie behind the last whole one."""
    file = tmp_path / "agent.toml"
    assert finish(start(file, Failpoint.STORED)) == -signal.SIGKILL
    for log in (tmp_path / "state/outbox").glob("*.sqlite-wal"):
        with log.open("ab") as torn:
            torn.write(log.read_bytes()[-3_000:])
    assert finish(start(file)) == 0
    check_each_reading_once(file, gateway)
