# SPDX-License-Identifier: Apache-2.0
"""The audit: everything a peer says, redone from raw blocks.

1. the blocks form one chain from the trusted genesis block      (chain)
2. a quorum of the consenters signed each block                  (chain)
3. each transaction is well formed and its creator signed it     (replay)
4. its endorsements satisfy the policies of that time            (endorsements)
5. what it had read was still true                               (mvcc)
   and the peer's own notes, validity flags and commit hash, are those redone
6. each reading kept was signed by its device's registered key   (readings)
7. each certificate follows from the readings                    (certificates)
8. certificates of origin follow from them, debits from their signatures  (origin)
9. sessions and shared hours follow from orders and readings, spends from signatures (settlement)
10. orders of demand response follow from consents, readings and papers (flexibility)
Steps 6 to 10 need private data; without it they are said to be not checked, never passed over.
"""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fabric_protos.common.common_pb2 import CONFIG, Block
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit import chain, checkpoint, losses, once
from pedchain_audit.archive import Archive, read
from pedchain_audit.checkpoint import Checkpoint
from pedchain_audit.course import Course
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.flexibility import Flexibility
from pedchain_audit.metering import Metering
from pedchain_audit.replay import Judged, Ledger, Valid
from pedchain_audit.settlement import Settlement
from pedchain_audit.signatures import good_of
from pedchain_audit.workers import Alone, workers
from pedchain_audit.world import World
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.channelconfig import ChannelConfig

#: Called after each block with its number and the number of blocks in all.
Progress = Callable[[int, int], None]
#: Blocks after which a run leaves a checkpoint; also where workers are waited for.
CHECKPOINT_BLOCKS = 256


