# SPDX-License-Identifier: Apache-2.0
"""Goal: topologies beyond the reference say what they mean, or what is wrong with them.
Method: the reference with a line changed; names and addresses of the nodes that follow."""

import re
from dataclasses import replace

import pytest

from pedchain_fabric.admin.channel import Consensus
from pedchain_network.errors import TopologyError
from pedchain_network.topology import reader
from pedchain_network.topology.model import Lifetimes, Limit, Topology

REFERENCE = reader.reference().read_text()
DSO = "ports: 7050}"
RAFT = "ordering: {consensus: raft, faults: 1, batch_interval_ms: 300, batch_messages: 500%s}"


def parse(text: str) -> Topology:
    return reader.parse(text, "test")


def changed(right: str, wrong: str) -> str:
    assert right in REFERENCE
    return REFERENCE.replace(right, wrong, 1)


def raft(more: str = "") -> str:
    return re.sub(r"ordering: .*?\n\n", RAFT % more + "\n\n", REFERENCE, flags=re.DOTALL)


def refused(text: str) -> TopologyError:
    with pytest.raises(TopologyError) as raised:
        parse(text)
    return raised.value


def test_every_peer_has_ports_and_a_chaincode_server_of_its_own() -> None:
    topology = parse(changed(DSO, "ports: 7050, peers: 3}"))
    dso = topology.by_name("DSO")
    assert [each.name for each in topology.peers(dso)] == [f"peer{k}.dso.ped" for k in range(3)]
    assert [topology.address(each) for each in topology.peers(dso)] == [
        "127.0.0.1:7051",
        "127.0.0.1:7061",
        "127.0.0.1:7071",
    ]
    assert [dict(each.listens) for each in topology.servers(dso)][1] == {
        "registry of chaincode1.dso.ped": "127.0.0.1:7100",
        "metering of chaincode1.dso.ped": "127.0.0.1:7101",
        "settlement of chaincode1.dso.ped": "127.0.0.1:7102",
    }


def test_no_two_listeners_of_an_organisation_share_a_port() -> None:
    packages = ", ".join(f"p{number}" for number in range(20))
    text = changed(DSO, "ports: 7050, peers: 3}").replace(
        "[registry, metering, settlement]", f"[{packages}]"
    )
    definitions = text.index("definitions:")
    topology = parse(text[:definitions] + "definitions: []\n")
    dso = topology.by_name("DSO")
    ports = [each.port for node in topology.nodes(dso) for each in node.listeners]
    assert len(ports) == len(set(ports)) == 3 + 3 * 3 + 3 * 20
    assert {*ports, dso.ports.gateway} <= set(range(7050, 7150))
    assert dso.ports.gateway not in ports


def test_a_peer_only_member_has_no_orderer() -> None:
    text = changed("ports: 7350}", "ports: 7350, orderer: false}").replace("faults: 1", "faults: 0")
    topology = parse(text)
    aggregator = topology.by_name("Aggregator")
    assert topology.orderers(aggregator) == ()
    assert len(topology.orderers()) == 3
    with pytest.raises(KeyError):
        topology.node("orderer", aggregator)


@pytest.mark.parametrize(
    ("members", "faults", "fits"), [(4, 1, True), (3, 1, False), (3, 0, True), (4, 2, False)]
)
def test_byzantine_orderers_are_three_for_each_fault_and_one_more(
    members: int, faults: int, fits: bool
) -> None:
    text = REFERENCE if members == 4 else changed("ports: 7350}", "ports: 7350, orderer: false}")
    text = text.replace("faults: 1", f"faults: {faults}")
    if fits:
        assert parse(text).ordering.faults == faults
    else:
        error = refused(text)
        assert "3f+1" in error.message
        assert f"up to {3 * faults + 1}" in error.fix


def test_raft_orderers_are_two_for_each_fault_and_one_more() -> None:
    three = raft().replace("ports: 7350}", "ports: 7350, orderer: false}")
    assert parse(three).ordering.consensus is Consensus.RAFT
    assert "2f+1" in refused(three.replace("faults: 1", "faults: 2")).message


def test_raft_has_ticks_and_no_view_changes() -> None:
    ordering = parse(raft(", tick_ms: 50, election_ticks: 20")).ordering
    assert (ordering.raft.tick_ms, ordering.raft.election_ticks) == (50, 20)
    assert ordering.batch.interval_ms == 300
    assert "unknown key 'view_change_ms'" in refused(raft(", view_change_ms: 4000")).message
    assert (
        "unknown key 'tick_ms'" in refused(changed("faults: 1", "faults: 1\n  tick_ms: 5")).message
    )


