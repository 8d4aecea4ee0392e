# SPDX-License-Identifier: Apache-2.0
"""From a block to its verdicts and updates, and from these to the disk.

`prepare` changes nothing; `write` is one database transaction (Fabric txmgmt/validation and
kvledger/kv_ledger.go, where the stores are separate and recovered one by one after a crash).
"""

from contextlib import suppress
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block, Metadata
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.embedded.ledger import configupdate, failpoints
from pedchain_fabric.embedded.ledger.admission import Admission, admissions, admit
from pedchain_fabric.embedded.ledger.blocks import BlockStore
from pedchain_fabric.embedded.ledger.commithash import commit_hash
from pedchain_fabric.embedded.ledger.definitions import Definitions
from pedchain_fabric.embedded.ledger.endorsement import EndorsementCheck
from pedchain_fabric.embedded.ledger.history import History
from pedchain_fabric.embedded.ledger.mvcc import ReadCheck
from pedchain_fabric.embedded.ledger.policies import PolicyEvaluator
from pedchain_fabric.embedded.ledger.private import PrivateStore, TransientStore
from pedchain_fabric.embedded.ledger.privatewrites import PrivateChanges, PrivateWrites
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.store import Store
from pedchain_fabric.embedded.ledger.validation import VALID, Judged, TransactionCheck
from pedchain_fabric.embedded.ledger.verifier import Verifier
from pedchain_fabric.embedded.ledger.versioned import UpdateBatch
from pedchain_fabric.embedded.ledger.writes import apply_writes
from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire.block import COMMIT_HASH, TRANSACTIONS_FILTER, init_metadata
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.rwset import Version


class Stores:
    """Everything kept about one channel."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.blocks = BlockStore(store.main)
        self.state = State(store.main, self.blocks.height)
        self.history = History(store.main, self.blocks)
        self.private = PrivateStore(store.main)
        self.transient = TransientStore(store.transient, lambda: self.blocks.height)
        self.definitions = Definitions(self.state)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one channel configuration makes of identities and policies."""

    config: ChannelConfig
    verifier: Verifier
    policies: PolicyEvaluator

    @classmethod
    def of(cls, config: ChannelConfig) -> "Rules":
        """The rules of this configuration."""
        verifier = Verifier(config.msps)
        return cls(config, verifier, PolicyEvaluator(config, verifier))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A judged block and what it changes. `config` is the new configuration, if it has one;
    `admitted` are new members of collections."""

    judged: list[Judged]
    flags: bytes
    updates: UpdateBatch
    private: PrivateChanges
    commit_hash: bytes
    config: ChannelConfig | None
    admitted: tuple[Admission, ...] = ()


def prepare(stores: Stores, rules: Rules, block: Block, previous: bytes) -> Prepared:
    """Judge the block and work out its updates; `previous` is the last commit hash.

    Raises `ConfigRefused` if the block changes the configuration against its rules.
    """
    judged = _judge(stores, rules, block)
    config = _new_config(rules.config, judged)
    updates = UpdateBatch()
    private = PrivateWrites(stores.state, stores.definitions, stores.private)
    reads = ReadCheck(stores.state, updates)
    number = block.header.number
    for each in judged:
        if not each.namespaces:
            continue
        if each.code == VALID:
            each.code = reads.code(each.namespaces)
        offered = _offered(stores.transient, each)
        kept = private.keep(each.namespaces, offered, each.index, _endorsers(each))
        if each.code == VALID:
            version = Version(number, each.index)
            apply_writes(stores.state, updates, each.namespaces, version)
            private.apply(each.namespaces, kept, version)
    private.renew(updates)
    flags = bytes(each.code for each in judged)
    digest = commit_hash(flags, updates, previous)
    private.expire(number, updates)
    admitted = admissions(stores.state, stores.definitions, updates)
    for admission in admitted:
        admit(stores.state, private.changes, admission)
    return Prepared(judged, flags, updates, private.changes, digest, config, tuple(admitted))


def _judge(stores: Stores, rules: Rules, block: Block) -> list[Judged]:
    endorsements = EndorsementCheck(stores.state, stores.definitions, rules.policies)
    check = TransactionCheck(
        rules.verifier,
        stores.definitions,
        endorsements,
        lambda name: stores.blocks.place(name) is not None,
    )
    return check.judge(block)


def _new_config(config: ChannelConfig, judged: list[Judged]) -> ChannelConfig | None:
    new = None
    for each in judged:
        if each.code == VALID and each.is_config and each.parts is not None:
            new = configupdate.apply(new or config, parse(ConfigEnvelope, each.parts.data))
    return new


def _offered(transient: TransientStore, judged: Judged) -> tuple[bytes, ...]:
    has_private = any(
        collection.private_hash
        for namespace in judged.namespaces
        for collection in namespace.collections
    )
    return transient.get(judged.transaction_id) if has_private else ()


def _endorsers(judged: Judged) -> frozenset[str]:
    """The MSP ids that the endorsements claim."""
    endorsements = () if judged.parts is None else judged.parts.endorsements
    found = set()
    for each in endorsements:
        with suppress(IdentityError, WireError):
            found.add(Identity.from_creator(each.endorser).msp_id)
    return frozenset(found)


def note(block: Block, prepared: Prepared) -> None:
    """Write the committer's notes into the block: validation flags and commit hash."""
    init_metadata(block)
    block.metadata.metadata[TRANSACTIONS_FILTER] = prepared.flags
    block.metadata.metadata[COMMIT_HASH] = serialize(Metadata(value=prepared.commit_hash))


def write(stores: Stores, block: Block, prepared: Prepared) -> None:
    """Make the block and everything it changes durable, at once."""
    number = block.header.number
    names = [each.transaction_id for each in prepared.judged]
    with stores.store.block_transaction():
        stores.blocks.write(block, names, prepared.flags)
        failpoints.reach("commit.block")
        stores.state.write(prepared.updates, prepared.private.batch)
        failpoints.reach("commit.state")
        _write_private(stores.private, number, prepared)
        failpoints.reach("commit.private")
        for each in prepared.judged:
            if each.code == TxValidationCode.VALID:
                stores.history.write(number, each.index, each.namespaces)
        failpoints.reach("commit.history")
        if prepared.config is not None:
            stores.blocks.note_config(number)
        failpoints.reach("commit.before-durable")


def _write_private(private: PrivateStore, number: int, prepared: Prepared) -> None:
    changes = prepared.private
    for admission in prepared.admitted:
        private.admit(*admission)
    for position, part in changes.parts:
        private.write(number, position, part)
    for position, place in changes.purges:
        private.purge(place, number, position)
    for place, block_to_live in changes.scheduled:
        private.schedule(place, number, block_to_live)
    private.expire(number)
    private.forget_transient((each.transaction_id for each in prepared.judged), number)