@dataclass(slots=True)
class Figures:
    """What was checked, in numbers."""

    blocks: int = 0
    orderer_signatures: int = 0
    transactions: int = 0
    invalid: dict[str, int] = field(default_factory=dict)
    endorsements: int = 0
    device_signatures: int = 0
    certificates: int = 0
    origin_certificates: int = 0
    debits: int = 0
    approvals: int = 0
    claims: int = 0
    sessions: int = 0
    shared_hours: int = 0
    orders: int = 0
    statements: int = 0
    shared_days: int = 0
    twice_wh: int = 0
    events_of_one: int = 0
    events_at: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    first: int = 0  # blocks before were replayed as the peer noted them
    course: Course = field(default_factory=Course, repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """Blocks `first` to `last` (None: all there are) are checked; earlier ones are replayed as the
    peer noted them. `processes` compute signatures beside this one. `checkpoint` is a file to go on
    from and to leave; it settles `first`."""

    first: int = 0
    last: int | None = None
    processes: int = 0
    checkpoint: Path | None = None


ALL = Scope()


def verify(
    archive: Archive, progress: Progress = lambda number, height: None, scope: Scope = ALL
) -> Figures:
    """Checks an archive; returns what was checked.

    Raises `VerificationError` at the first thing that is wrong, naming block and check, and
    `ArchiveError` where there is nothing to check.
    """
    with workers(scope.processes) as work:
        audit = Audit(archive, scope, work)
        known = len(range(archive.height())[: None if scope.last is None else scope.last + 1])
        blocks = itertools.islice(archive.blocks(), known)
        try:
            for number, raw, good in work.signatures(good_of, audit.consenters, blocks):
                audit.ledger.signatures.learn(good)
                audit.block(number, raw)
                progress(number, known)
        except BaseException:
            work.settle()  # a batch further down may be what is wrong first
            raise
        work.settle()
        return audit.figures()


class Audit:
    """An audit under way. `ArchiveError` where there is no block to begin with."""

    def __init__(self, archive: Archive, scope: Scope = ALL, work: Alone | None = None) -> None:
        if not archive.height():
            raise ArchiveError("the archive holds no blocks")
        genesis = chain.decode(0, read(archive.block_path(0)))
        chain.check_genesis(genesis, archive.genesis)
        self._archive, self._scope, self._work = archive, scope, work or Alone()
        self._known = None if scope.checkpoint is None else checkpoint.read(scope.checkpoint)
        self._first = self._known.height if self._known else scope.first
        self._previous = b""
        self._private = hashlib.sha256()
        self._figures = Figures(first=self._first)
        self.ledger = Ledger(ChannelConfig.from_block(genesis))
        channel = self.ledger.config.channel_id
        self.metering = Metering(channel, losses.scan(archive), self._work)
        self.settlement = Settlement(channel, self.metering.measured)
        self.metering.follows = self.settlement.follows
        self.flexibility = Flexibility(channel, self.metering, self.settlement)
        self.course = Course()

    def consenters(self) -> list[bytes]:
        """Messages of the orderers in force."""
        config = self.ledger.config
        known = config.consenters if config.is_bft else ()
        return [each.SerializeToString(deterministic=True) for each in known]

    def block(self, number: int, raw: bytes) -> None:
        """The next block. Raises `VerificationError`."""
        block = chain.decode(number, raw)
        checking = number >= self._first
        try:
            self._previous = chain.check_link(block, number, self._previous)
        except VerificationError as error:
            raise located(error, block, self.ledger) from error
        if number and checking:
            self._figures.orderer_signatures += chain.check_signatures(
                block, self.ledger.config, self.ledger.signatures
            )
        self.metering.checking = checking
        judged = self._judged(block, checking)
        check_notes(block, judged, self.ledger.commit_hash)
        self.course.block(number, judged, self.ledger.world)
        if checking:
            count(self._figures, number, judged)
        self._kept(number + 1)

    def _judged(self, block: Block, checking: bool) -> tuple[Judged, ...]:
        number = block.header.number
        deeper = self._deeper(number)
        if checking:
            return self.ledger.judge(block, deeper)
        try:
            return self.ledger.follow(block, deeper)
        except WireError as error:
            raise VerificationError("validity flags", str(error), block=number) from error

    def _deeper(self, number: int) -> Valid:
        """Steps 6 to 10 for the valid transactions of one block."""
        held = self._archive.private(number)
        private = held.private_data_map
        self._private.update(held.SerializeToString(deterministic=True))

        def valid(judged: Judged) -> None:
            own = private.get(judged.position)
            raw = None if own is None else own.SerializeToString(deterministic=True)
            self.metering.transaction(number, judged, self.ledger.world, raw)
            self.settlement.transaction(number, judged, self.ledger.world, raw)
            self.flexibility.transaction(number, judged, self.ledger.world, raw)

        return valid

    def _kept(self, height: int) -> None:
        """Where the checkpoint was reached, replaying led there; beyond, a new one is left."""
        known, path = self._known, self._scope.checkpoint
        if known is not None and height == known.height:
            known.check(self._reached(height))
        elif path is not None and height > self._first and not height % CHECKPOINT_BLOCKS:
            self._work.settle()
            checkpoint.write(path, self._reached(height))

    def _reached(self, height: int) -> Checkpoint:
        commit = self.ledger.commit_hash.hex()
        return Checkpoint(height, self._previous.hex(), commit, self._private.hexdigest())

    def figures(self) -> Figures:
        """What was checked, once all blocks were. Leaves the checkpoint."""
        reached = len(self.course.laps)
        if self._known is not None and reached < self._known.height:
            raise VerificationError(
                "checkpoint", f"{self._known.height} blocks were verified, only {reached} are here"
            )
        if self._scope.checkpoint is not None:
            checkpoint.write(self._scope.checkpoint, self._reached(reached))
        figures, metering, settlement = self._figures, self.metering, self.settlement
        figures.device_signatures = metering.device_signatures
        figures.certificates = metering.certificates
        figures.origin_certificates, figures.debits = metering.origin_certificates, metering.debits
        figures.approvals, figures.claims = metering.approvals, metering.claims
        figures.debits += settlement.debits
        figures.sessions, figures.shared_hours = settlement.sessions, settlement.shared_hours
        figures.orders, figures.statements = self.flexibility.orders, self.flexibility.statements
        figures.shared_days = self.flexibility.shared_days
        figures.twice_wh = twice(self.ledger.world, metering, settlement)
        figures.not_checked += [*metering.not_checked(), *settlement.not_checked()]
        figures.not_checked += self.flexibility.not_checked()
        figures.changes, figures.course = self.course.changes, self.course
        return figures


def twice(world: World, metering: Metering, settlement: Settlement) -> int:
    """Wh sold or shared whose certificate of origin left the district as well."""

    def fed_in(place: once.Place) -> int | None:
        district, point, hour = place
        found = metering.measured(world, district, point, "E", hour)
        return sum(found[0][0]) if found else None

    site = partial(metering.site, world)
    return once.twice(settlement.given(), metering.exports(), site, fed_in)


def located(error: VerificationError, block: Block, ledger: Ledger) -> VerificationError:
    """The same with the transaction that was changed, where its creator's signature tells it."""
    if error.check != "data hash":
        return error
    changed = ledger.unsigned(block)
    return VerificationError(error.check, error.text, block=error.block, transaction=changed)


def check_notes(block: Block, judged: tuple[Judged, ...], commit_hash: bytes) -> None:
    """The peer's own notes, validity flags and commit hash, are those redone here."""
    number = block.header.number
    try:
        flags = wire_block.validation_codes(block)
        noted = wire_block.commit_hash(block)
    except WireError as error:
        raise VerificationError("validity flags", str(error), block=number) from error
    for each, flag in zip(judged, flags, strict=True):
        if each.code != flag:
            raise VerificationError(
                "validity flags",
                f"the peer says {name(flag)}, redone it is {name(each.code)}",
                block=number,
                transaction=each.position,
            )
    if noted != commit_hash:
        raise VerificationError("commit hash", "not what the blocks up to here make", block=number)


def count(figures: Figures, number: int, judged: tuple[Judged, ...]) -> None:
    figures.blocks += 1
    for each in judged:
        figures.transactions += 1
        if each.code != TxValidationCode.VALID:
            figures.invalid[name(each.code)] = figures.invalid.get(name(each.code), 0) + 1
        elif each.transaction is not None and each.transaction.type != CONFIG:
            figures.endorsements += len(each.transaction.endorsements)
            if len(each.transaction.endorsements) == 1 and each.transaction.event is not None:
                figures.events_of_one += 1
                figures.events_at.append(f"block {number}, transaction {each.position}")


def name(code: TxValidationCode.ValueType) -> str:
    return TxValidationCode.Name(code)