def test_somebody_must_order() -> None:
    text = re.sub(r"(ports: \d+)}", r"\1, orderer: false}", REFERENCE)
    assert "nobody orders" in refused(text).message


def test_nodes_listen_on_loopback_unless_the_topology_says_otherwise() -> None:
    listeners = [each for node in parse(REFERENCE).nodes() for each in node.listeners]
    assert {each.bind for each in listeners} == {"127.0.0.1"}


def test_a_host_of_its_own_is_dialled_and_bound_but_not_by_chaincode() -> None:
    topology = parse(changed(DSO, "ports: 7050, host: dso.example, listen: 0.0.0.0}"))
    dso = topology.by_name("DSO")
    peer, server = topology.node("peer", dso), topology.node("chaincode", dso)
    assert topology.dialled(peer) == topology.address(peer) == "dso.example:7051"
    assert peer.listener().bind == "0.0.0.0"
    assert peer.listener("chaincode").bind == "127.0.0.1"
    assert {each.bind for each in server.listeners} == {"127.0.0.1"}
    assert topology.operations_tls(peer)
    assert not topology.operations_tls(topology.node("peer", topology.by_name("DistrictA")))


def test_by_names_nodes_dial_names_and_clients_of_this_host_do_not() -> None:
    topology = replace(parse(REFERENCE), dial_names=True)
    peer = topology.peers()[0]
    assert topology.dialled(peer) == "peer0.dso.ped:7051"
    assert topology.address(peer) == "127.0.0.1:7051"
    assert topology.chaincode_address(peer, 1) == "slot1.chaincode0.dso.ped:7081"


def test_a_new_generation_is_a_process_of_its_own() -> None:
    more = "{label: metering_2, contract: metering, generation: 1}"
    topology = parse(changed("settlement]", f"settlement, {more}]"))
    peer = topology.peers()[0]
    old, new = topology.servers_of(peer)
    assert (old.name, new.name) == ("chaincode0.dso.ped", "chaincode0-1.dso.ped")
    assert [each.label for each in new.packages] == ["metering_2"]
    assert new.packages[0].contract == "metering"
    assert topology.address(new, "metering_2") == topology.chaincode_address(peer, 3)


def test_lifetimes_and_resources_have_defaults_one_by_one() -> None:
    text = changed("  users_days: 365\n", "").replace(
        "lifetimes:", "resources: {peer: {memory_mb: 99}}\nlifetimes:"
    )
    topology = parse(text)
    assert topology.lifetimes == Lifetimes()
    assert topology.resources.peer == Limit(1_000, 99)


@pytest.mark.parametrize(
    ("right", "wrong", "message", "fix"),
    [
        (DSO, "ports: 7050, peers: 4}", "4 is out of range", "1 to 3"),
        (DSO, "ports: 7050, orderer: no}", "true or false", "without quotes"),
        (DSO, "ports: 7050, orderer: 'false'}", "true or false", "without quotes"),
        (DSO, "ports: 7050, host: 0.0.0.0}", "nobody can dial", "listen: 0.0.0.0"),
        (DSO, "ports: 7050, host: 10.0.0}", "is no host", "IPv4"),
        (DSO, "ports: 7050, host: dso.example}", "cannot bind the name", "listen:"),
        (DSO, "ports: 7050, listen: dso.example}", "no address to bind", "0.0.0.0"),
        ("consensus: smartbft", "consensus: kafka", "unknown consensus", "smartbft or raft"),
        ('fabric: "3.1.5"', 'fabric: "2.5.4"', "no name we can use", "Fabric 3.1"),
        ("users_days: 365", "users_days: 6000", "outlive their authority's 5475", "6000"),
        ("[registry, metering,", "[registry, {label: metering, slot: 0},", "slot 0 is", "another"),
        ("[registry, metering,", "[registry, {label: metering, slot: 20},", "out of range", "19"),
        (
            "batch_messages: 500",
            "batch_messages: 500\n  batch_bytes: 2048",
            "2097152 bytes preferred, but 2048",
            "order",
        ),
    ],
)
def test_a_mistake_is_named_with_the_fix(right: str, wrong: str, message: str, fix: str) -> None:
    error = refused(changed(right, wrong))
    assert message in error.message
    assert fix in error.fix
    assert error.where.startswith("test:")


def test_two_peers_of_one_member_hold_private_data_twice() -> None:
    alone = "members: [DSO]}"
    text = changed("members: [DSO, DistrictA, Aggregator]}", alone)
    assert "1 other peers must hold each value, but at most 0" in refused(text).message
    parse(text.replace(DSO, "ports: 7050, peers: 2}"))
