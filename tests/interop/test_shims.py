# SPDX-License-Identifier: Apache-2.0
"""The same contract on our shim and on the official Node one: the same answers and the same
read-write sets, for what both offer. (All functions of ours: tests/conformance.)"""

import base64
import json
from typing import Any

import pytest
from fabric_protos.gateway.gateway_pb2 import PreparedTransaction
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet

from pedchain_fabric.wire.transaction import parse_envelope
from tests.interop.clients.model import Call, RefusedError
from tests.interop.setting import Clients, answers, everywhere, script


@pytest.fixture
async def three(ours: Clients, chaincode: str, key: str) -> list[str]:
    """Three keys that follow each other, with their numbers as values."""
    keys = [f"{key}.{each}" for each in "123"]
    await everywhere(ours, script(chaincode, *(["put", each, each[-1]] for each in keys)))
    return keys


@pytest.mark.interop("shim-range")
async def test_a_range_is_read_in_the_order_of_its_keys(
    ours: Clients, chaincode: str, three: list[str]
) -> None:
    client = await ours.of("DSO")
    first, second, third = three
    found = await client.evaluate(
        script(chaincode, ["range", first, third], ["range", first, third + "~"])
    )
    assert answers(found) == [
        [[first, "1"], [second, "2"]],  # the end is not part of it
        [[first, "1"], [second, "2"], [third, "3"]],
    ]


@pytest.mark.interop("shim-pages")
async def test_pages_follow_each_other_by_their_bookmarks(
    ours: Clients, chaincode: str, three: list[str]
) -> None:
    client = await ours.of("DSO")
    found: list[str] = []
    bookmark = ""
    for _ in range(2):
        page = script(chaincode, ["page", three[0], three[2] + "~", 2, bookmark])
        [[keys, bookmark]] = answers(await client.evaluate(page))
        found += keys
    assert found == three
    assert bookmark == ""


@pytest.mark.interop("shim-many")
async def test_a_query_of_more_results_than_one_message_holds_is_read_whole(
    ours: Clients, chaincode: str, key: str
) -> None:
    client = await ours.of("DSO")
    keys = [f"{key}.{each:03}" for each in range(150)]
    await client.submit(script(chaincode, *(["put", each, each[-1]] for each in keys)))
    [found] = answers(await client.evaluate(script(chaincode, ["range", key, key + "~"])))
    assert [each for each, _ in found] == keys


@pytest.mark.interop("shim-composite")
async def test_composite_keys_are_found_by_their_first_parts(
    ours: Clients, chaincode: str, key: str
) -> None:
    client = await ours.of("DSO")
    put = [["composite_put", key, ["a", "ö", each], each] for each in ("1", "2")]
    await client.submit(script(chaincode, *put, ["composite_put", key, ["b"], "3"]))
    found = await client.evaluate(
        script(chaincode, ["composite", key, ["a"]], ["composite", key, []])
    )
    two = [[key, ["a", "ö", each], each] for each in ("1", "2")]
    assert answers(found) == [two, [*two, [key, ["b"], "3"]]]


@pytest.mark.interop("shim-history")
async def test_a_keys_history_is_told_newest_first(ours: Clients, chaincode: str, key: str) -> None:
    client = await ours.of("DSO")
    steps = (["put", key, "1"], ["put", key, "2"], ["delete", key])
    sent = [await client.submit_async(script(chaincode, steps[0]))]
    await client.status(sent[0].data)
    for step in steps[1:]:
        sent.append(await client.submit_async(script(chaincode, step)))
        await client.status(sent[-1].data)
    [found] = answers(await client.evaluate(script(chaincode, ["history", key])))
    identifiers = [each.transaction_id for each in sent]
    assert found == list(map(list, zip(identifiers[::-1], [None, "2", "1"], strict=True)))


@pytest.mark.interop("shim-called-refuses")
async def test_a_called_contracts_refusal_comes_back(ours: Clients, chaincode: str) -> None:
    client = await ours.of("DSO")
    inner = json.dumps([["fail", "from within"]])
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(script(chaincode, ["call", "callee", "Run", inner]))
    assert "from within" in refused.value.details[0].message


