# SPDX-License-Identifier: Apache-2.0
"""Places in a ledger: where a listener begins, and whether that is a place of this ledger."""

from typing import Final

from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.orderer.ab_pb2 import SeekNextCommit, SeekPosition, SeekSpecified

from pedchain_fabric.client.checkpoint import Checkpoint
from pedchain_fabric.client.commit import Commit
from pedchain_fabric.client.proposal import Proposal
from pedchain_fabric.client.session import Session
from pedchain_fabric.errors import CheckpointError, CommitStatusError
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.proposal import build_proposal

Place = tuple[int, str]
NOTHING_DONE: Final[Place] = (0, "")


def place_of(checkpoint: Checkpoint | None) -> Place:
    """What the checkpoint knows."""
    return (checkpoint.block_number, checkpoint.transaction_id) if checkpoint else NOTHING_DONE


def position(start_block: int | None, place: Place) -> SeekPosition:
    """Where to begin: at the place if it is one, at `start_block` if given, else with the next
    block committed."""
    if place != NOTHING_DONE:
        return SeekPosition(specified=SeekSpecified(number=place[0]))
    if start_block is not None:
        return SeekPosition(specified=SeekSpecified(number=start_block))
    return SeekPosition(next_commit=SeekNextCommit())


async def check(session: Session, channel: str, place: Place) -> None:
    """Raise `CheckpointError` for a place of another ledger, where a peer would wait for ever.

    One question to the peer: for the transaction's status, or for the ledger's height. A
    checkpoint at the end of a longer ledger's block cannot be told from one of this ledger. Whoever
    signs elsewhere is not asked to sign this too. Raises `GatewayError` if there is no answer.
    """
    if place == NOTHING_DONE or not session.can_sign:
        return
    block_number, transaction_id = place
    if transaction_id:
        await _check_transaction(session, channel, block_number, transaction_id)
    else:
        height = await _height(session, channel)
        if block_number > height:
            raise CheckpointError(
                f"the checkpoint stands before block {block_number}, and the ledger of {channel} "
                f"has only {height}: it is of another ledger, or the peer lags far behind"
            )


async def _check_transaction(
    session: Session, channel: str, block_number: int, transaction_id: str
) -> None:
    request = Commit.of(session, channel, transaction_id)
    try:
        status = await request.status(deadline=session.deadlines.evaluate)
    except CommitStatusError as error:
        if error.code != "DEADLINE_EXCEEDED":
            raise
        raise CheckpointError(
            f"the ledger of {channel} knows nothing of the checkpoint's transaction "
            f"{transaction_id}: it is of another ledger"
        ) from error
    if status.block_number != block_number:
        raise CheckpointError(
            f"the checkpoint's transaction {transaction_id} stands in block {status.block_number} "
            f"of {channel}, not in {block_number}: it is of another ledger"
        )


async def _height(session: Session, channel: str) -> int:
    asked = build_proposal(session.creator, channel, "qscc", [b"GetChainInfo", channel.encode()])
    answer = await Proposal(session, asked.proposal_bytes).evaluate()
    return parse(BlockchainInfo, answer).height
