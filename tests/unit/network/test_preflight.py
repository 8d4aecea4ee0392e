# SPDX-License-Identifier: Apache-2.0
"""Goal: what would break an `up` half-way is told before. Method: one thing wrong at a time."""

import datetime
from collections import namedtuple
from pathlib import Path

import pytest

from pedchain_network.bringup import preflight
from pedchain_network.errors import CertificateEndedError, DiskFullError, KeyExposedError
from pedchain_network.pki import crypto
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory, topology: Topology) -> State:
    made = State(tmp_path_factory.mktemp("state"))
    crypto.create(made.crypto, topology)
    return made


def said(topology: Topology, state: State) -> list[str]:
    lines: list[str] = []
    preflight.check(topology, state, Progress(lines.append))
    return lines


def test_a_sound_state_is_no_news(topology: Topology, state: State) -> None:
    assert said(topology, state) == []


def test_a_state_without_keys_yet_is_sound(topology: Topology, tmp_path: Path) -> None:
    assert said(topology, State(tmp_path)) == []


def test_a_full_disk_is_told_with_what_is_left(
    topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**9, 10**9, 3 * 10**6))
    with pytest.raises(DiskFullError, match=r": 3 MB left on this file system") as raised:
        said(topology, State(tmp_path))
    assert "--state on another file system" in raised.value.fix


def test_a_key_that_others_can_read_is_refused(topology: Topology, state: State) -> None:
    key = state.crypto / "DistrictB" / "orderer0" / "tls" / "key.pem"
    key.chmod(0o640)
    with pytest.raises(KeyExposedError, match="mode 0640") as raised:
        said(topology, state)
    assert raised.value.fix.startswith(f"chmod 600 {key}")
    key.chmod(0o600)
    assert said(topology, state) == []


def test_an_ended_certificate_is_named_with_its_end(topology: Topology, state: State) -> None:
    days = topology.lifetimes.users_days
    with pytest.raises(CertificateEndedError, match=r"users/admin/cert\.pem ended 2") as raised:
        preflight.require_valid(topology, state.crypto, now() + datetime.timedelta(days=days + 1))
    assert "ped-network cert renew" in raised.value.fix


def test_a_certificate_of_tomorrow_means_a_wrong_clock(topology: Topology, state: State) -> None:
    with pytest.raises(CertificateEndedError, match="begins only") as raised:
        preflight.require_valid(topology, state.crypto, now() - datetime.timedelta(days=1))
    assert "clock" in raised.value.fix


def test_the_first_certificate_to_end_is_found(topology: Topology, state: State) -> None:
    found = preflight.require_valid(topology, state.crypto, now())
    assert found is not None
    ends, path = found
    assert (ends - now()).days in {topology.lifetimes.users_days - 1, topology.lifetimes.users_days}
    assert "/users/" in path


def test_what_ends_soon_is_told_and_nothing_more(
    topology: Topology, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "EXPIRY_WARN_DAYS", topology.lifetimes.users_days + 1)
    (line,) = said(topology, state)
    assert "/users/" in line
    assert "ped-network cert renew before then" in line
