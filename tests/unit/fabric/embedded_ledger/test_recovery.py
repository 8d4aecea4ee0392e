# SPDX-License-Identifier: Apache-2.0
"""Killed at any named place of a commit, a ledger comes back as an untouched twin's."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.embedded.ledger import Ledger, LedgerError, Simulator, failpoints, private
from tests.unit.fabric.embedded_ledger import crash
from tests.unit.fabric.embedded_ledger.consortium import Consortium, collection, put

BOTH = "AND('DSOMSP.peer','DistrictAMSP.peer')"
COMMIT_PLACES = [name for name in failpoints.NAMES if name.startswith("commit.")]
ROOT = Path(__file__).parents[4]
TABLES = ("block", "tx", "state", "history", "private_rwset", "private_write", "expiry", "fact")


def prepare(folder: Path) -> None:
    """A ledger file, and a next block that touches every store."""
    consortium = Consortium.start(folder / "ledger.db")
    readings = collection("readings", ["DSO", "DistrictA"], endorsement=BOTH, block_to_live=9)
    short = collection("short", ["DSO"], block_to_live=1)
    consortium.define("district", BOTH, [readings, short])

    def before(simulator: Simulator) -> None:
        simulator.put_state("district", "old", b"1")
        simulator.put_private("district", "readings", "old", b"1")
        simulator.put_private("district", "short", "expires", b"1")

    def work(simulator: Simulator) -> None:
        simulator.get_state("district", "old")
        simulator.put_state("district", "new", b"2")
        simulator.delete_state("district", "old")
        simulator.put_private("district", "readings", "new", b"2")
        simulator.purge_private("district", "readings", "old")

    consortium.submit("district", before)
    consortium.submit("district", put("district", "idle"))
    results = consortium.simulate(work)
    good = consortium.endorse("district", results.public)
    stale = consortium.endorse("district", results.public)
    (folder / "block").write_bytes(consortium.block(good, stale).SerializeToString())
    assert results.private is not None
    (folder / "private").write_text(f"{good.id} {results.private.hex()}\n")
    consortium.ledger.close()


def kill_at(place: str, folder: Path) -> int:
    """Run the commit in a process of its own; its exit status."""
    environment = os.environ | {failpoints.VARIABLE: place}
    command = [sys.executable, "-m", crash.__name__, str(folder / "ledger.db"), str(folder)]
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=60, check=False).returncode


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything committed."""
    connection = sqlite3.connect(path)
    found = {}
    for table in TABLES:
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        found[table] = sorted(rows, key=repr)
    connection.close()
    return found


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def untouched(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twin that was never killed."""
    folder = tmp_path_factory.mktemp("untouched")
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    assert kill_at("", folder) == 0
    return folder


@pytest.mark.fault(31)
@pytest.mark.parametrize("place", failpoints.NAMES)
def test_a_ledger_killed_at_a_named_place_ends_as_its_untouched_twin(
    place: str, prepared: Path, untouched: Path, tmp_path: Path
) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    before = contents(tmp_path / "ledger.db")
    assert kill_at(place, tmp_path) == -signal.SIGKILL
    after_kill = contents(tmp_path / "ledger.db")
    twin = contents(untouched / "ledger.db")
    assert after_kill == (twin if place == "commit.durable" else before)
    ledger = Ledger.open(tmp_path / "ledger.db")
    block = Block.FromString((tmp_path / "block").read_bytes())
    if place == "transient.put":
        name, data = (tmp_path / "private").read_text().split()
        ledger.transient.put(name, bytes.fromhex(data))
    if ledger.height == block.header.number:
        ledger.commit(block)
    ledger.close()
    assert contents(tmp_path / "ledger.db") == twin


def test_the_block_used_here_touches_every_store(prepared: Path, untouched: Path) -> None:
    before, after = contents(prepared / "ledger.db"), contents(untouched / "ledger.db")
    changed = {table for table in TABLES if before[table] != after[table]}
    assert changed == set(TABLES) - {"fact"}


def test_there_are_enough_places_around_a_commit() -> None:
    assert len(COMMIT_PLACES) >= 6


def test_a_place_can_be_named_with_its_passage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(pid))
    monkeypatch.setenv(failpoints.VARIABLE, "commit.test:3")
    for _ in range(4):
        failpoints.reach("commit.test")
        failpoints.reach("commit.other")
    assert killed == [os.getpid()]


def test_a_commit_that_fails_half_way_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    consortium = Consortium.start(tmp_path / "ledger.db")
    consortium.define("open", "OR('DSOMSP.peer')")
    consortium.submit("open", put("open", "k", b"old"), ["DSO"])
    transaction = consortium.endorse("open", consortium.simulate(put("open", "k", b"new")), ["DSO"])
    before = consortium.ledger.chain_info(), consortium.ledger.commit_hash
    block = consortium.block(transaction)
    with monkeypatch.context() as broken, consortium.ledger.simulator("q", "DSOMSP") as reader:

        def fail(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        broken.setattr(consortium.ledger._stores.history, "write", fail)
        with pytest.raises(sqlite3.OperationalError):
            consortium.ledger.commit(block)
        assert reader.get_state("open", "k") == b"old"
    assert (consortium.ledger.chain_info(), consortium.ledger.commit_hash) == before
    assert consortium.get("open", "k") == b"old"
    assert consortium.ledger.commit(block).codes == (0,)
    assert consortium.get("open", "k") == b"new"
    consortium.ledger.close()


def test_a_ledger_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LedgerError, match="format is 99"):
        Ledger.open(path)


def test_private_data_of_a_transaction_that_never_came_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(private, "TRANSIENT_BLOCKS", 2)
    consortium = Consortium.start()
    consortium.define("open", "OR('DSOMSP.peer')")
    consortium.ledger.transient.put("never", b"")
    for _ in range(3):
        assert consortium.ledger.transient.get("never") == (b"",)
        consortium.submit("open", put("open", "k"), ["DSO"])
    consortium.submit("open", put("open", "k"), ["DSO"])
    assert consortium.ledger.transient.get("never") == ()
    consortium.ledger.close()
