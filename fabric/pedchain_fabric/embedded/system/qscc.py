# SPDX-License-Identifier: Apache-2.0
"""qscc: blocks and transactions of a channel, as the peer keeps them.

Source: core/scc/qscc/query.go.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.proposal_response_pb2 import Response
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction

from pedchain_fabric.embedded.acl import AccessDenied, Acl
from pedchain_fabric.embedded.joined import Joined
from pedchain_fabric.embedded.ledger import Ledger
from pedchain_fabric.embedded.system import SystemCall, failure, success

_MAX_NUMBER = 2**64 - 1


class Qscc:
    """Serves the channels the peer has joined."""

    def __init__(self, acl: Acl, joined: Joined) -> None:
        self._acl = acl
        self._joined = joined

    async def invoke(self, call: SystemCall) -> Response:
        """The answer; args are function, channel, and for all but GetChainInfo a key."""
        if len(call.args) < 2:
            return failure(f"Incorrect number of arguments, {len(call.args)}")
        called = call.transaction.proposal.chaincode_name
        if called != "qscc":
            return failure(
                "Rejecting invoke of QSCC from another chaincode because of potential for "
                f"deadlocks, original invocation for '{called}'"
            )
        if call.function != "GetChainInfo" and len(call.args) < 3:
            return failure(f"missing 3rd argument for {call.function}")
        name = call.args[1].decode("utf-8", "replace")
        channel = self._joined.get(name)
        if channel is None:
            return failure(f"Invalid chain ID, {name}")
        return self._answer(call, name, channel.ledger)

    def _answer(self, call: SystemCall, name: str, ledger: Ledger) -> Response:
        try:
            self._acl.check(f"qscc/{call.function}", ledger, call.signed)
        except AccessDenied as denied:
            return failure(f"access denied for [{call.function}][{name}]: [{denied}]")
        query = _QUERIES.get(call.function)
        if query is None:
            return failure(f"Requested function {call.function} not found.")
        return query(ledger, call.args[2] if len(call.args) > 2 else b"")


def _chain_info(ledger: Ledger, _: bytes) -> Response:
    info = ledger.chain_info()
    return success(
        BlockchainInfo(
            height=info.height,
            currentBlockHash=info.current_hash,
            previousBlockHash=info.previous_hash,
        ).SerializeToString()
    )


def _by_number(ledger: Ledger, argument: bytes) -> Response:
    text = argument.decode("utf-8", "replace")
    if not text.isascii() or not text.isdigit():
        return failure(
            "Failed to parse block number with error strconv.ParseUint: parsing "
            f'"{text}": invalid syntax'
        )
    number = int(text)
    if number > _MAX_NUMBER:
        return failure(
            "Failed to parse block number with error strconv.ParseUint: parsing "
            f'"{text}": value out of range'
        )
    if number == _MAX_NUMBER:  # Fabric's way to ask for the newest
        number = ledger.height - 1
    block = ledger.block(number)
    if block is None:
        return failure(
            f"Failed to get block number {number}, error no such block number [{number}] in index"
        )
    return _block(block)


def _by_hash(ledger: Ledger, argument: bytes) -> Response:
    block = ledger.block_by_hash(argument)
    if block is None:
        shown = argument.decode("utf-8", "replace")
        return failure(
            f"Failed to get block hash {shown}, error no such block hash "
            f"[{argument.hex()}] in index"
        )
    return _block(block)


def _by_transaction(ledger: Ledger, argument: bytes) -> Response:
    name = argument.decode("utf-8", "replace")
    block = ledger.block_by_transaction(name)
    if block is None:
        return failure(
            f"Failed to get block for txID {name}, error no such transaction ID [{name}] in index"
        )
    return _block(block)


def _transaction(ledger: Ledger, argument: bytes) -> Response:
    name = argument.decode("utf-8", "replace")
    found = ledger.transaction(name)
    if found is None:
        return failure(
            f"Failed to get transaction with id {name}, error no such transaction ID "
            f"[{name}] in index"
        )
    return success(
        ProcessedTransaction(
            transactionEnvelope=Envelope.FromString(found.envelope), validationCode=found.code
        ).SerializeToString()
    )


def _block(block: Block) -> Response:
    return success(block.SerializeToString())


_QUERIES: Mapping[str, Callable[[Ledger, bytes], Response]] = MappingProxyType(
    {
        "GetChainInfo": _chain_info,
        "GetBlockByNumber": _by_number,
        "GetBlockByHash": _by_hash,
        "GetTransactionByID": _transaction,
        "GetBlockByTxID": _by_transaction,
    }
)
