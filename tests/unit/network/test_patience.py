# SPDX-License-Identifier: Apache-2.0
"""Goal: one node that hangs stops nobody for long. Method: the waits that were measured on real
Fabric to do so (Fabric's own stopped the network for half a minute to a minute)."""

from pathlib import Path
from typing import Any

import pytest

from pedchain_network.runtimes import ordererconfig, peerconfig
from pedchain_network.runtimes.places import Places
from pedchain_network.topology import reader
from pedchain_network.topology.node import ORDERER, PEER

TOPOLOGY = reader.load(reader.reference())
DSO = TOPOLOGY.by_name("DSO")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("data", "msp", "tls", "tls.pem", "builder")))


def milliseconds(text: str) -> int:
    number = text.removesuffix("ms")
    return int(number) if number != text else 1000 * int(text.removesuffix("s"))


def test_an_orderer_asks_a_silent_one_for_less_than_a_view_change_takes(places: Places) -> None:
    """Else the next view change is called for while it still asks, without end."""
    made: Any = ordererconfig.orderer(TOPOLOGY, TOPOLOGY.node(ORDERER, DSO), places)
    cluster = made["General"]["Cluster"]
    asking = ("DialTimeout", "ReplicationPullTimeout", "ReplicationRetryTimeout")
    limit = TOPOLOGY.ordering.timers.view_change_ms / 2
    assert all(milliseconds(cluster[name]) <= limit for name in asking)


@pytest.fixture
def peer(places: Places) -> Any:
    made: Any = peerconfig.core(TOPOLOGY, TOPOLOGY.node(PEER, DSO), places)
    return made["peer"]


def test_a_peer_leaves_an_orderer_that_says_nothing(peer: Any) -> None:
    assert milliseconds(peer["deliveryclient"]["blockCensorshipTimeoutKey"]) <= 3_000


def test_private_data_that_nobody_has_holds_no_commit_up(peer: Any) -> None:
    private = peer["gossip"]["pvtData"]
    assert milliseconds(private["pullRetryThreshold"]) <= 3_000
    assert private["skipPullingInvalidTransactionsDuringCommit"]
    assert private["reconciliationEnabled"]
    assert milliseconds(private["reconcileSleepInterval"]) <= 10_000
