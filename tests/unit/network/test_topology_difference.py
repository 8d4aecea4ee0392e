# SPDX-License-Identifier: Apache-2.0
"""Goal: `up` goes on with what only adds chaincode, and names the command for everything else.
Method: the reference against itself with one thing changed."""

import pytest

from pedchain_network.topology import difference, reader
from pedchain_network.topology.model import Topology

REFERENCE = reader.reference().read_text()
NOW = reader.parse(REFERENCE, "now")
FOURTH = "  - {name: Aggregator, ports: 7350}\n"


def changed(right: str, wrong: str) -> Topology:
    assert right in REFERENCE
    return reader.parse(REFERENCE.replace(right, wrong, 1), "wanted")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("metering, settlement]", "metering, settlement, notes]"),
        ("sequence: 1", "sequence: 2"),
        ("definitions:\n", "definitions:\n" + REFERENCE[REFERENCE.index("  - name: registry") :]
         .partition("\n\n")[0].replace("name: registry", "name: second") + "\n"),
        ("users_days: 365", "users_days: 90"),
        ("[python, -m, pedchain_chaincode, serve]", "[another, serve]"),
    ],
)  # fmt: skip
def test_what_needs_nobodys_agreement_or_a_definition_does_not_stop_up(
    right: str, wrong: str
) -> None:
    assert difference.refused(NOW, changed(right, wrong)) == ()
    assert difference.refused(NOW, NOW) == ()


@pytest.mark.parametrize(
    ("right", "wrong", "what", "fix"),
    [
        ("channel: ped", "channel: other", "channel is ped, not other", "clean"),
        ("domain: ped ", "domain: eu ", "domain is ped, not eu", "clean"),
        ('"3.1.5"', '"3.1.6"', "fabric is 3.1.5, not 3.1.6", "Upgrades"),
        (
            FOURTH,
            FOURTH + "  - {name: Fifth, ports: 7450}\n",
            "Fifth is no member",
            "org add Fifth",
        ),
        ("ports: 7050}", "ports: 7050, peers: 2}", "DSO has 1 peers, not 2", "peer add"),
        ("ports: 7050}", "ports: 7850}", "ports of DSO differ", "keep them"),
        ("OutOf(2, 'DistrictAMSP.admin'", "OutOf(1, 'DistrictAMSP.admin'", "governance", "channel"),
        ("complain_ms: 2000", "complain_ms: 3000", "parameters differ", "channel update"),
        ("name: metering-DistrictB", "name: metering-B", "metering-DistrictB is missing", "back"),
        ('version: "1"', 'version: "2"', "definition registry differs", "sequence: 2"),
        ("[registry, metering,", "[metering, registry,", "package registry differs", "new label"),
    ],
)
def test_what_takes_a_command_is_named_with_it(right: str, wrong: str, what: str, fix: str) -> None:
    found = difference.refused(NOW, changed(right, wrong))
    assert any(what in each.what and fix in each.fix for each in found), found


def test_a_missing_member_and_orderer_are_named() -> None:
    wanted = changed("ports: 7350}", "ports: 7350}\n  - {name: Fifth, ports: 7450, orderer: false}")
    assert [each.fix for each in difference.refused(wanted, NOW)] == [
        "ped-network org remove Fifth"
    ]
    fewer = reader.parse(
        REFERENCE.replace("ports: 7350}", "ports: 7350, orderer: false}").replace(
            "faults: 1", "faults: 0"
        ),
        "fewer",
    )
    fixes = [each.fix for each in difference.refused(NOW, fewer)]
    assert "ped-network orderer remove Aggregator" in fixes
