# SPDX-License-Identifier: Apache-2.0
"""What an upgrade changes of a topology, and nothing else."""

from dataclasses import replace

import pytest

from pedchain_network.change import chaincodeplan
from pedchain_network.change.chaincodeguards import Reason
from pedchain_network.change.chaincodeplan import Wish
from pedchain_network.errors import ChangeRefusedError
from pedchain_network.topology import reader, writer
from pedchain_network.topology.model import Deployment, Package, Topology


@pytest.fixture(scope="module")
def stored() -> Topology:
    return reader.load(reader.reference())


def definition(topology: Topology, name: str) -> Deployment:
    return next(each for each in topology.deployments if each.definition.name == name)


def require_readable(topology: Topology) -> None:
    assert reader.parse(writer.text(topology), "here") == topology


def test_a_new_version_is_the_next_sequence_of_this_definition_alone(stored: Topology) -> None:
    wanted = chaincodeplan.upgraded(stored, "registry", Wish(version="2"))
    found = definition(wanted, "registry").definition
    assert (found.version, found.sequence) == ("2", 2)
    assert replace(found, version="1", sequence=1) == definition(stored, "registry").definition
    assert wanted.deployments[1:] == stored.deployments[1:]
    assert replace(wanted, deployments=stored.deployments) == stored
    require_readable(wanted)


def test_new_code_is_a_package_of_its_own_beside_the_old_one(stored: Topology) -> None:
    wanted = chaincodeplan.upgraded(stored, "metering-DistrictA", Wish(new_code=True))
    assert definition(wanted, "metering-DistrictA").package == "metering_2"
    assert definition(wanted, "metering-DistrictB").package == "metering"
    *before, new = wanted.chaincode.packages
    assert tuple(before) == stored.chaincode.packages
    assert new == Package("metering_2", "metering", len(before), 1)
    assert len(wanted.servers()) == 2 * len(stored.servers())
    require_readable(wanted)


def test_a_package_goes_when_nothing_uses_it_and_a_later_one_is_there(stored: Topology) -> None:
    wanted = chaincodeplan.upgraded(stored, "metering-DistrictA", Wish(new_code=True))
    assert chaincodeplan.without_unused(wanted) == wanted
    both = replace(
        wanted,
        deployments=tuple(
            replace(each, package="metering_2") if each.package == "metering" else each
            for each in wanted.deployments
        ),
    )
    left = chaincodeplan.without_unused(both)
    labels = {each.label for each in stored.chaincode.packages}
    found = {each.label for each in left.chaincode.packages}
    assert found == labels - {"metering"} | {"metering_2"}
    require_readable(left)
    again = chaincodeplan.upgraded(left, "metering-DistrictB", Wish(new_code=True))
    assert again.chaincode.packages[-1] == Package("metering_3", "metering", 1, 2)


def test_a_package_nobody_uses_yet_stays(stored: Topology) -> None:
    unused = replace(stored, deployments=stored.deployments[:1])
    assert chaincodeplan.without_unused(unused) == unused


def test_an_upgrade_to_nothing_new_is_refused(stored: Topology) -> None:
    for wish in (Wish(), Wish(version="1")):
        with pytest.raises(ChangeRefusedError) as caught:
            chaincodeplan.upgraded(stored, "registry", wish)
        assert caught.value.reason == Reason.NOTHING_CHANGES


def test_an_unknown_definition_is_named_with_the_known_ones(stored: Topology) -> None:
    with pytest.raises(ChangeRefusedError) as caught:
        chaincodeplan.upgraded(stored, "notes", Wish(version="2"))
    assert caught.value.reason == Reason.UNKNOWN_DEFINITION
    assert "metering-DistrictA" in caught.value.fix


def test_of_another_file_only_the_named_definition_and_its_package_are_taken(
    stored: Topology,
) -> None:
    given = chaincodeplan.upgraded(stored, "metering-DistrictA", Wish("2", new_code=True))
    given = chaincodeplan.upgraded(given, "registry", Wish(version="7"))
    taken = chaincodeplan.adopted(stored, "metering-DistrictA", given)
    assert definition(taken, "metering-DistrictA") == definition(given, "metering-DistrictA")
    assert definition(taken, "registry") == definition(stored, "registry")
    assert "metering_2" in [each.label for each in taken.chaincode.packages]


def test_changes_are_told_in_words(stored: Topology) -> None:
    before = definition(stored, "registry").definition
    wanted = chaincodeplan.upgraded(
        stored, "registry", Wish("2", "AND('DSOMSP.peer', 'DistrictAMSP.peer')")
    )
    told = "\n".join(chaincodeplan.changes(before, definition(wanted, "registry").definition))
    assert "sequence 1 -> 2" in told
    assert "version 1 -> 2" in told
    assert "-> AND('DSOMSP.peer', 'DistrictAMSP.peer')" in told
    assert list(chaincodeplan.changes(None, before)) == ["registry is new"]
