# SPDX-License-Identifier: Apache-2.0
"""Discovery: the gateway's plan covers all that a transaction touches."""

import pytest

from tests.interop.setting import Clients, answers, script
from tests.interop.test_endorsement import endorsers


@pytest.mark.interop("called-chaincode")
async def test_a_called_chaincodes_endorsers_are_asked_as_well(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    inner = script("callee", ["put", key, "1"], ["get", key])
    call = script(chaincode, ["put", key, "2"], ["call", "callee", "Run", inner.args[0].decode()])
    transaction = await client.endorse((await client.propose(call)).data)
    assert {"DistrictA", "DistrictB", "Aggregator"} <= set(endorsers(transaction))
    assert (await client.status((await client.order(transaction.data)).data)).successful
    assert answers(await client.evaluate(script("callee", ["get", key]))) == ["1"]
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == ["2"]


@pytest.mark.interop("any-gateway")
async def test_every_organisations_gateway_finds_the_endorsers(clients: Clients, key: str) -> None:
    for organization in ("DSO", "DistrictA", "DistrictB", "Aggregator"):
        client = await clients.of(organization)
        proposal = await client.propose(script("callee", ["put", key, organization]))
        transaction = await client.endorse(proposal.data)
        assert {"DistrictA", "DistrictB", "Aggregator"} <= set(endorsers(transaction))
