# SPDX-License-Identifier: Apache-2.0
"""The ledger port on Fabric: the only module of this service that knows the client library."""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction, TxValidationCode
from google.protobuf.message import DecodeError

from pedchain_fabric.client import Gateway, MemoryCheckpointer, Profile, profile
from pedchain_fabric.errors import (
    CheckpointError,
    CommitStatusError,
    EndorsementMismatch,
    FabricError,
    GatewayError,
    SubmitError,
    WireError,
)
from pedchain_fabric.wire.transaction import parse_envelope
from pedchain_gateway.ledger.port import (
    CONTRACT_FAULT,
    VALID,
    Announce,
    Committed,
    Event,
    Invalid,
    LedgerError,
    Mismatch,
    Outcome,
    Refused,
    Unavailable,
    Unknown,
)

# How a peer hands a contract's answer on (Fabric: internal/pkg/gateway/apiutils.go).
_ANSWER = re.compile(r"chaincode response (?P<status>[0-9]{3}), (?P<text>.*)", re.DOTALL)
_REASON = re.compile(r"(?P<reason>[a-z0-9]+(?:-[a-z0-9]+)*)(?:: (?P<rest>.*))?", re.DOTALL)
# What a peer says in the contract's place while a definition is being upgraded or its server starts
# (core/endorser, core/chaincode): it passes, and says nothing about the call's contents.
_NOT_READY = re.compile(
    r"make sure the chaincode |error in simulation: failed to execute transaction .*"
    r"(could not launch chaincode|definition for '[^']*' changed during invoke)",
    re.DOTALL,
)
# Fabric has no code for it (common/ledger/blkstorage).
_NO_SUCH_TRANSACTION = "no such transaction ID"
_REFUSAL_STATUS = "400"
"""What this project's contracts refuse with; any other status is a fault of theirs."""


class FabricLedger:
    """A channel of Fabric through one organisation's peer. A context manager: it owns its link."""

    def __init__(self, gateway: Gateway, channel: str) -> None:
        self._gateway = gateway
        self._channel = channel
        self._network = gateway.network(channel)

    @property
    def channel(self) -> str:
        """The channel's name: debits are signed for it."""
        return self._channel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._gateway.close()

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        """A query's answer. Raises `Refused`, `Unavailable`."""
        try:
            return await self._network.contract(definition).evaluate(function, *arguments)
        except GatewayError as error:
            raise _not_endorsed(error) from error

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
        endorsing: Collection[str] | None = None,
    ) -> Committed:
        """A transaction, when it is VALID. Raises any `LedgerError`."""
        network = self._network
        if endorsing:  # whom the caller names it trusts
            network = self._gateway.trusting(endorsing).network(self._channel)
        proposal = network.contract(definition).new_proposal(
            function, *arguments, transient=transient, endorsing_organizations=endorsing
        )
        try:
            transaction = await proposal.endorse()
        except (GatewayError, WireError) as error:
            raise _not_endorsed(error, self._gateway.identity.msp_id) from error
        if announce is not None:
            announce(transaction.transaction_id)
        try:
            status = await (await transaction.submit()).status()
        except (SubmitError, CommitStatusError) as error:
            raise Unknown(transaction.transaction_id) from error
        if not status.successful:
            raise Invalid(status.transaction_id, status.code)
        return Committed(status.transaction_id, transaction.result)

    async def outcome(self, transaction: str) -> Outcome | None:
        """What became of a transaction; None if this peer has never seen it."""
        try:
            answer = await self._query("GetTransactionByID", transaction)
        except GatewayError as error:
            if _NO_SUCH_TRANSACTION in str(error):
                return None
            raise Unavailable("the peer did not say") from error
        try:
            processed = ProcessedTransaction.FromString(answer)
            parts = parse_envelope(processed.transactionEnvelope.SerializeToString())
        except (DecodeError, WireError) as error:
            raise Unavailable("the peer's answer cannot be read") from error
        code = _code_name(processed.validationCode)
        return Outcome(transaction, code, parts.response.payload if code == VALID else b"")

    async def height(self) -> int:
        """The number of blocks of this peer's chain."""
        try:
            answer = await self._query("GetChainInfo")
            return int(BlockchainInfo.FromString(answer).height)
        except (GatewayError, DecodeError) as error:
            raise Unavailable("the peer did not say") from error

    async def block(self, number: int) -> bytes:
        """A block of this peer's chain, below its height. Raises `Unavailable`."""
        try:
            return await self._query("GetBlockByNumber", str(number))
        except GatewayError as error:
            raise Unavailable("the peer did not say") from error

    async def block_of(self, transaction: str) -> bytes | None:
        """The block that holds a transaction; None if there is none. Raises `Unavailable`."""
        try:
            return await self._query("GetBlockByTxID", transaction)
        except GatewayError as error:
            if _NO_SUCH_TRANSACTION in str(error):
                return None
            raise Unavailable("the peer did not say") from error

    async def events(self, definition: str, after: tuple[int, str] | None) -> AsyncIterator[Event]:
        """A definition's events as they come, or those after a block and transaction; without a
        transaction, those of the block and after it."""
        block, transaction = after or (None, "")
        place = MemoryCheckpointer(*after) if after and transaction else None
        first = None if place else block
        events = self._network.chaincode_events(definition, start_block=first, checkpoint=place)
        try:
            async with events as stream:
                async for one in stream:
                    yield Event(one.block_number, one.transaction_id, one.name, one.payload)
        except (GatewayError, CheckpointError) as error:
            raise Unavailable("the stream of events broke") from error

    async def _query(self, function: str, *arguments: str) -> bytes:
        return await self._network.contract("qscc").evaluate(function, self._channel, *arguments)


async def open_ledger(path: Path | str, user: str) -> FabricLedger:
    """The ledger of a connection profile, as one of its users.

    Nothing is sent yet. Raises `ProfileError`.
    """
    try:
        found: Profile = profile.load(path)
        return FabricLedger(await profile.connect(found, user), found.channel)
    except (FabricError, OSError) as error:
        raise ProfileError(f"{path}: {error}") from error


class ProfileError(Exception):
    """A connection profile that cannot be used."""


def _not_endorsed(error: FabricError, own: str = "") -> LedgerError:
    """Why nothing happened, by type: the contract's answer, a mismatch, or nobody there. `own` is
    whose peer is asked first."""
    if isinstance(error, EndorsementMismatch):
        return Mismatch(str(error))
    if isinstance(error, GatewayError):
        texts = [error.message, *(detail.message for detail in error.details)]
        for text in texts:
            answer = _ANSWER.search(text)
            if answer is not None:
                elsewhere = bool(own) and own not in [one.msp_id for one in error.details]
                return _refusal(answer["status"], answer["text"], elsewhere=elsewhere)
        return Unavailable(error.code)
    return Unavailable("the peer's answer cannot be read")


def _refusal(status: str, text: str, *, elsewhere: bool) -> LedgerError:
    if status != _REFUSAL_STATUS and _NOT_READY.match(text):
        return Unavailable("the chaincode is not ready")
    reason = _REASON.fullmatch(text)
    if status != _REFUSAL_STATUS or reason is None:
        return Refused(CONTRACT_FAULT)
    return Refused(reason["reason"], reason["rest"] or "", elsewhere=elsewhere)


def _code_name(code: int) -> str:
    known = TxValidationCode.DESCRIPTOR.values_by_number.get(code)
    return known.name if known else f"UNKNOWN_{code}"
