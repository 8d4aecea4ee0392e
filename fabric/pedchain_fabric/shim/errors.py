# SPDX-License-Identifier: Apache-2.0
"""Why a transaction fails. Every one of them becomes the response's status and message.

A response with status 400 or more is not endorsed: nothing of it reaches the ledger.
"""

from pedchain_fabric.errors import ContractError

REFUSED = 400
FAILED = 500


class Refusal(ContractError):  # noqa: N818 - a contract refuses; that is no error of its
    """A contract's no: a stable `reason` for programs, a `message` for people.

    The client sees `reason` or `reason: message`, with status 400.
    """

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(f"{reason}: {message}" if message else reason, REFUSED)
        self.reason = reason


class StubError(ContractError):
    """A call the shim refuses before it reaches the peer: an empty key, a forbidden character."""


class PeerError(ContractError):
    """The peer answered ERROR: the read or write did not happen. Its text is the message."""


class CalledChaincodeError(ContractError):
    """A chaincode called by this one answered with status 400 or more.

    What it wrote before stays in this transaction's write set (Fabric, handler.go), so catch
    this only to fail otherwise.
    """

    def __init__(self, message: str, status: int, payload: bytes) -> None:
        super().__init__(message, status)
        self.payload = payload
