# SPDX-License-Identifier: Apache-2.0
"""Envelopes waiting to be ordered, and how they are cut into blocks."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    CONFIG,
    ChannelHeader,
    Envelope,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import ConfigEnvelope

from pedchain_fabric.wire.messages import parse, serialize

_REMEMBERED = 1000
"""Processed requests SmartBFT remembers for a while; we remember this many."""


class RequestRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The pool does not take the request; the text is SmartBFT's."""


@dataclass(frozen=True, slots=True)
class Request:
    """One envelope in the pool. `id` is how duplicates are found."""

    id: str
    envelope: bytes
    is_config: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """When a batch is full: SmartBFT's request_batch_max_count and _bytes."""

    max_count: int
    max_bytes: int


def request_of(envelope: bytes) -> Request:
    """The request an envelope makes: its transaction id, for a config its update's hash.

    Source: orderer/consensus/smartbft/util.go, RequestInspector. Raises WireError.
    """
    payload = parse(Payload, parse(Envelope, envelope).payload)
    header = parse(ChannelHeader, payload.header.channel_header)
    if header.type == CONFIG:
        update = parse(ConfigEnvelope, payload.data).last_update
        return Request(hashlib.sha256(serialize(update)).hexdigest(), envelope, True)
    signature = parse(SignatureHeader, payload.header.signature_header)
    digest = hashlib.sha256(signature.nonce + signature.creator).hexdigest()
    return Request(digest, envelope, False)


class RequestPool:
    """First in, first out. All orderers of the process share one, so each remembers who asked."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Request] = OrderedDict()
        self._asked: dict[str, set[str]] = {}
        self._processed: OrderedDict[str, None] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, orderer: str, request: Request, limit: int) -> None:
        """Takes the request for this orderer. Raises RequestRefused for what it already has."""
        if request.id in self._processed:
            raise RequestRefused("failed to submit request: request already processed")
        asked = self._asked.setdefault(request.id, set())
        if orderer in asked:
            raise RequestRefused("failed to submit request: request already exists")
        if request.id not in self._waiting:
            if len(self._waiting) >= limit:
                del self._asked[request.id]
                raise RequestRefused("failed to submit request: timeout submitting to request pool")
            self._waiting[request.id] = request
            self._bytes += len(request.envelope)
        asked.add(orderer)

    def is_full(self, cut: Cut) -> bool:
        """Whether a batch can be cut without waiting any longer."""
        return len(self._waiting) >= cut.max_count or self._bytes >= cut.max_bytes

    def batch(self, cut: Cut) -> list[Request]:
        """The next block's requests, still in the pool: one config alone, or several others.

        Source: singleConfigTxOrSeveralNonConfigTx in orderer/consensus/smartbft/assembler.go.
        """
        taken: list[Request] = []
        size = 0
        for request in self._waiting.values():
            size += len(request.envelope)
            if taken and (request.is_config or size > cut.max_bytes):
                break
            taken.append(request)
            if request.is_config or len(taken) >= cut.max_count:
                break
        return taken

    def processed(self, requests: list[Request]) -> None:
        """Drops what was ordered and remembers it for a while."""
        for request in requests:
            self.drop(request)
            self._processed[request.id] = None
        while len(self._processed) > _REMEMBERED:
            self._processed.popitem(last=False)

    def drop(self, request: Request) -> None:
        """Forgets a request."""
        if self._waiting.pop(request.id, None) is not None:
            self._bytes -= len(request.envelope)
        self._asked.pop(request.id, None)

    def waiting(self) -> list[Request]:
        """All requests, oldest first."""
        return list(self._waiting.values())
