# SPDX-License-Identifier: Apache-2.0
"""What the gateway needs of a ledger, and how a ledger can fail.

LedgerError              never raised itself
├── Refused              the contract said no, for a reason: nothing happened
├── Unavailable          no answer from the peer, or too few endorsers: nothing happened
├── Mismatch             endorsers computed different results: nothing happened
├── Invalid              ordered, but not valid: nothing was written
└── Unknown              sent, and nobody told us what became of it: ask by transaction id

The type decides what may be done next; nothing reads a message to find out.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

VALID = "VALID"
CONTENTION = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
"""Codes that say: somebody else was faster, compute it again."""
UPGRADED = frozenset(
    {"ENDORSEMENT_POLICY_FAILURE", "CHAINCODE_VERSION_CONFLICT", "EXPIRED_CHAINCODE"}
)
"""Codes that a transaction may get which was endorsed under a definition upgraded since."""
REPEATABLE = CONTENTION | UPGRADED
"""Codes after which the same call, computed anew, may well be valid. Only ever a few times."""
CONTRACT_FAULT = "contract-fault"
"""The reason given for a contract that failed without naming one."""


def definition_of(district: str) -> str:
    """The chaincode definition a district's readings go to."""
    return f"metering-{district}"


class LedgerError(Exception):
    """Root of a ledger's failures. Never raised itself."""


class Refused(LedgerError):  # noqa: N818 - says what is so
    """The contract refused: nothing happened. `reason` is its stable slug.

    `elsewhere` says that only other organisations' peers refused and ours did not: one of them has
    not seen yet what the others have.
    """

    def __init__(self, reason: str, message: str = "", *, elsewhere: bool = False) -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.reason = reason
        self.elsewhere = elsewhere


class Unavailable(LedgerError):  # noqa: N818 - says what is so
    """The peer or enough endorsers could not be reached: nothing happened, try later."""


class Mismatch(LedgerError):  # noqa: N818 - the term used for it
    """Endorsers computed different results: nothing happened. Usually one of them lags."""


class Invalid(LedgerError):  # noqa: N818 - the term used for it
    """The transaction was ordered but is not valid: nothing was written."""

    def __init__(self, transaction: str, code: str) -> None:
        super().__init__(f"transaction {transaction}: {code}")
        self.transaction = transaction
        self.code = code


class Unknown(LedgerError):  # noqa: N818 - says what is so
    """The transaction was sent and its outcome is not known: never to be called failed."""

    def __init__(self, transaction: str) -> None:
        super().__init__(f"the outcome of transaction {transaction} is not known yet")
        self.transaction = transaction


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction that is on the ledger, and what its contract answered."""

    transaction: str
    result: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a transaction: its validation code, its contract's answer."""

    transaction: str
    code: str
    result: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """What a contract announced in a valid transaction: a hint, never a proof."""

    block: int
    transaction: str
    name: str
    payload: bytes


Announce = Callable[[str], None]
"""Called with the transaction's id when it is endorsed, before it is sent to be ordered."""


class Ledger(Protocol):
    """One channel of a ledger, seen through one organisation's peer."""

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        """A query's answer. Raises `Refused`, `Unavailable`."""
        ...

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
        endorsing: Collection[str] | None = None,
    ) -> Committed:
        """A transaction, when it is VALID; `endorsing` names the organisations to endorse it, and
        to see its transient map, in place of those that Fabric plans. Raises any `LedgerError`."""
        ...

    async def outcome(self, transaction: str) -> Outcome | None:
        """What became of a transaction; None if the ledger has never seen it.

        Raises `Unavailable`.
        """
        ...

    async def height(self) -> int:
        """The number of blocks of this peer's chain. Raises `Unavailable`."""
        ...

    async def block(self, number: int) -> bytes:
        """A block of this peer's chain, below its height. Raises `Unavailable`."""
        ...

    async def block_of(self, transaction: str) -> bytes | None:
        """The block that holds a transaction; None if there is none. Raises `Unavailable`."""
        ...

    def events(self, definition: str, after: tuple[int, str] | None) -> AsyncIterator[Event]:
        """A definition's events as they come, or those after a block and transaction.

        Raises `Unavailable` where the stream breaks.
        """
        ...
