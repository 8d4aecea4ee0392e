# SPDX-License-Identifier: Apache-2.0
"""Goal: what nodes tell is read as they mean it. Method: texts as Fabric 3.1.5 serves them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pedchain_network.watch import http, leadership, table, vitals
from pedchain_network.watch.exposition import Exposition, Sample, write
from pedchain_network.watch.http import NoAnswer
from pedchain_network.watch.vitals import Vitals

ORDERER = """\
# HELP consensus_BFT_is_leader The leadership status of the current node
# TYPE consensus_BFT_is_leader gauge
consensus_BFT_is_leader{channel="ped"} 1
consensus_BFT_leader_id{channel="ped"} 1
consensus_BFT_cluster_size{channel="ped"} 4
consensus_smartbft_blacklist_count{channel="ped"} 0
consensus_smartbft_view_leader_id{channel="ped"} 1
consensus_smartbft_view_number{channel="ped"} 3
fabric_version{version="3.1.5"} 1
ledger_blockchain_height{channel="other"} 7
ledger_blockchain_height{channel="ped"} 1.234567e+06
"""


def test_labels_and_escapes_come_back() -> None:
    samples = [Sample("m", 0.5, {"a": 'b"\\\nc', "d": "e"}), Sample("m", 12345678901.0)]
    read = Exposition.parse(write({"m": "what it is"}, samples))
    assert list(read.all("m")) == samples
    assert read.value("m", d="e") == 0.5
    assert read.value("m", d="f") is None


@pytest.mark.parametrize("line", ["", "# m 1", "m", "m{a=1", "m one", "{} 1", "\x00 1"])
def test_what_is_no_sample_is_passed_over(line: str) -> None:
    assert Exposition.parse(f"{line}\nn 1").names == {"n"}


def test_an_orderer_tells_height_view_and_leader_of_this_channel() -> None:
    told = vitals.of(Exposition.parse(ORDERER), "ped")
    assert told == Vitals(version="3.1.5", height=1_234_567, leads=True, leader=1, view=3, size=4)


def test_a_raft_orderer_has_changes_of_leader_instead_of_views() -> None:
    text = """consensus_etcdraft_is_leader{channel="ped"} 1
consensus_etcdraft_cluster_size{channel="ped"} 3
consensus_etcdraft_leader_changes{channel="ped"} 2"""
    told = vitals.of(Exposition.parse(text), "ped")
    assert (told.leads, told.size, told.view) == (True, 3, 2)


def test_a_peer_with_couchdb_is_known_by_its_metrics() -> None:
    text = 'couchdb_processing_time_count{database="ped_"} 4'
    assert vitals.of(Exposition.parse(text), "ped").couchdb
    assert not vitals.of(Exposition.parse(ORDERER), "ped").couchdb


def orderers(*told: Vitals | None) -> dict[str, Vitals | None]:
    return {f"orderer{number}": each for number, each in enumerate(told, start=1)}


NUMBERS = {number: f"orderer{number}" for number in range(1, 5)}


def test_the_leader_is_whom_the_others_follow() -> None:
    follows = Vitals(leader=1, view=0, size=4)
    leads = Vitals(leader=1, view=0, size=4, leads=True)
    led = leadership.of(orderers(leads, follows, follows, None), bft=True, numbers={})
    assert (led.leader, led.view, led.live, led.size, led.quorum) == ("orderer1", 0, 3, 4, 3)
    assert led.can_order


def test_after_a_view_change_the_number_in_the_channel_names_the_leader() -> None:
    """Who leads now says so itself only with the next block."""
    follows = Vitals(leader=2, view=1, size=4)
    told = orderers(None, follows, follows, follows)
    assert leadership.of(told, bft=True, numbers=NUMBERS).leader == "orderer2"
    assert leadership.of(told, bft=True, numbers={}).leader == "number 2"


def test_a_leader_that_is_dead_does_not_lead() -> None:
    follows = Vitals(leader=1, view=0, size=4)
    led = leadership.of(orderers(None, follows, follows, follows), bft=True, numbers=NUMBERS)
    assert led.leader == ""
    assert not led.can_order


def test_an_orderer_of_an_older_view_has_no_say() -> None:
    old, new = Vitals(leader=1, view=0, leads=True, size=4), Vitals(leader=2, view=1, size=4)
    led = leadership.of(orderers(old, old, new, None), bft=True, numbers=NUMBERS)
    assert (led.leader, led.view) == ("orderer2", 1)


def test_two_of_four_are_no_quorum() -> None:
    told = Vitals(leader=1, view=0, size=4, leads=True)
    led = leadership.of(orderers(told, Vitals(leader=1, size=4), None, None), bft=True, numbers={})
    assert not led.can_order


def test_of_three_raft_orderers_two_are_enough() -> None:
    leads, follows = Vitals(leads=True, size=3), Vitals(size=3)
    led = leadership.of(orderers(leads, follows, None), bft=False, numbers={})
    assert (led.leader, led.quorum, led.can_order) == ("orderer1", 2, True)


def test_columns_line_up() -> None:
    rows = [("a", "height"), ("longer", "7")]
    assert table.lines(rows, right=frozenset({1})) == ["a       height", "longer       7"]


@asynccontextmanager
async def served(answer: bytes | None) -> AsyncIterator[str]:
    """Says `answer` to whoever asks, or with None nothing until we are done."""
    done = asyncio.Event()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await done.wait()
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done.set()
        await asyncio.sleep(0)


async def test_an_answer_is_its_body() -> None:
    async with served(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody\r\n\r\nmore") as address:
        assert await http.get(address, "/metrics", 5) == b"body\r\n\r\nmore"


@pytest.mark.parametrize("answer", [b"", b"\x16\x03\x01", b"HTTP/1.0 503 No\r\n\r\n", b"A\r\n\r\n"])
async def test_what_is_no_answer_is_said(answer: bytes) -> None:
    async with served(answer) as address:
        with pytest.raises(NoAnswer):
            await http.get(address, "/metrics", 5)


async def test_a_node_that_says_nothing_costs_no_more_than_the_bound() -> None:
    async with served(None) as address:
        assert await vitals.ask(address, "ped", 0.05) is None
