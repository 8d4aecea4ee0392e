# SPDX-License-Identifier: Apache-2.0
"""Steps 1 and 2: the blocks form one chain from a trusted genesis, and a quorum signed each.

1. A block's header hashes the header before it and its own data; each envelope must be its own
   canonical encoding, since the data hash runs over envelopes end to end (Fabric:
   protoutil/blockutils.go, VerifyTransactionsAreWellFormed).
2. The orderers' signatures satisfy BlockValidation of the channel's configuration as it was
   before the block (BlockSignatureVerifier there).
"""

from fabric_protos.common.common_pb2 import Block

from pedchain_audit.errors import VerificationError
from pedchain_audit.signatures import Signatures
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.channelconfig import BLOCK_VALIDATION, ChannelConfig


def decode(number: int, raw: bytes) -> Block:
    """One block from its raw bytes."""
    try:
        return wire_block.parse_block(raw)
    except WireError as error:
        raise VerificationError("encoding", str(error), block=number) from error


def check_link(block: Block, number: int, previous_hash: bytes) -> bytes:
    """Step 1. Number, previous hash, data hash, canonical envelopes; returns this header's hash.

    `previous_hash` is empty for the genesis block.
    """
    if block.header.number != number:
        raise VerificationError("number", f"the header says {block.header.number}", block=number)
    if block.header.previous_hash != previous_hash:
        raise VerificationError("previous hash", "does not follow the block before", block=number)
    if block.header.data_hash != wire_block.data_hash(block.data):
        raise VerificationError(
            "data hash", "the transactions are not those the header hashes", block=number
        )
    try:
        wire_block.check_well_formed(block.data)
    except WireError as error:
        raise VerificationError("encoding", str(error), block=number) from error
    return wire_block.header_hash(block.header)


def check_genesis(block: Block, trusted: bytes) -> None:
    """Block 0 is the trusted genesis block: same header, same data; metadata is the peer's."""
    anchor = decode(0, trusted)
    if block.header != anchor.header or block.data != anchor.data:
        raise VerificationError("genesis", "not the genesis block the auditor trusts", block=0)


def check_signatures(block: Block, config: ChannelConfig, signatures: Signatures) -> int:
    """Step 2. The orderers' signatures satisfy the policy; returns how many there are."""
    number = block.header.number
    consenters = config.consenters if config.is_bft else ()
    try:
        claims = wire_block.orderer_signatures(block.header, block.metadata, consenters)
    except WireError as error:
        raise VerificationError("orderer signatures", str(error), block=number) from error
    signers = signatures.signers(config.msps, claims)
    if not config.policy(BLOCK_VALIDATION).satisfied_by_identities(signers):
        raise VerificationError("orderer signatures", "not signed by enough orderers", block=number)
    return len(claims)
