# SPDX-License-Identifier: Apache-2.0
"""Steps 3 to 5 for one block: what each transaction's validation code must be.

Validity flags in a block are each peer's own notes, signed by nobody. They are redone here from
the raw envelopes: form and creator (3), endorsement policies on the state before the block (4),
reads in the block's order (5); then the valid writes become state.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fabric_protos.common.common_pb2 import CONFIG, Block
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit import mvcc
from pedchain_audit.commithash import commit_hash
from pedchain_audit.endorsements import EndorsementCheck, Known
from pedchain_audit.expiry import Expiry
from pedchain_audit.signatures import Signatures
from pedchain_audit.world import World
from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.block import SignedData, validation_codes
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.rwset import Namespace, Version
from pedchain_fabric.wire.transaction import (
    TransactionParts,
    parse_action,
    parse_body,
    parse_envelope,
    parse_header,
)

VALID = TxValidationCode.VALID
REFUSED = TxValidationCode.ENDORSEMENT_POLICY_FAILURE


@dataclass(frozen=True, slots=True)
class Judged:
    """One transaction with the code it must have, and what it does if that code is VALID."""

    position: int
    code: TxValidationCode.ValueType
    transaction: TransactionParts | None = None
    namespaces: tuple[Namespace, ...] = ()


class Invalid(Exception):  # noqa: N818 - a verdict on its way, not an error
    """A transaction's code is settled before its policies are asked."""

    def __init__(self, code: TxValidationCode.ValueType) -> None:
        self.code = code
        super().__init__(TxValidationCode.Name(code))


Valid = Callable[[Judged], None]


def ignored(judged: Judged) -> None:
    """For who needs nothing of single transactions."""


@dataclass(slots=True)
class Ledger:
    """What replaying keeps between blocks."""

    config: ChannelConfig
    world: World = field(default_factory=World)
    transaction_ids: set[str] = field(default_factory=set)
    commit_hash: bytes = b""
    signatures: Signatures = field(default_factory=Signatures)
    expiry: Expiry = field(default_factory=Expiry)
    _known: Known = field(default_factory=dict)

    def judge(self, block: Block, valid: Valid = ignored) -> tuple[Judged, ...]:
        """Steps 3 to 5 for one block, and its writes applied.

        `valid` is called for each valid transaction with the state just before its writes.
        """
        check = EndorsementCheck(self.world, self.config, self.signatures, self._known)
        seen: set[str] = set()
        first = [
            self._before_reads(position, raw, check, seen)
            for position, raw in enumerate(block.data.data)
        ]
        self.world.begin_block()
        number = block.header.number
        return self._done(number, tuple(self._reads(each, number, valid) for each in first))

    def follow(self, block: Block, valid: Valid = ignored) -> tuple[Judged, ...]:
        """The same for a block that is not checked: the peer's own flags are taken."""
        number = block.header.number
        self.world.begin_block()
        judged = tuple(
            noted(position, raw, code)
            for position, (raw, code) in enumerate(
                zip(block.data.data, validation_codes(block), strict=True)
            )
        )
        for each in judged:
            if each.code == VALID and each.namespaces:
                self._apply(each, number, valid)
        return self._done(number, judged)

    def _done(self, number: int, judged: tuple[Judged, ...]) -> tuple[Judged, ...]:
        """The block's commit hash, what expires with it, the ids it used up."""
        if number > 0:
            flags = bytes(each.code for each in judged)
            self.commit_hash = commit_hash(self.commit_hash, flags, self.world)
        self.expiry.leave(self.world, number)
        self._remember(judged)
        return judged

    def _apply(self, judged: Judged, number: int, valid: Valid) -> None:
        valid(judged)
        version = Version(number, judged.position)
        self.world.apply(judged.namespaces, version)
        self.expiry.written(self.world, judged.namespaces, version)

    def unsigned(self, block: Block) -> int | None:
        """The first transaction that is not as its creator signed it; None if all are."""
        for position, raw in enumerate(block.data.data):
            try:
                self._form(raw)
            except WireError:
                return position
            except Invalid as error:
                if error.code == TxValidationCode.BAD_CREATOR_SIGNATURE:
                    return position
        return None

    def _before_reads(
        self, position: int, raw: bytes, check: EndorsementCheck, seen: set[str]
    ) -> Judged:
        try:
            parsed = self._form(raw)
            if parsed.type == CONFIG:
                return Judged(position, VALID, parsed)
            namespaces = rwset_of(parsed)
            if not check.satisfied(parsed, namespaces):
                return Judged(position, REFUSED, parsed, namespaces)
            if parsed.transaction_id in seen:
                raise Invalid(TxValidationCode.DUPLICATE_TXID)
        except WireError as error:
            return Judged(position, TxValidationCode.Value(error.code or "INVALID_OTHER_REASON"))
        except Invalid as error:
            return Judged(position, error.code)
        seen.add(parsed.transaction_id)
        return Judged(position, VALID, parsed, namespaces)

    def _form(self, raw: bytes) -> TransactionParts:
        """Step 3: form, creator's signature, channel, an id not used before."""
        header = parse_header(raw)
        if header.type == CONFIG:
            return TransactionParts(header)
        try:
            member = self.config.msps.validate(header.creator)
            claim = SignedData(header.creator, header.payload_bytes, header.signature)
            self.signatures.verify(member.identity, claim)
        except (IdentityError, SignatureInvalid) as error:
            raise Invalid(TxValidationCode.BAD_CREATOR_SIGNATURE) from error
        body = parse_body(header)
        if header.channel_id != self.config.channel_id:
            raise Invalid(TxValidationCode.TARGET_CHAIN_NOT_FOUND)
        if header.transaction_id in self.transaction_ids:
            raise Invalid(TxValidationCode.DUPLICATE_TXID)
        return TransactionParts(header, body, parse_action(header, body))

    def _reads(self, judged: Judged, number: int, valid: Valid) -> Judged:
        """Step 5: nothing it read has changed; then its writes are state."""
        if judged.code != VALID or not judged.namespaces:
            return judged
        code = mvcc.verdict(self.world, judged.namespaces)
        if code == VALID:
            self._apply(judged, number, valid)
        return Judged(judged.position, code, judged.transaction, judged.namespaces)

    def _remember(self, judged: tuple[Judged, ...]) -> None:
        """Ids are used up by any transaction that stands in a block; a config block rules on."""
        for each in judged:
            if each.transaction is None:
                continue
            if each.transaction.type == CONFIG:
                envelope = parse(ConfigEnvelope, each.transaction.data)
                self.config = ChannelConfig.from_config(self.config.channel_id, envelope.config)
                self._known = {}
            elif each.transaction.transaction_id:
                self.transaction_ids.add(each.transaction.transaction_id)


def noted(position: int, raw: bytes, code: TxValidationCode.ValueType) -> Judged:
    """A transaction as the peer judged it. Raises `WireError` where a valid one cannot be read."""
    try:
        parsed = parse_envelope(raw)
        if parsed.type == CONFIG:
            return Judged(position, code, parsed)
        return Judged(position, code, parsed, rwset.decode(parsed.results))
    except WireError:
        if code == VALID:
            raise
        return Judged(position, code)


def rwset_of(transaction: TransactionParts) -> tuple[Namespace, ...]:
    """The decoded read-write set; no namespace may stand in it twice."""
    try:
        namespaces = rwset.decode(transaction.results)
    except WireError as error:
        raise Invalid(TxValidationCode.BAD_RWSET) from error
    if len({each.name for each in namespaces}) != len(namespaces):
        raise Invalid(TxValidationCode.ILLEGAL_WRITESET)
    return namespaces
