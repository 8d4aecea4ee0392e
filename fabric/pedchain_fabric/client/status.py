# SPDX-License-Identifier: Apache-2.0
"""What a failed gRPC call says, as our errors."""

from typing import Final

import grpc.aio
from fabric_protos.gateway.gateway_pb2 import ErrorDetail as DetailMessage
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # Google ships no stubs

from pedchain_fabric.errors import (
    EndorseError,
    EndorsementMismatch,
    ErrorDetail,
)

Failure = tuple[str, str, tuple[ErrorDetail, ...]]

CLOSED: Final[Failure] = ("CANCELLED", "the connection was closed under the call", ())
_DETAILS: Final = "grpc-status-details-bin"
# internal/pkg/gateway/endorsement.go; Fabric has no code for it.
_MISMATCH: Final = "ProposalResponsePayloads do not match"


def describe(error: grpc.aio.AioRpcError, *, overdue: bool = False) -> Failure:
    """The status by name, its text, and what each endorser or orderer said.

    A peer whose clock for the call runs out a moment before ours resets the stream, and gRPC
    calls that CANCELLED. `overdue` says that it was about the deadline.
    """
    code = error.code()
    if overdue and code is grpc.StatusCode.CANCELLED:
        code = grpc.StatusCode.DEADLINE_EXCEEDED
    return code.name, error.details() or "", error_details(error)


def endorse_error(
    code: str, message: str, details: tuple[ErrorDetail, ...], transaction_id: str
) -> EndorseError:
    """A failed endorsement; one whose results differ has a type of its own."""
    differs = any(each.message == _MISMATCH for each in details)
    kind = EndorsementMismatch if differs else EndorseError
    return kind(code, message, details, transaction_id)


def error_details(error: grpc.aio.AioRpcError) -> tuple[ErrorDetail, ...]:
    """Fabric's details out of the `google.rpc.Status` in the trailing metadata."""
    found: list[ErrorDetail] = []
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            found += _unpack(value)
    return tuple(found)


def _unpack(data: bytes) -> list[ErrorDetail]:
    try:
        status = Status.FromString(data)
        messages = [
            DetailMessage.FromString(each.value)
            for each in status.details
            if each.Is(DetailMessage.DESCRIPTOR)
        ]
    except DecodeError:
        return []
    return [ErrorDetail(each.address, each.msp_id, each.message) for each in messages]
