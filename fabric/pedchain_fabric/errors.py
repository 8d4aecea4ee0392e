# SPDX-License-Identifier: Apache-2.0
"""Every error this package raises on purpose.

FabricError                          never raised itself
├── WireError                        bytes we cannot parse, or that break the protocol
│   └── PolicyError                  a policy text or structure we cannot accept
├── IdentityError                    a key or certificate that cannot be used
├── SignatureInvalid                 the signature does not match
├── GatewayError                     a gateway call failed (also: evaluate, event streams)
│   └── TransactionError
│       ├── EndorseError             nothing happened
│       │   └── EndorsementMismatch  the peers' results differ
│       ├── SubmitError              outcome unknown
│       └── CommitStatusError        outcome unknown
├── CommitError                      ordered, but invalid: nothing was written
├── CheckpointError                  a checkpoint of another ledger
├── AdminError                       an administrative call was refused
└── ContractError                    a contract's refusal
"""

from dataclasses import dataclass


class FabricError(Exception):
    """Root of this package's errors. Never raised itself."""


class WireError(FabricError):
    """Bytes we cannot parse, or that break the protocol.

    `code` is the transaction validation code (`peer.TxValidationCode` by name) a committer
    gives for it, empty where none applies.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class PolicyError(WireError):
    """A policy text or structure we cannot accept."""


class IdentityError(FabricError):
    """A key or certificate that cannot be used. Its text never shows key material."""


class SignatureInvalid(FabricError):  # noqa: N818 - says what is so, as the field does
    """The signature was not made by this key over these bytes, or not in Fabric's form."""


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What one peer or orderer said: its address, its MSP id, its message."""

    address: str
    msp_id: str
    message: str

    def __str__(self) -> str:
        return f"{self.address} ({self.msp_id}): {self.message}"


class GatewayError(FabricError):
    """A call to the gateway failed. `code` is the gRPC status by name."""

    def __init__(self, code: str, message: str, details: tuple[ErrorDetail, ...] = ()) -> None:
        super().__init__("; ".join([f"{code}: {message}", *map(str, details)]))
        self.code = code
        self.message = message
        self.details = details

    @property
    def is_overload(self) -> bool:
        """Whether a node refused for having too much to do: nothing was done, try later.

        Fabric says so in words only; the status is UNKNOWN (internal/peer/node/grpc_limiters.go).
        """
        said = (self.message, *(detail.message for detail in self.details))
        return any("exceeding concurrency limit" in words for words in said)


class TransactionError(GatewayError):
    """A step of the named transaction failed."""

    def __init__(
        self,
        code: str,
        message: str,
        details: tuple[ErrorDetail, ...] = (),
        transaction_id: str = "",
    ) -> None:
        super().__init__(code, message, details)
        self.transaction_id = transaction_id


class EndorseError(TransactionError):
    """Nothing happened and nothing was sent to be ordered: correct and try again."""


class EndorsementMismatch(EndorseError):  # noqa: N818 - the term used for it
    """The endorsing peers computed different results. Nothing happened.

    Usually one peer lags behind: try again. If it stays, the contract is not deterministic
    or an organisation runs other code.
    """


class SubmitError(TransactionError):
    """The outcome is unknown: some orderers may have taken it.

    Never submit again with a new transaction before asking `network.commit(transaction_id)`,
    or the transaction's own `commit`, for its status.
    """

    @property
    def was_ordered(self) -> bool:
        """Whether an orderer said that it had ordered the transaction before it was handed in.

        The peer hands it to all orderers of a BFT channel, and one that hears of it from the
        others first refuses it in these words. When several do, the peer counts too few successes
        and fails the call (internal/pkg/gateway/submit.go counts `already exists` as a success,
        not this); seen under load with short batch intervals.
        """
        return any("request already processed" in detail.message for detail in self.details)


class CommitStatusError(TransactionError):
    """The outcome is unknown to us: ask again with the same transaction id."""


class CommitError(FabricError):
    """The transaction was ordered but is invalid: nothing was written. `code` says why."""

    def __init__(self, transaction_id: str, code: str) -> None:
        super().__init__(f"transaction {transaction_id} is invalid: {code}")
        self.transaction_id = transaction_id
        self.code = code


class CheckpointError(FabricError):
    """A checkpoint that is of no place in this ledger: nothing would ever be heard from there.

    The network was made anew, or the file belongs to another one. To begin again from it is of no
    use: decide where to begin.
    """


class AdminError(FabricError):
    """An administrative call was refused. `status` is the answer's own code (HTTP or Fabric)."""

    def __init__(self, status: int | str, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class ContractError(FabricError):
    """A contract's refusal; `status` (400 or more) and message travel to the client."""

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
