# SPDX-License-Identifier: Apache-2.0
"""From a gateway to the orderers its channel names.

Source: internal/pkg/gateway/submit.go.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import grpc
from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.gateway.gateway_pb2 import ErrorDetail

from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.embedded.rpc import RpcRefused
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.quorum import bft_quorum

_Code = grpc.StatusCode
_SMARTBFT = "BFT"
_ALREADY_THERE = "failed to submit request: request already exists"


class _Told(NamedTuple):
    """What an orderer answered (0: not reached), and the error it makes, None if it took it."""

    status: int
    error: ErrorDetail | None


def submit(orderers: Sequence[Orderer], config: ChannelConfig, envelope: Envelope) -> None:
    """Send the transaction to as many orderers as consensus needs. Raises RpcRefused."""
    endpoints = [e for org in config.orderer_orgs.values() for e in org.endpoints]
    if not endpoints:
        raise RpcRefused(_Code.UNAVAILABLE, "no orderer nodes available")
    if config.consensus_type == _SMARTBFT:
        _to_all(orderers, endpoints, envelope)
    else:
        _to_one(orderers, endpoints, envelope)


def _to_all(orderers: Sequence[Orderer], endpoints: Sequence[str], envelope: Envelope) -> None:
    """A quorum must take it, for some may lie."""
    told = [_send(orderers, endpoint, envelope) for endpoint in endpoints]
    errors = [each.error for each in told if each.error is not None]
    if len(told) - len(errors) < bft_quorum(len(endpoints)):
        raise RpcRefused(
            _Code.UNAVAILABLE,
            "insufficient number of orderers could successfully process transaction to "
            "satisfy quorum requirement",
            errors,
        )


def _to_one(orderers: Sequence[Orderer], endpoints: Sequence[str], envelope: Envelope) -> None:
    """One must take it; if the transaction is at fault, no other is asked."""
    errors = []
    for endpoint in random.sample(endpoints, len(endpoints)):
        told = _send(orderers, endpoint, envelope)
        if told.error is None:
            return
        if Status.BAD_REQUEST <= told.status < Status.INTERNAL_SERVER_ERROR:
            raise RpcRefused(_Code.ABORTED, told.error.message)
        errors.append(told.error)
    text = "no orderers could successfully process transaction"
    raise RpcRefused(_Code.UNAVAILABLE, text, errors)


def _send(orderers: Sequence[Orderer], endpoint: str, envelope: Envelope) -> _Told:
    address = endpoint.replace("localhost:", "127.0.0.1:")
    orderer = next((each for each in orderers if each.address == address), None)
    if orderer is None:
        message = f"rpc error: code = Unavailable desc = connection error: dial {endpoint}"
        return _Told(0, ErrorDetail(address=endpoint, message=message))
    answer = orderer.take(envelope)
    if answer.status == Status.SUCCESS or answer.info == _ALREADY_THERE:
        return _Told(Status.SUCCESS, None)
    status = Status.Name(answer.status)
    message = f"received unsuccessful response from orderer: status={status}, info={answer.info}"
    return _Told(
        answer.status, ErrorDetail(address=endpoint, msp_id=orderer.msp_id, message=message)
    )
