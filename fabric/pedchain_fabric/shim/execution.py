# SPDX-License-Identifier: Apache-2.0
"""One call of a contract, from the peer's message to the answer. There is always an answer."""

import asyncio
import logging
import traceback

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.errors import ContractError, WireError
from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.deadlines import Deadlines
from pedchain_fabric.shim.errors import FAILED, REFUSED
from pedchain_fabric.shim.exchange import Exchange
from pedchain_fabric.shim.ledger import Ledger
from pedchain_fabric.shim.limits import MESSAGE_CHARACTERS, PAYLOAD_BYTES, TRANSACTION_SECONDS
from pedchain_fabric.shim.stub import Stub
from pedchain_fabric.wire.messages import parse

log = logging.getLogger(__name__)

INTERNAL = "internal error"  # all a client learns of a contract's bug
UNFINISHED = "the contract left requests under way"
TOO_LARGE = "the answer is too large"

Outcome = tuple[Response, ChaincodeEvent | None]


async def execute(
    contracts: Contracts,
    message: ChaincodeMessage,
    exchange: Exchange,
    abilities: Abilities,
    deadlines: Deadlines,
) -> bytes:
    """The COMPLETED message for a TRANSACTION or INIT.

    A contract that fails is answered at once with its status: the peer would otherwise wait
    for its time-out. Only the stream's end (cancellation) leaves a call unanswered.
    """
    ledger = Ledger(exchange, abilities)
    response, event = await _outcome(contracts, message, exchange, ledger, deadlines)
    finished = await exchange.close()
    if _succeeded(response) and not finished:
        response, event = _failure(FAILED, UNFINISHED), None
    told = b"" if event is None else event.SerializeToString()
    payload = response.SerializeToString()
    if len(payload) + len(told) > PAYLOAD_BYTES:
        payload, told = _failure(FAILED, TOO_LARGE).SerializeToString(), b""
    return exchange.envelope.message(ChaincodeMessage.COMPLETED, payload, told)


def _succeeded(response: Response) -> bool:
    return response.status < REFUSED


async def _outcome(
    contracts: Contracts,
    message: ChaincodeMessage,
    exchange: Exchange,
    ledger: Ledger,
    deadlines: Deadlines,
) -> Outcome:
    task = asyncio.current_task(exchange.loop)
    assert task is not None, "a call runs in a task of its own"
    deadlines.begin(task, TRANSACTION_SECONDS)
    try:
        stub = _stub(message, exchange, ledger)
        response = await _call(contracts, stub)
        if ledger.batching:
            response = await _flushed(ledger, response)
    except WireError as error:
        return _failure(FAILED, str(error)), None
    except asyncio.CancelledError:
        if not deadlines.passed(task):
            raise
        log.warning("[%.8s] gave up after %s s", message.txid, TRANSACTION_SECONDS)
        return _failure(FAILED, INTERNAL), None
    finally:
        deadlines.end(task)
    return response, stub.event if _succeeded(response) else None


async def _flushed(ledger: Ledger, response: Response) -> Response:
    """Send the open batch, also after a refusal, as single writes would have been sent: what a
    failed callee wrote stays in its caller's write set. The first failure is the one told."""
    try:
        await ledger.finish_batch()
    except ContractError as error:
        return _failure(error.status, error.message) if _succeeded(response) else response
    return response


async def _call(contracts: Contracts, stub: Stub) -> Response:
    try:
        reply = await contracts.call(stub)
        return Response(status=reply.status, message=_text(reply.message), payload=reply.payload)
    except ContractError as error:
        return _failure(error.status, error.message)
    except asyncio.CancelledError as error:
        if _ending():
            raise
        return _bug(stub, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a contract does is answered
        return _bug(stub, error)


def _stub(message: ChaincodeMessage, exchange: Exchange, ledger: Ledger) -> Stub:
    call = parse(ChaincodeInput, message.payload)
    proposal = message.proposal if message.HasField("proposal") else None
    return Stub(exchange, ledger, call, proposal, message.type == ChaincodeMessage.INIT)


def _ending() -> bool:
    """Whether the task itself is cancelled: by the stream's end or the time limit."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _bug(stub: Stub, error: BaseException) -> Response:
    """Answer without a word of the exception, which may hold private data; log kind and place."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    log.error("[%.8s] %s in %s", stub.transaction_id, type(error).__name__, place)
    return _failure(FAILED, INTERNAL)


def _failure(status: int, message: str) -> Response:
    return Response(status=status, message=_text(message))


def _text(message: str) -> str:
    return message[:MESSAGE_CHARACTERS].encode(errors="replace").decode()
