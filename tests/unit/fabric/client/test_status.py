# SPDX-License-Identifier: Apache-2.0
"""What a real gateway attached to its refusals (tests/golden/wire/*.status) is read."""

from pathlib import Path

import grpc
import pytest

from pedchain_fabric.errors import EndorseError, EndorsementMismatch, GatewayError

GOLDEN = Path(__file__).parents[3] / "golden" / "wire"


def answer(peer, call, code, name):
    peer.fail[call] = (code, "said by the gateway", (GOLDEN / f"{name}.status").read_bytes())


async def test_a_contracts_refusal_at_endorse(peer, network):
    answer(peer, "Endorse", grpc.StatusCode.ABORTED, "refused")
    with pytest.raises(EndorseError) as caught:
        await network.contract("cc").submit("Refuse")
    (detail,) = caught.value.details
    assert (detail.msp_id, detail.message) == ("DSOMSP", "chaincode response 400, not-today: no")
    assert detail.address == "127.0.0.1:17051"


async def test_a_contracts_refusal_at_evaluate(peer, network):
    answer(peer, "Evaluate", grpc.StatusCode.UNKNOWN, "refused-evaluate")
    with pytest.raises(GatewayError, match="chaincode response 400, not-found"):
        await network.contract("cc").evaluate("Get")


async def test_endorsers_that_differ(peer, network):
    answer(peer, "Endorse", grpc.StatusCode.ABORTED, "mismatch")
    with pytest.raises(EndorsementMismatch) as caught:
        await network.contract("cc").submit("Differ")
    organisations = {each.msp_id for each in caught.value.details}
    assert organisations == {"DistrictAMSP", "DistrictBMSP", "AggregatorMSP"}
