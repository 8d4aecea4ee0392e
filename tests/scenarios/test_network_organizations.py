# SPDX-License-Identifier: Apache-2.0
"""Members come and go while the network runs; nothing that was written is lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenarios.growing import (
    NEW,
    agree,
    comes,
    definition,
    get,
    get_private,
    hashes,
    put,
    put_private,
    room,
    topology,
    up_again,
)
from tests.scenarios.harness import Network

A = "metering-DistrictA"


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_a_member_joins_takes_part_and_leaves(fresh_network: Network, tmp_path: Path) -> None:
    network = fresh_network
    network.run("up")
    put(network, "DSO", "k", "from before")
    put_private(network, A, "readings", "p", "private from before")

    with room() as base:
        said = network.run("org add", NEW, "--ports", base).stdout
        assert "8/8 profiles and topology say so" in said
        assert "AND('DSOMSP.admin', OutOf(2, 'DistrictAMSP.admin'" in said
        _holds_the_same(network)
        _takes_part(network, tmp_path)
        _sees_all_of_a_collection_it_was_let_into(network, tmp_path)
        _is_kept_while_named(network, tmp_path)

        network.run("org remove", NEW)
        assert NEW not in network.profiles
        assert network.status()["state"] == "up"
        assert NEW not in {each.name for each in topology(network).organizations}
        _nothing_is_lost(network)


def _holds_the_same(network: Network) -> None:
    assert get(network, NEW, "k") == "from before"
    found = hashes(network)
    assert len(found) == 5
    assert len(set(found.values())) == 1


def _takes_part(network: Network, folder: Path) -> None:
    """It endorses once a definition names it."""
    registry = definition(network, "registry")
    named = "AND('DSOMSP.peer', 'DistrictCMSP.peer')"
    agree(network, folder, replace(registry, sequence=2, endorsement=named))
    put(network, NEW, "c", "by the newcomer", endorsing_organizations=["DSOMSP", "DistrictCMSP"])
    put(network, "DistrictA", "d", "by plan")
    assert comes(lambda: get(network, "DSO", "c"), "by the newcomer")
    assert comes(lambda: get(network, NEW, "d"), "by plan")


def _sees_all_of_a_collection_it_was_let_into(network: Network, folder: Path) -> None:
    """Its peer fetches values of before as well: who lets a member in hands over everything."""
    metering = definition(network, A)
    readings, flex = metering.collections
    assert get_private(network, NEW, A, "readings", "p") is None
    wider = replace(readings, members=(*readings.members, "DistrictCMSP"))
    agree(network, folder, replace(metering, sequence=2, collections=(wider, flex)))
    put_private(network, A, "readings", "q", "private from after")
    assert comes(lambda: get_private(network, NEW, A, "readings", "q"), "private from after")
    assert comes(lambda: get_private(network, NEW, A, "readings", "p"), "private from before")


def _is_kept_while_named(network: Network, folder: Path) -> None:
    """The ledger's definitions decide, and are changed first."""
    refused = network.run("org remove", NEW, check=False)
    assert refused.returncode == 1
    assert "the endorsement policy of registry" in refused.stderr
    assert "the members of collection readings of metering-DistrictA" in refused.stderr
    assert "fix: " in refused.stderr

    registry, metering = definition(network, "registry"), definition(network, A)
    readings, flex = metering.collections
    narrower = replace(readings, members=("DSOMSP", "DistrictAMSP"))
    agree(
        network,
        folder,
        replace(registry, sequence=3, endorsement="AND('DSOMSP.peer', 'DistrictAMSP.peer')"),
        replace(metering, sequence=3, collections=(narrower, flex)),
    )


def _nothing_is_lost(network: Network) -> None:
    put(network, "DistrictB", "e", "without it")
    assert get(network, "Aggregator", "k") == "from before"
    assert get(network, "DistrictB", "c") == "by the newcomer"
    assert get_private(network, "DistrictA", A, "readings", "p") == "private from before"
    assert get_private(network, "DSO", A, "readings", "q") == "private from after"
    assert comes(lambda: get(network, "DistrictA", "e"), "without it")
    assert len(hashes(network)) == 4
    assert len(set(hashes(network).values())) == 1
    network.run("down")
    up_again(network)
    assert get(network, "DistrictA", "e") == "without it"


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_an_addition_killed_after_any_step_is_finished_by_the_next(fresh_network: Network) -> None:
    """Killed up to the fifth of eight: a later kill might come when all is done."""
    network = fresh_network
    network.run("up")
    put(network, "DSO", "k", "from before")
    with room() as base:
        for number in range(1, 6):
            with network.start("org add", NEW, "--ports", base) as command:
                assert command.stdout is not None
                for line in command.stdout:
                    if f"{number}/8 " in line:
                        break
                command.kill()
        other = network.run("peer add", "DSO", check=False)
        assert f"`org add {NEW} --ports {base}` is half done" in other.stderr
        said = network.run("org add", NEW, "--ports", base).stdout
        assert said.count("already") >= 5
        assert get(network, NEW, "k") == "from before"
        assert len(set(hashes(network).values())) == 1


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_a_broken_off_addition_can_be_undone(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    with room() as base:
        with network.start("org add", NEW, "--ports", base) as command:
            assert command.stdout is not None
            for line in command.stdout:
                if "3/8 " in line:
                    break
            command.kill()
        network.run("org remove", NEW)
        assert NEW not in {each.name for each in topology(network).organizations}
        put(network, "DSO", "k", "as if nothing had been")
        network.run("org add", NEW, "--ports", base)
        assert get(network, NEW, "k") == "as if nothing had been"


@pytest.mark.serial
@pytest.mark.timeout(400)
@pytest.mark.parametrize("fresh_network", ["embedded"], indirect=True)
def test_what_cannot_be_is_refused_and_nothing_happens(fresh_network: Network) -> None:
    network = fresh_network
    down = network.run("org add", NEW, "--ports", "31000", check=False)
    assert down.returncode == 1
    assert "fix: ped-network up" in down.stderr
    network.run("up")
    base = str(topology(network).organizations[-1].ports.base)
    refused = network.run("org add", NEW, "--ports", base, check=False)
    assert refused.returncode == 1
    assert "its ports overlap with those of Aggregator" in refused.stderr
    refused = network.run("org remove", "DistrictB", check=False)
    assert refused.returncode == 1
    assert "DistrictB is still named in the endorsement policy of metering-D" in refused.stderr
    assert not (network.state / "change.json").exists()
