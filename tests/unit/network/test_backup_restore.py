# SPDX-License-Identifier: Apache-2.0
"""A backup becomes a state directory as a whole, with the right keys, or not at all."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pedchain_fabric.admin.channel import Consensus
from pedchain_network.errors import BackupError
from pedchain_network.keep import archive
from pedchain_network.keep.archive import Manifest
from pedchain_network.keep.backup import KEPT, chosen
from pedchain_network.keep.restore import restore
from pedchain_network.pki import crypto
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Ordering

QUIET = Progress(lambda line: None)
NAMES = ("DSO", "DistrictA", "DistrictB", "Aggregator")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> State:
    """A state directory with keys and a little data, of a network that never ran."""
    state = State(tmp_path_factory.mktemp("made") / "state")
    topology = reader.load(reader.reference())
    state.root.mkdir()
    crypto.create(state.crypto, topology)
    state.save_topology(topology)
    for node in topology.nodes():
        (state.data / node.name).mkdir(parents=True)
        (state.data / node.name / "ledger").write_text(node.name)
    return state


def backup(state: State, to: Path, *, with_keys: bool, of: tuple[str, ...] = NAMES) -> Path:
    files = dict(chosen(state.root, with_keys=with_keys))
    assert {Path(name).parts[0] for name in files} <= set(KEPT)
    manifest = Manifest(
        channel="ped",
        runtime="native",
        fabric="3.1.5",
        made_at="2026-11-22T02:00:00Z",
        with_keys=with_keys,
        organizations=of,
        ledgers=(),
        files=archive.survey(state.root, files),
    )
    archive.write(to, manifest, state.root)
    return to


def keys(root: Path) -> set[Path]:
    return {path.relative_to(root) for path in root.rglob("key.pem")}


def test_a_backup_with_keys_comes_back_as_it_was(made: State, tmp_path: Path) -> None:
    path = backup(made, tmp_path / "backup", with_keys=True)
    state = State(tmp_path / "state")
    restore(path, state, None, QUIET)
    assert state.topology() == made.topology()
    assert keys(state.crypto) == keys(made.crypto)
    assert all((state.crypto / each).stat().st_mode & 0o777 == 0o600 for each in keys(state.crypto))
    run = state.load()
    assert run is not None
    assert (run.runtime, run.channel, run.processes) == ("native", "ped", ())
    assert (state.data / "peer0.dso.ped" / "ledger").read_text() == "peer0.dso.ped"


def test_without_its_keys_nothing_is_restored_and_with_them_everything(
    made: State, tmp_path: Path
) -> None:
    path = backup(made, tmp_path / "backup", with_keys=False)
    state = State(tmp_path / "state")
    with pytest.raises(BackupError, match="no private keys") as caught:
        restore(path, state, None, QUIET)
    assert "--keys" in caught.value.fix
    assert not state.root.exists()
    restore(path, state, made.crypto, QUIET)
    assert keys(state.crypto) == keys(made.crypto)


def test_keys_of_other_certificates_are_refused(made: State, tmp_path: Path) -> None:
    path = backup(made, tmp_path / "backup", with_keys=False)
    others = tmp_path / "others"
    crypto.create(others, made.topology())
    with pytest.raises(BackupError, match="is not the key"):
        restore(path, State(tmp_path / "state"), others, QUIET)
    assert {each.name for each in tmp_path.iterdir()} == {"backup", "others"}


def test_what_is_there_is_never_overwritten(made: State, tmp_path: Path) -> None:
    path = backup(made, tmp_path / "backup", with_keys=True)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "mine").write_text("mine")
    with pytest.raises(BackupError, match="not empty"):
        restore(path, State(tmp_path / "state"), None, QUIET)
    assert [each.name for each in (tmp_path / "state").iterdir()] == ["mine"]


def part_of(made: State, directory: Path, organization: str) -> State:
    """What the organisation has where it runs its part."""
    state = State(directory / "part")
    shutil.copytree(made.root, state.root)
    for path in list(state.crypto.rglob("key.pem")):
        if path.relative_to(state.crypto).parts[0] != organization:
            path.unlink()
    return state


def test_an_orderer_alone_does_not_come_back_with_old_votes(made: State, tmp_path: Path) -> None:
    own = part_of(made, tmp_path, "DSO")
    path = backup(own, tmp_path / "backup", with_keys=True, of=("DSO",))
    said: list[str] = []
    state = State(tmp_path / "state")
    restore(path, state, None, Progress(said.append))
    assert (state.data / "peer0.dso.ped").exists()
    assert not (state.data / "orderer0.dso.ped").exists()
    assert any("restore no other orderer" in line for line in said)


def test_under_raft_an_orderer_alone_does_not_come_back_at_all(made: State, tmp_path: Path) -> None:
    own = part_of(made, tmp_path, "DSO")
    own.save_topology(replace(own.topology(), ordering=Ordering(Consensus.RAFT, faults=1)))
    path = backup(own, tmp_path / "backup", with_keys=True, of=("DSO",))
    with pytest.raises(BackupError, match="Raft") as caught:
        restore(path, State(tmp_path / "state"), None, QUIET)
    assert "orderer remove" in caught.value.fix
    assert not (tmp_path / "state").exists()


def test_what_a_peer_built_holds_keys_and_is_left_out(made: State, tmp_path: Path) -> None:
    state = part_of(made, tmp_path, "DSO")
    built = state.data / "peer0.dso.ped" / "externalbuilder" / "builds" / "x" / "connection.json"
    built.parent.mkdir(parents=True)
    built.write_text("a key")
    names = [name for name, _ in chosen(state.root, with_keys=True)]
    assert "data/peer0.dso.ped/ledger" in names
    assert not [name for name in names if "externalbuilder" in name]


def test_a_file_that_is_no_regular_one_is_no_backup(made: State, tmp_path: Path) -> None:
    state = part_of(made, tmp_path, "DSO")
    (state.data / "link").symlink_to("/etc/passwd")
    with pytest.raises(BackupError, match="no regular file"):
        chosen(state.root, with_keys=False)
