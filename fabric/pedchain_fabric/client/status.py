# SPDX-License-Identifier: Apache-2.0
"""What a failed gRPC call says, as our errors."""

from typing import Final, TypeVar

import grpc.aio
from fabric_protos.gateway.gateway_pb2 import ErrorDetail as DetailMessage
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # Google ships no stubs

from pedchain_fabric.errors import (
    EndorseError,
    EndorsementMismatch,
    ErrorDetail,
    GatewayError,
    TransactionError,
)

E = TypeVar("E", bound=TransactionError)

_DETAILS: Final = "grpc-status-details-bin"
# internal/pkg/gateway/endorsement.go; Fabric has no code for it.
_MISMATCH: Final = "ProposalResponsePayloads do not match"


def gateway_error(error: grpc.aio.AioRpcError) -> GatewayError:
    """The error as ours, with what each endorser or orderer said."""
    return GatewayError(error.code().name, error.details() or "", error_details(error))


def transaction_error(
    error: grpc.aio.AioRpcError, kind: type[TransactionError], transaction_id: str
) -> TransactionError:
    """The same for a step of a transaction; an endorsement that differs has a type of its own."""
    details = error_details(error)
    if kind is EndorseError and any(each.message == _MISMATCH for each in details):
        kind = EndorsementMismatch
    return kind(error.code().name, error.details() or "", details, transaction_id)


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
