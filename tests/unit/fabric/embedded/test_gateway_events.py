# SPDX-License-Identifier: Apache-2.0
"""Which chaincode events the gateway hands on."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fabric_protos.gateway.gateway_pb2 import ChaincodeEventsRequest
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent

from pedchain_fabric.embedded.gateway.events import follow
from pedchain_fabric.embedded.ledger import Ledger

WHOLE = ChaincodeEvent(chaincode_id="main", event_name="told", tx_id="t", payload=b"1")
LACKING = {
    "no chaincode": ChaincodeEvent(event_name="told", tx_id="t"),
    "no name": ChaincodeEvent(chaincode_id="main", tx_id="t"),
    "no transaction id": ChaincodeEvent(chaincode_id="main", event_name="told"),
}


def transaction(event: bytes, *, valid: bool = True) -> Any:
    return SimpleNamespace(valid=valid, event=event)


def ledger(*blocks: list[Any]) -> Ledger:
    """A ledger of these blocks' transactions."""

    async def wait_height(height: int) -> None:
        assert height <= len(blocks), "more is waited for than there is"

    def outcome(number: int) -> Any:
        return SimpleNamespace(transactions=blocks[number])

    return cast(Ledger, SimpleNamespace(wait_height=wait_height, outcome=outcome))


@pytest.mark.parametrize("event", LACKING.values(), ids=LACKING)
async def test_an_event_that_is_not_whole_is_not_told(event: ChaincodeEvent) -> None:
    lacking, whole = (transaction(each.SerializeToString()) for each in (event, WHOLE))
    request = ChaincodeEventsRequest(chaincode_id=event.chaincode_id)
    told = follow(ledger([lacking], [lacking, whole]), request, 0)
    if event.chaincode_id:
        first = await anext(told)
        assert (first.block_number, list(first.events)) == (1, [WHOLE])
    else:
        with pytest.raises(AssertionError, match="more is waited for"):
            await anext(told)


async def test_events_of_others_of_invalid_ones_and_what_is_none_are_not_told() -> None:
    other = ChaincodeEvent(chaincode_id="other", event_name="told", tx_id="t")
    blocks = [
        [transaction(other.SerializeToString())],
        [transaction(WHOLE.SerializeToString(), valid=False)],
        [transaction(b""), transaction(b"\xff")],
        [transaction(WHOLE.SerializeToString())],
    ]
    first = await anext(follow(ledger(*blocks), ChaincodeEventsRequest(chaincode_id="main"), 0))
    assert (first.block_number, list(first.events)) == (3, [WHOLE])
