# SPDX-License-Identifier: Apache-2.0
"""What outlives the process, and that a kill leaves the old state or the new."""

import hashlib
import os
from pathlib import Path

import pytest

from pedchain_fabric.embedded.store import Store, is_channel_name


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path if request.param == "disk" else None)


def test_a_join_is_remembered_and_forgotten(store: Store) -> None:
    store.join("peer0", "ped")
    store.join("peer0", "ped")
    store.join("peer0", "other")
    store.join("peer1", "ped")
    assert (store.joined("peer0"), store.joined("peer1")) == (["other", "ped"], ["ped"])
    store.leave("peer0", "ped")
    store.leave("peer1", "none")
    assert (store.joined("peer0"), store.joined("peer1")) == (["other"], ["ped"])


def test_joins_and_packages_outlive_the_process(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.join("peer0", "ped")
    package_id = store.packages("peer0").save("notes", b"package")
    again = Store(tmp_path)
    assert again.joined("peer0") == ["ped"]
    assert again.packages("peer0").get(package_id) == b"package"
    assert again.packages("peer1").ids() == []


def test_a_package_is_known_by_label_and_hash(store: Store) -> None:
    packages = store.packages("peer0")
    assert packages.save("notes", b"p") == f"notes:{hashlib.sha256(b'p').hexdigest()}"
    packages.save("notes", b"p")
    packages.save("a.b-c_d+e", b"p")
    assert len(packages) == 2
    assert [each.partition(":")[0] for each in packages.ids()] == ["a.b-c_d+e", "notes"]


def test_a_file_half_written_at_a_kill_is_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = Store(tmp_path).packages("peer0")

    def killed(_file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        packages.save("notes", b"package")
    assert Store(tmp_path).packages("peer0").ids() == []


def test_a_channel_is_there_once_it_has_a_ledger(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.ledger_path("ped")
    assert path is not None
    assert store.channels() == []
    path.touch()
    assert store.channels() == ["ped"]


@pytest.mark.parametrize("name", ["", "Ped", "1ped", "../up", "a/b", "a" * 250, "ped\n"])
def test_a_channel_name_is_fabrics(name: str) -> None:
    assert not is_channel_name(name)
    assert is_channel_name("ped.a-1")
