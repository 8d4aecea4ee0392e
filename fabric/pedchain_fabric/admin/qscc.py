# SPDX-License-Identifier: Apache-2.0
"""Reading a peer's ledger (`qscc`, core/scc/qscc). Every answer is that peer's word alone."""

from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction

from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.wire.messages import parse

_QSCC = "qscc"


async def chain_info(peer: Endorser, channel: str) -> BlockchainInfo:
    """Height (the number of blocks), hash of the newest block and of the one before."""
    answer = await _ask(peer, "GetChainInfo", channel)
    return parse(BlockchainInfo, answer)


async def block_by_number(peer: Endorser, channel: str, number: int) -> Block:
    """One block, with its validation flags. Raises `AdminError` if there is none."""
    return parse(Block, await _ask(peer, "GetBlockByNumber", channel, str(number).encode()))


async def block_by_hash(peer: Endorser, channel: str, header_hash: bytes) -> Block:
    """The block whose header has this hash. Raises `AdminError` if there is none."""
    return parse(Block, await _ask(peer, "GetBlockByHash", channel, header_hash))


async def block_by_transaction(peer: Endorser, channel: str, transaction_id: str) -> Block:
    """The block that holds this transaction. Raises `AdminError` if there is none."""
    return parse(Block, await _ask(peer, "GetBlockByTxID", channel, transaction_id.encode()))


async def transaction(peer: Endorser, channel: str, transaction_id: str) -> ProcessedTransaction:
    """A transaction's envelope and its validation code. Raises `AdminError` if there is none."""
    answer = await _ask(peer, "GetTransactionByID", channel, transaction_id.encode())
    return parse(ProcessedTransaction, answer)


async def _ask(peer: Endorser, function: str, channel: str, *args: bytes) -> bytes:
    return await peer.query(_QSCC, function, channel.encode(), *args, channel=channel)
