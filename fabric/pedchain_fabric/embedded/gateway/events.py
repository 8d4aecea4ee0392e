# SPDX-License-Identifier: Apache-2.0
"""Chaincode events, block by block, of valid transactions only, and only whole ones: with the
names of chaincode and event, and a transaction id.

Source: internal/pkg/gateway/chaincodeevents.go, event/.
"""

from collections.abc import AsyncIterator, Callable

import grpc
from fabric_protos.gateway.gateway_pb2 import ChaincodeEventsRequest, ChaincodeEventsResponse
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent

from pedchain_fabric.embedded.ledger import BlockOutcome, Ledger
from pedchain_fabric.embedded.rpc import RpcRefused
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.messages import parse

Match = Callable[[ChaincodeEvent], bool]


def start_block(ledger: Ledger, request: ChaincodeEventsRequest) -> int:
    """The first block to look at. Raises RpcRefused for a position that is not offered."""
    if request.after_transaction_id:
        found = ledger.transaction(request.after_transaction_id)
        if found is not None:
            return found.block
    kind = request.start_position.WhichOneof("Type")
    if kind == "specified":
        return request.start_position.specified.number
    if kind not in (None, "next_commit"):
        raise RpcRefused(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"invalid start position type: *orderer.SeekPosition_{kind.capitalize()}",
        )
    return ledger.height


async def follow(
    ledger: Ledger, request: ChaincodeEventsRequest, first: int
) -> AsyncIterator[ChaincodeEventsResponse]:
    """Events from block `first` on, for ever; blocks without any are skipped."""
    matches = _matcher(request)
    number = first
    while True:
        await ledger.wait_height(number + 1)
        outcome = ledger.outcome(number)
        events = [] if outcome is None else [e for e in _events(outcome) if matches(e)]
        if events:
            yield ChaincodeEventsResponse(events=events, block_number=number)
        number += 1


def _events(outcome: BlockOutcome) -> list[ChaincodeEvent]:
    found = []
    for transaction in outcome.transactions:
        if transaction.valid and transaction.event:
            try:
                event = parse(ChaincodeEvent, transaction.event)
            except WireError:
                continue
            if event.chaincode_id and event.event_name and event.tx_id:
                found.append(event)
    return found


def _matcher(request: ChaincodeEventsRequest) -> Match:
    """Events of the chaincode; those up to a given transaction's are passed over.

    As in Fabric, a transaction that is never seen (it set no event, say) holds back everything.
    """
    if not request.after_transaction_id:
        return lambda event: event.chaincode_id == request.chaincode_id
    passed = False

    def matches(event: ChaincodeEvent) -> bool:
        nonlocal passed
        if not passed:
            passed = event.tx_id == request.after_transaction_id
            return False
        return event.chaincode_id == request.chaincode_id

    return matches