@pytest.mark.interop("shim-called-missing")
async def test_a_chaincode_that_is_not_there_cannot_be_called(
    ours: Clients, chaincode: str
) -> None:
    client = await ours.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(script(chaincode, ["call", "nowhere", "Run", "[]"]))
    assert "nowhere" in refused.value.details[0].message


@pytest.mark.interop("shim-metadata")
async def test_metadata_lists_contracts_and_transactions(ours: Clients, chaincode: str) -> None:
    client = await ours.of("DSO")
    found = await client.evaluate(Call(chaincode, "org.hyperledger.fabric:GetMetadata"))
    contracts = json.loads(found)["contracts"]
    names = {
        name: {each["name"] for each in contracts[name]["transactions"]}
        for name in ("script", "second")
    }
    assert names == {"script": {"Run", "Echo"}, "second": {"NameOf"}}


@pytest.mark.interop("shim-errors-leave-nothing")
async def test_a_contract_that_fails_late_leaves_nothing_behind(
    ours: Clients, chaincode: str, key: str
) -> None:
    client = await ours.of("DSO")
    with pytest.raises(RefusedError):
        await client.submit(script(chaincode, ["put", key, "1"], ["fail", "late"]))
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == [None]


@pytest.mark.interop("shim-caller")
async def test_the_callers_name_is_gos_in_our_shim_and_nodes_own_in_nodes(
    ours: Clients, chaincode: str
) -> None:
    client = await ours.of("DSO")
    [[_, name]] = answers(await client.evaluate(script(chaincode, ["caller"])))
    if chaincode == "ours":
        name = base64.b64decode(name).decode()
        expected = "x509::CN=gateway.dso.ped,OU=client,O=DSO::CN=ca.dso.ped,O=DSO"
    else:
        expected = "x509::/O=DSO/OU=client/CN=gateway.dso.ped::/O=DSO/CN=ca.dso.ped"
    assert name == expected


SCRIPTS: dict[str, list[list[Any]]] = {
    "reads": [["get", "a"], ["get", "b"], ["get", "a"]],
    "writes": [["put", "b", "1"], ["put", "a", "2"], ["put", "b", "3"], ["delete", "c"]],
    "read-and-write": [["get", "a"], ["put", "a", "1"], ["get", "a"]],
    "range": [["range", "set.", "set.~"], ["put", "x", "1"]],
    "composite": [["composite_put", "kind", ["1", "2"], "v"], ["composite", "kind", ["9"]]],
    "metadata": [["put", "a", "1"], ["set_policy", "a", ["DSOMSP", "DistrictAMSP"]]],
    "private": [["private_put", "shared", "a", "text"], ["private_hash", "shared", "b"]],
    "private-policy": [["private_set_policy", "shared", "a", ["DSOMSP"]]],
    "purge": [["private_purge", "shared", "a"], ["private_delete", "shared", "b"]],
    "called": [["call", "callee", "Run", '[["put","a","1"]]'], ["put", "a", "2"]],
    "event": [["event", "one", "1"], ["event", "two", "2"]],
}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.interop("shim-equal-results")
async def test_both_shims_make_the_same_read_write_set_event_and_answer(
    ours: Clients, both: object, name: str
) -> None:
    client = await ours.of("DSO")
    found = []
    for chaincode in ("ours", "node"):
        call = script(chaincode, *SCRIPTS[name], text="secret")
        transaction = await client.endorse((await client.propose(call)).data)
        found.append(_results(transaction.data, chaincode))
    assert found[0] == found[1]


def _results(transaction: bytes, chaincode: str) -> list[object]:
    envelope = PreparedTransaction.FromString(transaction).envelope
    action = parse_envelope(envelope.SerializeToString()).action
    assert action is not None
    sets = [
        (
            "this" if each.namespace == chaincode else each.namespace,
            KVRWSet.FromString(each.rwset),
            [
                (c.collection_name, c.hashed_rwset, c.pvt_rwset_hash)
                for c in each.collection_hashed_rwset
            ],
        )
        for each in TxReadWriteSet.FromString(action.results).ns_rwset
        if each.namespace != "_lifecycle"  # reads of each definition's own name
    ]
    event = action.event and (action.event.event_name, action.event.payload)
    return [sorted(sets, key=lambda each: each[0]), event, action.response.payload]
