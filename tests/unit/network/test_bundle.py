# SPDX-License-Identifier: Apache-2.0
"""An organisation's part holds its own keys and nobody else's."""

import tarfile
from pathlib import Path

import pytest
import yaml

from pedchain_network.errors import BundleError
from pedchain_network.keep import bundle
from pedchain_network.pki import crypto, ownership
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology import reader

QUIET = Progress(lambda line: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> State:
    state = State(tmp_path_factory.mktemp("whole") / "state")
    bundle.prepare(reader.load(reader.reference()), state, QUIET)
    return state


@pytest.fixture(scope="module")
def part(whole: State, tmp_path_factory: pytest.TempPathFactory) -> State:
    return State(bundle.bundle(whole, "DistrictA", tmp_path_factory.mktemp("part") / "a", QUIET))


def test_it_holds_its_own_keys_and_nobody_elses(whole: State, part: State) -> None:
    topology = part.topology()
    assert topology == whole.topology()
    assert ownership.here(part.crypto, topology) == {"DistrictA"}
    assert ownership.whole(whole.crypto, topology)
    owners = {path.relative_to(part.crypto).parts[0] for path in part.crypto.rglob("key.pem")}
    assert owners == {"DistrictA"}
    own = [path.relative_to(whole.crypto) for path in (whole.crypto / "DistrictA").rglob("*")]
    assert all((part.crypto / each).exists() for each in own)
    assert part.root.stat().st_mode & 0o777 == 0o700


def test_it_holds_what_proves_who_the_others_are(whole: State, part: State) -> None:
    for each in whole.topology().organizations:
        for kind in ("ca", "tlsca"):
            path = crypto.of(part.crypto, each).authority(kind)
            assert path.read_bytes() == crypto.of(whole.crypto, each).authority(kind).read_bytes()
    channel = whole.topology().channel
    assert part.genesis(channel).read_bytes() == whole.genesis(channel).read_bytes()


def test_no_keys_are_ever_made_for_the_others(part: State) -> None:
    before = sorted(part.crypto.rglob("*"))
    assert crypto.create(part.crypto, part.topology()) == 0
    assert sorted(part.crypto.rglob("*")) == before


def test_its_compose_file_has_its_own_nodes_alone(part: State) -> None:
    services = yaml.safe_load((part.root / "compose.yaml").read_text())["services"]
    assert "peer0.districta.ped" in services
    assert not [name for name in services if "districtb" in name or "dso" in name]


def test_its_guide_names_own_listeners_and_the_others_addresses(part: State) -> None:
    guide = (part.root / "README.txt").read_text()
    topology = part.topology()
    for node in (*topology.peers(), *topology.orderers()):
        assert topology.dialled(node) in guide


def test_as_a_file_it_is_its_owners_alone(whole: State, tmp_path: Path) -> None:
    path = bundle.bundle(whole, "DSO", tmp_path / "dso.tar.gz", QUIET)
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as tar:
        names = tar.getnames()
    assert "DSO/consortium.yaml" in names
    assert {each.name for each in tmp_path.iterdir()} == {"dso.tar.gz"}


def test_nothing_is_overwritten_and_nobody_unknown_is_bundled(
    whole: State, part: State, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="there already"):
        bundle.bundle(whole, "DSO", part.root, QUIET)
    with pytest.raises(BundleError, match="no organisation"):
        bundle.bundle(whole, "Nobody", tmp_path / "x", QUIET)
    with pytest.raises(BundleError, match="keys are not in"):
        bundle.bundle(part, "DSO", tmp_path / "x", QUIET)
    with pytest.raises(BundleError, match="has a topology already"):
        bundle.prepare(reader.load(reader.reference()), whole, QUIET)
    assert not list(tmp_path.iterdir())
