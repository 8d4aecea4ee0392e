# SPDX-License-Identifier: Apache-2.0
"""fabric-chaincode-python 2.5.4 as it is: what works on our network and on real Fabric, and what
does not on either. Each test states what was seen; one that fails means that a new version, or a
peer, has changed."""

import json

import pytest
from fabric_protos.gateway.gateway_pb2 import PreparedTransaction

from pedchain_fabric.wire.transaction import ActionParts, parse_envelope
from tests.interop.clients.model import Call, RefusedError, Step
from tests.interop.setting import Clients, answers, script

_PATIENCE = 3.0


def action(transaction: Step) -> ActionParts:
    """What an endorsed transaction would do."""
    envelope = PreparedTransaction.FromString(transaction.data).envelope
    found = parse_envelope(envelope.SerializeToString()).action
    assert found is not None
    return found


@pytest.mark.interop("fcp-state")
async def test_state_is_written_read_and_deleted(ours: Clients, fcp: str, key: str) -> None:
    client = await ours.of("DSO")
    await client.submit(script(fcp, ["put", key, "käse"], ["put", key + "b", "2"]))
    read = script(fcp, ["get", key], ["get", key + "x"])
    assert answers(await client.evaluate(read)) == ["käse", None]
    await client.submit(script(fcp, ["delete", key]))
    assert answers(await client.evaluate(read)) == [None, None]


@pytest.mark.interop("fcp-queries")
async def test_ranges_composite_keys_and_history_are_read(
    ours: Clients, fcp: str, key: str
) -> None:
    client = await ours.of("DSO")
    keys = [f"{key}.{each:03}" for each in range(150)]  # more than one message holds
    await client.submit(script(fcp, *(["put", each, each] for each in keys)))
    [found] = answers(await client.evaluate(script(fcp, ["range", key, key + "~"])))
    assert [each for each, _ in found] == keys
    await client.submit(script(fcp, ["composite_put", key, ["a", "b"], "v"]))
    composite = await client.evaluate(script(fcp, ["composite", key, ["a"]]))
    assert answers(composite) == [[[key, ["a", "b"], "v"]]]
    [history] = answers(await client.evaluate(script(fcp, ["history", keys[0]])))
    assert [value for _, value in history] == [keys[0]]


@pytest.mark.interop("fcp-caller")
async def test_the_contract_knows_transaction_and_caller(ours: Clients, fcp: str) -> None:
    client = await ours.of("DistrictA")
    proposal = await client.propose(script(fcp, ["transaction"], ["caller"]))
    result = answers(await client.evaluate_proposal(proposal.data))
    assert result[0][:2] == [proposal.transaction_id, "ped"]
    assert result[1][0] == "DistrictAMSP"


@pytest.mark.interop("fcp-refusal")
async def test_a_refusal_is_told(ours: Clients, fcp: str) -> None:
    client = await ours.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.submit(script(fcp, ["fail", "no"]))
    assert refused.value.details[0].message.endswith("failed: no")


@pytest.mark.interop("fcp-event-lost")
async def test_an_event_is_lost_without_a_word(ours: Clients, fcp: str, key: str) -> None:
    client = await ours.of("DSO")
    events = {}
    for chaincode in ("ours", fcp):
        proposal = await client.propose(script(chaincode, ["event", "name", "payload"]))
        event = action(await client.endorse(proposal.data)).event
        events[chaincode] = event.event_name if event else ""
    assert events == {"ours": "name", fcp: ""}


@pytest.mark.interop("fcp-failed-write")
async def test_a_write_that_the_peer_refuses_looks_like_a_success(
    ours: Clients, fcp: str, key: str
) -> None:
    client = await ours.of("DSO")
    # A peer refuses writes after a query by pages.
    steps = (["page", key, key + "~", 1, ""], ["put", key, "1"])
    with pytest.raises(RefusedError) as refused:
        await client.submit(script("ours", *steps))
    assert refused.value.kind == "endorse"
    await client.submit(script(fcp, *steps))
    assert answers(await client.evaluate(script(fcp, ["get", key]))) == [None]


@pytest.mark.interop("fcp-call-hangs")
async def test_a_call_of_another_chaincode_never_ends(ours: Clients, fcp: str) -> None:
    client = await ours.of("DSO")
    inner = json.dumps([["get", "a"]])
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(script(fcp, ["call", "callee", "Run", inner]), deadline=_PATIENCE)
    assert refused.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.interop("fcp-exception-hangs")
async def test_an_exception_in_the_contract_leaves_the_peer_waiting(
    ours: Clients, fcp: str, key: str
) -> None:
    client = await ours.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(script(fcp, ["raise", "oops"]), deadline=_PATIENCE)
    assert refused.value.code == "DEADLINE_EXCEEDED"
    assert answers(await client.evaluate(script(fcp, ["get", key]))) == [None]  # others go on


@pytest.mark.interop("fcp-large-message")
async def test_a_message_of_five_megabytes_breaks_the_stream(
    ours: Clients, fcp: str, key: str
) -> None:
    client = await ours.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(Call(fcp, "Echo", (bytes(5 * 1024 * 1024),)))
    said = refused.value.message + " ".join(each.message for each in refused.value.details)
    assert "chaincode stream terminated" in said
    assert answers(await client.evaluate(script(fcp, ["get", key]))) == [None]  # the next one lives


@pytest.mark.parametrize(
    "step",
    [
        ["transient", "name"],
        ["private_get", "shared", "a"],
        ["get_policy", "a"],
        ["private_purge", "shared", "a"],
    ],
    ids=lambda step: step[0],
)
@pytest.mark.interop("fcp-missing")
async def test_half_of_the_stub_is_not_there(ours: Clients, fcp: str, step: list[str]) -> None:
    client = await ours.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(script(fcp, step))
    assert refused.value.details[0].message.endswith("is not there")
