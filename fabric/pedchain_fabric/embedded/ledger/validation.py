# SPDX-License-Identifier: Apache-2.0
"""The committer's judgement of each transaction of a block before its reads are checked.

Fabric core/committer/txvalidator/v20 (validator.go, plugindispatcher/dispatcher.go) and
core/common/validation/msgvalidation.go, in their order, with their codes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fabric_protos.common.common_pb2 import CONFIG, Block
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.embedded.ledger.definitions import Definitions
from pedchain_fabric.embedded.ledger.endorsement import EndorsementCheck
from pedchain_fabric.embedded.ledger.mvcc import Code
from pedchain_fabric.embedded.ledger.outcome import claimed_id
from pedchain_fabric.embedded.ledger.verifier import Verifier
from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.rwset import Namespace
from pedchain_fabric.wire.transaction import (
    BodyParts,
    HeaderParts,
    TransactionParts,
    parse_action,
    parse_body,
    parse_header,
)

VALID: Final = TxValidationCode.VALID


@dataclass(slots=True)
class Judged:
    """A transaction, what is known of it, and the verdict so far."""

    index: int
    transaction_id: str
    code: Code
    parts: TransactionParts | None = None
    namespaces: tuple[Namespace, ...] = ()

    @property
    def whole(self) -> TransactionParts | None:
        """The transaction taken apart, if the verdict did not come before all of it was."""
        return self.parts if self.is_config or self.namespaces else None

    @property
    def is_config(self) -> bool:
        """Whether it is a config transaction that its creator signed."""
        return self.parts is not None and self.parts.type == CONFIG


class Refused(Exception):  # noqa: N818 - never leaves this module
    """A transaction gets this code."""

    def __init__(self, code: Code) -> None:
        super().__init__(TxValidationCode.Name(code))
        self.code = code


class TransactionCheck:
    """Judges the transactions of one block, in order."""

    def __init__(
        self,
        verifier: Verifier,
        definitions: Definitions,
        endorsements: EndorsementCheck,
        is_committed: Callable[[str], bool],
    ) -> None:
        self._verifier = verifier
        self._definitions = definitions
        self._endorsements = endorsements
        self._is_committed = is_committed

    def judge(self, block: Block) -> list[Judged]:
        """Every transaction's verdict; a second use of an id in the block is a duplicate."""
        judged = [self._judge(index, raw) for index, raw in enumerate(block.data.data)]
        seen: set[str] = set()
        for each in judged:
            if each.code != VALID or each.is_config:
                continue
            if each.transaction_id in seen:
                each.code = TxValidationCode.DUPLICATE_TXID
            seen.add(each.transaction_id)
        return judged

    def _judge(self, index: int, raw: bytes) -> Judged:
        found = Judged(index, "", VALID)
        try:
            header = parse_header(raw)
            found.transaction_id = header.transaction_id
            self._check_creator(header)
            found.parts = TransactionParts(header)
            if header.type != CONFIG:
                self._judge_endorsed(header, found)
        except WireError as error:
            found.code = _code(error)
        except Refused as refused:
            found.code = refused.code
        found.transaction_id = found.transaction_id or claimed_id(raw)
        return found

    def _check_creator(self, header: HeaderParts) -> None:
        if not header.creator or not header.nonce:
            raise Refused(TxValidationCode.BAD_COMMON_HEADER)
        try:
            self._verifier.verify(header.creator, header.payload_bytes, header.signature)
        except (IdentityError, SignatureInvalid, WireError) as error:
            raise Refused(TxValidationCode.BAD_CREATOR_SIGNATURE) from error

    def _judge_endorsed(self, header: HeaderParts, found: Judged) -> None:
        body = parse_body(header)
        found.parts = TransactionParts(header, body)
        if self._is_committed(header.transaction_id):
            raise Refused(TxValidationCode.DUPLICATE_TXID)
        action = parse_action(header, body)
        found.parts = TransactionParts(header, body, action)
        found.namespaces = _namespaces(action.results)
        self._check_endorsements(action.chaincode_id.name, body, found.namespaces)

    def _check_endorsements(
        self, chaincode: str, body: BodyParts, namespaces: Sequence[Namespace]
    ) -> None:
        """Each namespace written, and the chaincode called, by its own policy.

        All are checked even when one fails, because a later transaction asks for each.
        """
        signed = [
            SignedData(
                each.endorser, body.proposal_response_payload + each.endorser, each.signature
            )
            for each in body.endorsements
        ]
        written = {each.name: each for each in namespaces if each.is_written}
        called = next((each for each in namespaces if each.name == chaincode), Namespace(chaincode))
        written[chaincode] = called
        codes = [self._namespace_code(written[name], signed) for name in sorted(written)]
        for code in codes:
            if code != VALID:
                raise Refused(code)

    def _namespace_code(self, namespace: Namespace, signed: Sequence[SignedData]) -> Code:
        policy = self._definitions.policy(namespace.name)
        if not policy:
            return TxValidationCode.INVALID_CHAINCODE
        if not self._endorsements.holds(namespace, policy, signed):
            return TxValidationCode.ENDORSEMENT_POLICY_FAILURE
        return VALID


def _namespaces(results: bytes) -> tuple[Namespace, ...]:
    try:
        namespaces = rwset.decode(results)
    except WireError as error:
        raise Refused(TxValidationCode.BAD_RWSET) from error
    names = [each.name for each in namespaces]
    if len(set(names)) < len(names):
        raise Refused(TxValidationCode.ILLEGAL_WRITESET)
    return namespaces


def _code(error: WireError) -> Code:
    """The code a parser's error carries."""
    return TxValidationCode.Value(error.code or "INVALID_OTHER_REASON")
