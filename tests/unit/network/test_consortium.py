# SPDX-License-Identifier: Apache-2.0
"""Goal: every mistake in a topology is named with its line and what to do.
Method: the reference consortium with one thing wrong at a time."""

from pathlib import Path

import pytest

from pedchain_network.errors import TopologyError
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology

REFERENCE = reader.reference().read_text()


def load(directory: Path, text: str) -> Topology:
    path = directory / "consortium.yaml"
    path.write_text(text)
    return reader.load(path)


def line_of(text: str, fragment: str) -> int:
    return text[: text.index(fragment)].count("\n") + 1


def test_the_reference_is_the_consortium_of_the_blueprint() -> None:
    topology = reader.load(reader.reference())
    assert topology.channel == "ped"
    assert [each.msp_id for each in topology.organizations] == [
        "DSOMSP",
        "DistrictAMSP",
        "DistrictBMSP",
        "AggregatorMSP",
    ]
    assert [each.ports.orderer for each in topology.organizations] == [7050, 7150, 7250, 7350]
    assert topology.ordering.batch.interval_ms == 10
    assert topology.ordering.timers.complain_ms == 2_000
    definitions = {each.definition.name: each for each in topology.deployments}
    assert set(definitions) == {
        "registry",
        "metering-DistrictA",
        "metering-DistrictB",
        "settlement",
    }
    assert definitions["settlement"].definition.collections[0].members == (
        "DSOMSP",
        "DistrictAMSP",
        "DistrictBMSP",
        "AggregatorMSP",
    )
    for district in ("DistrictA", "DistrictB"):
        deployed = definitions[f"metering-{district}"]
        assert deployed.package == "metering"
        assert deployed.definition.endorsement == f"AND('DSOMSP.peer', '{district}MSP.peer')"
        readings, flex = deployed.definition.collections
        assert (readings.name, readings.members) == ("readings", ("DSOMSP", f"{district}MSP"))
        assert flex.members == ("DSOMSP", f"{district}MSP", "AggregatorMSP")
        # Both members of `readings` endorse and hold the values; the Aggregator must be sent them.
        assert (readings.required_peers, readings.max_peers) == (0, 0)
        assert (flex.required_peers, flex.max_peers) == (1, 3)


def test_every_definition_of_the_reference_needs_the_dso() -> None:
    for each in reader.load(reader.reference()).deployments:
        assert each.definition.endorsement.startswith("AND('DSOMSP.peer', ")


@pytest.mark.parametrize(
    ("right", "wrong", "message", "fix"),
    [
        ("schema: consortium/1", "schema: consortium/9", "unknown schema", "consortium/1"),
        ("channel: ped", "channel: Ped", "no name we can use", "lower-case"),
        ("domain: ped", "domain: -x", "no name we can use", "DNS"),
        ("host: 127.0.0.1", "host: 0.0.0.0", "nobody can dial 0.0.0.0", "listen: 0.0.0.0"),
        ("channel: ped", "chanel: ped", "unknown key 'chanel'", "known here: schema, channel"),
        ("domain: ped ", "channel: ped ", "'channel' stands twice", "remove one"),
        ("ports: 7050", "ports: x", "whole number", "1024"),
        ("ports: 7050", "ports: 80", "80 is out of range", "1024"),
        ("name: DistrictA", "name: dso", "'dso' stands twice", "rename"),
        ("name: DistrictA", "name: District-A", "no name we can use", "letters and digits"),
        ("faults: 1", "faults: 2", "4 orderers tolerate 1 faults, not 2", "up to 7"),
        ("batch_messages: 500", "batch_messages: 0", "0 is out of range", "1 to 10000"),
        ("probe: org", "probe: [org]  #", "must be a text", "quotes"),
        (
            "AND('DSOMSP.admin', OutOf",
            "AND('DSOMSP.member', OutOf",
            "DSOMSP must act as admin",
            "write 'DSOMSP.admin'",
        ),
        (
            "AND('DSOMSP.peer', 'DistrictAMSP.peer')",
            "AND('DSOMSP.peer', 'DistrictAMSP.member')",
            "DistrictAMSP must act as peer",
            "write 'DistrictAMSP.peer'",
        ),
        (
            "AND('DSOMSP.peer', 'DistrictBMSP.peer')",
            "AND('DSOMSP.peer', 'DistrictCMSP.peer')",
            "'DistrictCMSP' is no MSP here",
            "known: AggregatorMSP",
        ),
        (
            "AND('DSOMSP.peer', 'DistrictBMSP.peer')",
            "AND('DSOMSP.peer'",
            "endorsement",
            "policy language",
        ),
        (
            "members: [DSO, DistrictA, Aggregator]}",
            "members: [DSO, Nobody]}",
            "no organisation",
            "known: DSO",
        ),
        (
            "members: [DSO, DistrictA, Aggregator]}",
            "members: [DSO]}",
            "1 other peers must",
            "lower",
        ),
        ("name: registry", "name: reg--istry", "no name we can use", "joined by single"),
        ("name: metering-DistrictB", "name: registry", "'registry' stands twice", "rename"),
        (
            "package: registry",
            "package: nothing",
            "no such package",
            "known: registry, metering, settlement",
        ),
        ("[registry, metering,", "[registry, registry,", "'registry' stands twice", "rename"),
        ("[registry, metering,", "[registry, me-tering,", "no name we can use", "single _"),
        (
            "command: [python, -m, pedchain_chaincode, serve]",
            "command: []",
            "is empty",
            "name the program",
        ),
        ('version: "1"', "version: 1", "must be a text", "quotes"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_fix(
    tmp_path: Path, right: str, wrong: str, message: str, fix: str
) -> None:
    text = REFERENCE.replace(right, wrong, 1)
    assert text != REFERENCE
    with pytest.raises(TopologyError) as raised:
        load(tmp_path, text)
    assert raised.value.where == f"{tmp_path / 'consortium.yaml'}:{line_of(REFERENCE, right)}"
    assert message in raised.value.message
    assert fix in raised.value.fix
    assert str(raised.value).endswith(f"fix: {raised.value.fix}")


def test_a_missing_key_is_named_where_it_belongs(tmp_path: Path) -> None:
    text = REFERENCE.replace("channel: ped\n", "", 1)
    with pytest.raises(TopologyError, match="'channel' is missing"):
        load(tmp_path, text)


def test_ports_that_overlap_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="ports of DSO and DistrictA overlap"):
        load(tmp_path, REFERENCE.replace("ports: 7150", "ports: 7149"))


def test_timers_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="forward <= complain"):
        load(tmp_path, REFERENCE.replace("forward_ms: 500", "forward_ms: 2001"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "not YAML"),
        (b"", "empty"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"[1, 2]", "must be a mapping"),
        (b"a: " + b"x" * (1 << 20), "larger than"),
    ],
)
def test_what_is_no_topology_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "consortium.yaml"
    path.write_bytes(content)
    with pytest.raises(TopologyError, match=message):
        reader.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="No such file") as raised:
        reader.load(tmp_path / "nowhere.yaml")
    assert "--topology" in raised.value.fix
