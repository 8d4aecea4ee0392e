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

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from fabric_protos.common.common_pb2 import CONFIG, Block
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit import chain, losses, once
from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.flexibility import Flexibility
from pedchain_audit.metering import Metering
from pedchain_audit.replay import Judged, Ledger, Valid
from pedchain_audit.settlement import Settlement
from pedchain_audit.world import World
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.channelconfig import ChannelConfig

#: Called after each block with its number and the number of blocks in all.
Progress = Callable[[int, int], None]


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
    not_checked: list[str] = field(default_factory=list)


def verify(archive: Archive, progress: Progress = lambda number, height: None) -> Figures:
    """Checks the whole archive; returns what was checked.

    Raises `VerificationError` at the first thing that is wrong, naming block and check, and
    `ArchiveError` where there is nothing to check.
    """
    height = archive.height()
    figures = Figures()
    previous = b""
    ledger: Ledger | None = None
    metering: Metering | None = None
    settlement: Settlement | None = None
    flexibility: Flexibility | None = None
    for number, raw in archive.blocks():
        block = chain.decode(number, raw)
        try:
            previous = chain.check_link(block, number, previous)
        except VerificationError as error:
            raise located(error, block, ledger) from error
        if ledger is None or metering is None or settlement is None or flexibility is None:
            chain.check_genesis(block, archive.genesis)
            ledger = Ledger(ChannelConfig.from_block(block))
            metering = Metering(ledger.config.channel_id, losses.scan(archive))
            settlement = Settlement(ledger.config.channel_id, metering.measured)
            flexibility = Flexibility(ledger.config.channel_id, metering, settlement)
        else:
            figures.orderer_signatures += chain.check_signatures(block, ledger.config)
        judged = ledger.judge(block, deeper(flexibility, number, ledger, archive))
        check_notes(block, judged, ledger.commit_hash)
        count(figures, judged)
        progress(number, height)
    if metering is None or settlement is None or flexibility is None:
        raise ArchiveError("the archive holds no blocks")
    figures.device_signatures = metering.device_signatures
    figures.certificates = metering.certificates
    figures.origin_certificates, figures.debits = metering.origin_certificates, metering.debits
    figures.approvals, figures.claims = metering.approvals, metering.claims
    figures.debits += settlement.debits
    figures.sessions, figures.shared_hours = settlement.sessions, settlement.shared_hours
    figures.orders, figures.statements = flexibility.orders, flexibility.statements
    figures.shared_days = flexibility.shared_days
    figures.twice_wh = twice(ledger.world, metering, settlement) if ledger else 0
    figures.not_checked += [*metering.not_checked(), *settlement.not_checked()]
    figures.not_checked += flexibility.not_checked()
    return figures


def twice(world: World, metering: Metering, settlement: Settlement) -> int:
    """Wh sold or shared whose certificate of origin left the district as well."""

    def fed_in(place: once.Place) -> int | None:
        district, point, hour = place
        found = metering.measured(world, district, point, "E", hour)
        return sum(found[0][0]) if found else None

    site = partial(metering.site, world)
    return once.twice(settlement.given(), metering.exports(), site, fed_in)


def located(error: VerificationError, block: Block, ledger: Ledger | None) -> VerificationError:
    """The same with the transaction that was changed, where its creator's signature tells it."""
    if ledger is None or error.check != "data hash":
        return error
    changed = ledger.unsigned(block)
    return VerificationError(error.check, error.text, block=error.block, transaction=changed)


def deeper(flexibility: Flexibility, number: int, ledger: Ledger, archive: Archive) -> Valid:
    """Steps 6 to 10 for the valid transactions of one block."""
    private = archive.private(number).private_data_map

    def valid(judged: Judged) -> None:
        held = private.get(judged.position)
        raw = None if held is None else held.SerializeToString(deterministic=True)
        flexibility.metering.transaction(number, judged, ledger.world, raw)
        flexibility.settlement.transaction(number, judged, ledger.world, raw)
        flexibility.transaction(number, judged, ledger.world, raw)

    return valid


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


def count(figures: Figures, judged: tuple[Judged, ...]) -> None:
    figures.blocks += 1
    for each in judged:
        figures.transactions += 1
        if each.code != TxValidationCode.VALID:
            figures.invalid[name(each.code)] = figures.invalid.get(name(each.code), 0) + 1
        elif each.transaction is not None and each.transaction.type != CONFIG:
            figures.endorsements += len(each.transaction.endorsements)
            alone = len(each.transaction.endorsements) == 1
            figures.events_of_one += alone and each.transaction.event is not None


def name(code: TxValidationCode.ValueType) -> str:
    return TxValidationCode.Name(code)
