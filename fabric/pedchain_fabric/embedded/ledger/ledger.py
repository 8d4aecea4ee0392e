# SPDX-License-Identifier: Apache-2.0
"""One channel's ledger, shared by every node of the process."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from fabric_protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.embedded.ledger import commit, configupdate, failpoints
from pedchain_fabric.embedded.ledger.blocks import ChainInfo
from pedchain_fabric.embedded.ledger.commit import Prepared, Rules, Stores
from pedchain_fabric.embedded.ledger.errors import BlockRefused, ConfigRefused, LedgerError
from pedchain_fabric.embedded.ledger.heights import Heights, Listener
from pedchain_fabric.embedded.ledger.lifecycle import Collection, Definition
from pedchain_fabric.embedded.ledger.limits import CACHED_OUTCOMES
from pedchain_fabric.embedded.ledger.outcome import BlockOutcome, claimed_id
from pedchain_fabric.embedded.ledger.policies import PolicyEvaluator
from pedchain_fabric.embedded.ledger.private import TransientStore
from pedchain_fabric.embedded.ledger.simulator import Origin, Simulator
from pedchain_fabric.embedded.ledger.store import Store
from pedchain_fabric.embedded.ledger.verifier import Verifier
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.channelconfig import BLOCK_VALIDATION, ChannelConfig
from pedchain_fabric.wire.transaction import TransactionParts


@dataclass(frozen=True, slots=True)
class ProcessedTransaction:
    """A committed transaction: its envelope, its code, its place."""

    envelope: bytes
    code: int
    block: int
    index: int


class Ledger:
    """The chain, the state and everything derived from it.

    A block is validated once, whoever's peer commits it: public state, hashes and history are
    the same for all, private values are given to the organisations that hold them. Calls are
    short and synchronous; use it from one thread.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._heights = Heights(stores.blocks.height)
        self._outcomes: OrderedDict[int, BlockOutcome] = OrderedDict()
        self._rules: Rules | None = None
        self._commit_hash = b""
        self._resume()

    @classmethod
    def open(cls, path: Path | None) -> "Ledger":
        """Open or create the ledger in the file at `path`; None keeps it in memory.

        Raises `LedgerError` if the file is no ledger of this version.
        """
        return cls(Stores(Store(path)))

    def _resume(self) -> None:
        if self.height == 0:
            return
        last, config = self.block(self.height - 1), self.block(self.config_block)
        if last is None or config is None:
            raise LedgerError("the ledger lacks its last block or its configuration")
        self._commit_hash = wire_block.commit_hash(last)
        self._configure(ChannelConfig.from_block(config))

    def _configure(self, config: ChannelConfig) -> None:
        self._rules = Rules.of(config)
        self._stores.definitions.configure(config)

    def close(self) -> None:
        """Close the file; nothing may be used afterwards."""
        self._stores.store.close()

    # Facts about the channel

    @property
    def channel_id(self) -> str:
        """The channel's name, empty before the genesis block."""
        return "" if self._rules is None else self._rules.config.channel_id

    @property
    def height(self) -> int:
        """The number of blocks."""
        return self._stores.blocks.height

    @property
    def config(self) -> ChannelConfig:
        """The configuration in force. Raises `LedgerError` before the genesis block."""
        return self._in_force.config

    @property
    def config_block(self) -> int:
        """The number of the block that holds the configuration in force."""
        return self._stores.blocks.config_block

    @property
    def commit_hash(self) -> bytes:
        """The running hash over all verdicts and updates, empty right after genesis."""
        return self._commit_hash

    @property
    def verifier(self) -> Verifier:
        """Checks identities and signatures; a new one after each change of configuration."""
        return self._in_force.verifier

    @property
    def policies(self) -> PolicyEvaluator:
        """Evaluates application policies; a new one after each change of configuration."""
        return self._in_force.policies

    @property
    def transient(self) -> TransientStore:
        """Private write sets on their way from endorsement to commit."""
        return self._stores.transient

    @property
    def _in_force(self) -> Rules:
        if self._rules is None:
            raise LedgerError("the ledger has no genesis block yet")
        return self._rules

    # Growing

    def append_genesis(self, block: Block) -> None:
        """Start the chain. Raises `BlockRefused` if it is no genesis block or not the first."""
        if self.height or block.header.number:
            raise BlockRefused("the chain has begun, or this is not block 0")
        try:
            config = ChannelConfig.from_block(block)
        except WireError as error:
            raise BlockRefused(f"not a genesis block: {error}") from error
        stored = Block.FromString(block.SerializeToString())
        wire_block.init_metadata(stored)
        flags = bytes([TxValidationCode.VALID])
        stored.metadata.metadata[wire_block.TRANSACTIONS_FILTER] = flags
        with self._stores.store.block_transaction():
            self._stores.blocks.write(stored, [claimed_id(stored.data.data[0])], flags)
            self._stores.blocks.note_config(0)
        self._stores.state.advance()
        self._configure(config)
        self._advance(stored)

    def verify(self, block: Block) -> None:
        """Raise `BlockRefused` unless the block continues the chain and its orderers signed it.

        Number, previous hash, data hash, envelopes well formed, BlockValidation policy: what a
        peer checks of a block it is given, before it judges the transactions.
        """
        rules, info = self._in_force, self._stores.blocks.info
        if block.header.number != info.height:
            raise BlockRefused(f"expected block {info.height}, got {block.header.number}")
        if block.header.previous_hash != info.current_hash:
            raise BlockRefused(f"block {info.height}: previous hash does not match")
        consenters = rules.config.consenters if rules.config.is_bft else ()
        try:
            wire_block.check_data(block)
            claims = wire_block.orderer_signatures(block.header, block.metadata, consenters)
        except WireError as error:
            raise BlockRefused(f"block {info.height}: {error}") from error
        signers = rules.verifier.signers(claims)
        if not rules.config.policy(BLOCK_VALIDATION).satisfied_by_identities(signers):
            raise BlockRefused(f"block {info.height}: not signed by enough orderers")

    def commit(self, block: Block) -> BlockOutcome:
        """Verify, judge and store a block, and fill its notes (flags, commit hash) in place.

        Private values come from `transient`. Raises `BlockRefused`, and then nothing changed.
        """
        failpoints.reach("commit.begin")
        self.verify(block)
        try:
            prepared = commit.prepare(self._stores, self._in_force, block, self._commit_hash)
        except ConfigRefused as error:
            raise BlockRefused(f"block {block.header.number}: {error}") from error
        failpoints.reach("commit.validated")
        commit.note(block, prepared)
        stored = Block.FromString(block.SerializeToString())
        try:
            commit.write(self._stores, stored, prepared)
        except BaseException:
            self._stores.state.forget()
            raise
        failpoints.reach("commit.durable")
        return self._show(stored, prepared)

    def _show(self, stored: Block, prepared: Prepared) -> BlockOutcome:
        """What is durable becomes visible."""
        self._stores.state.advance(prepared.updates, prepared.private.batch)
        self._stores.definitions.committed(prepared.updates)
        self._commit_hash = prepared.commit_hash
        if prepared.config is not None:
            self._configure(prepared.config)
        return self._advance(stored, [each.whole for each in prepared.judged])

    def _advance(
        self, stored: Block, known: Sequence[TransactionParts | None] = ()
    ) -> BlockOutcome:
        self._stores.blocks.advance(stored)
        outcome = BlockOutcome.of(stored, known)
        self._remember(outcome)
        self._heights.advance(outcome)
        return outcome

    def propose_update(self, envelope: Envelope) -> ConfigEnvelope:
        """The configuration a CONFIG_UPDATE leads to, for an orderer to sign and order.

        Raises `ConfigRefused` if it is not authorised or does not fit.
        """
        return configupdate.propose(self.config, envelope)

    # Being told

    async def wait_height(self, height: int) -> None:
        """Return once there are at least `height` blocks."""
        await self._heights.wait(height)

    def on_commit(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each durable commit; the function returned ends that."""
        return self._heights.listen(listener)

    # Blocks and transactions

    def chain_info(self) -> ChainInfo:
        """The chain's end."""
        return self._stores.blocks.info

    def block(self, number: int) -> Block | None:
        """The block with this number, as stored."""
        return self._stores.blocks.block(number)

    def block_by_hash(self, digest: bytes) -> Block | None:
        """The block whose header has this hash."""
        return self._stores.blocks.by_hash(digest)

    def block_by_transaction(self, transaction_id: str) -> Block | None:
        """The first block with a transaction of this id."""
        place = self._stores.blocks.place(transaction_id)
        return None if place is None else self.block(place.block)

    def transaction(self, transaction_id: str) -> ProcessedTransaction | None:
        """The first transaction of this id, valid or not."""
        place = self._stores.blocks.place(transaction_id)
        block = None if place is None else self.block(place.block)
        if place is None or block is None:
            return None
        envelope = block.data.data[place.position]
        return ProcessedTransaction(envelope, place.code, place.block, place.position)

    def has_transaction(self, transaction_id: str) -> bool:
        """Whether the id was used, by a valid transaction or not."""
        return self._stores.blocks.place(transaction_id) is not None

    def outcome(self, number: int) -> BlockOutcome | None:
        """What became of a block's transactions."""
        if number not in self._outcomes:
            block = self.block(number)
            if block is None:
                return None
            self._remember(BlockOutcome.of(block))
        return self._outcomes[number]

    def _remember(self, outcome: BlockOutcome) -> None:
        self._outcomes[outcome.number] = outcome
        if len(self._outcomes) > CACHED_OUTCOMES:
            self._outcomes.popitem(last=False)

    def private_rwsets(self, number: int, organization: str) -> dict[int, TxPvtReadWriteSet]:
        """The private write sets of a block that the organisation holds, by transaction."""
        return self._stores.private.rwsets(number, organization)

    # State

    def simulator(self, transaction_id: str, organization: str) -> Simulator:
        """A view of the state as it is now, for one transaction or query. Close it.

        `organization` is the MSP id whose private values may be read.
        """
        stores = self._stores
        origin = Origin(stores.state.snapshot(), stores.history, stores.definitions)
        return Simulator(transaction_id, organization, origin)

    def definition(self, name: str) -> Definition | None:
        """The committed definition of a chaincode."""
        return self._stores.definitions.get(name)

    def definitions(self) -> tuple[Definition, ...]:
        """All committed definitions, by name."""
        return self._stores.definitions.all()

    def collection(self, chaincode: str, name: str) -> Collection | None:
        """An explicit or implicit collection of a chaincode (or of `_lifecycle`)."""
        return self._stores.definitions.collection(chaincode, name)
