# SPDX-License-Identifier: Apache-2.0
"""What a real gateway attached to its refusals (tests/golden/wire/*.status) is read."""

from pathlib import Path

import grpc
import pytest

from pedchain_fabric.errors import (
    CommitStatusError,
    EndorseError,
    EndorsementMismatch,
    GatewayError,
)
from tests.unit.fabric.client.fakepeer import refusal

GOLDEN = Path(__file__).parents[3] / "golden" / "wire"


def answer(peer, call, code, name):
    peer.fail[call] = (code, "said by the gateway", (GOLDEN / f"{name}.status").read_bytes())


@pytest.mark.complete("client-error-details")
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


@pytest.mark.parametrize(("deadline", "code"), [(0.09, "DEADLINE_EXCEEDED"), (30.0, "CANCELLED")])
async def test_a_call_the_peer_ends_about_its_deadline_is_late_and_not_cancelled(
    peer, network, deadline, code
):
    # As Go's server does when its own timer of the call runs out first.
    peer.fail["CommitStatus"] = refusal(grpc.StatusCode.CANCELLED, "Stream removed")
    with pytest.raises(CommitStatusError) as caught:
        await network.commit("t").status(deadline=deadline)
    assert caught.value.code == code
