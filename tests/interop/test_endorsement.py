# SPDX-License-Identifier: Apache-2.0
"""Who endorses: by the gateway's plan, or by the organisations a client names."""

import pytest
from fabric_protos.gateway.gateway_pb2 import PreparedTransaction

from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.transaction import parse_envelope
from tests.interop.clients.model import RefusedError, Step
from tests.interop.setting import ORGANIZATIONS, Clients, answers, everywhere, script


def endorsers(transaction: Step) -> list[str]:
    """The organisations whose endorsements a transaction carries, without their "MSP"."""
    envelope = PreparedTransaction.FromString(transaction.data).envelope
    body = parse_envelope(envelope.SerializeToString()).body
    assert body is not None
    found = [Identity.from_creator(each.endorser).msp_id for each in body.endorsements]
    return sorted(each.removesuffix("MSP") for each in found)


@pytest.mark.interop("plan")
async def test_as_many_organisations_endorse_as_the_policy_asks_for(
    clients: Clients, chaincode: str, key: str
) -> None:
    for organization in ORGANIZATIONS:
        client = await clients.of(organization)
        proposal = await client.propose(script(chaincode, ["put", key, "1"]))
        transaction = await client.endorse(proposal.data)
        assert len(endorsers(transaction)) == 2
        assert organization in endorsers(transaction)  # its own first


@pytest.mark.interop("named-organisations")
async def test_named_organisations_endorse_and_no_others(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    named = ("Aggregator", "DistrictA", "DistrictB")
    call = script(chaincode, ["put", key, "1"], organizations=named)
    transaction = await client.endorse((await client.propose(call)).data)
    assert endorsers(transaction) == sorted(named)
    outcome = await client.status((await client.order(transaction.data)).data)
    assert outcome.successful


@pytest.mark.interop("named-for-evaluate")
async def test_a_named_organisation_evaluates(clients: Clients, chaincode: str, key: str) -> None:
    client = await clients.of("DSO")
    put = script(chaincode, ["private_put", "pair", key, "text"], text="ours")
    await everywhere(clients, put)
    members = script(chaincode, ["private_get", "pair", key], organizations=("DistrictA",))
    assert answers(await client.evaluate(members)) == ["ours"]
    others = script(chaincode, ["private_get", "pair", key], organizations=("DistrictB",))
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(others)
    assert [each.msp_id for each in refused.value.details] == ["DistrictBMSP"]


@pytest.mark.interop("too-few-endorsers")
async def test_too_few_named_organisations_make_an_invalid_transaction(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(chaincode, ["put", key, "1"], organizations=("DistrictA",))
    sent = await client.submit_async(call)
    assert (await client.status(sent.data)).code == "ENDORSEMENT_POLICY_FAILURE"
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == [None]


@pytest.mark.interop("unequal-results")
async def test_endorsers_with_unequal_results_are_refused(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.submit(script(chaincode, ["random", key]))
    error = refused.value
    assert (error.kind, error.code) == ("endorse", "ABORTED")
    assert "ProposalResponsePayloads do not match" in {each.message for each in error.details}


@pytest.mark.interop("unknown-organisation")
async def test_an_organisation_without_peers_cannot_be_named(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(chaincode, ["put", key, "1"], organizations=("DSO", "Nobody"))
    with pytest.raises(RefusedError) as refused:
        await client.endorse((await client.propose(call)).data)
    assert (refused.value.kind, refused.value.code) == ("endorse", "UNAVAILABLE")
    assert "NobodyMSP" in refused.value.message
