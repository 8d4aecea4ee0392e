# SPDX-License-Identifier: Apache-2.0
"""A client on a real network under load, where a refused submit is no failed one.

An orderer that is slower than the block answers "request already processed", and the gateway gives
up for want of a quorum. Both clients then say that the outcome is unknown; as one should, this one
asks for the transaction's status before anything else.
"""

import hashlib
from pathlib import Path
from typing import Any

from fabric_protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    PreparedTransaction,
    SignedCommitStatusRequest,
)

from pedchain_fabric.client import profile
from tests.interop.clients.model import Call, Client, RefusedError, Step

_ORDERED = "request already processed"


class Careful:
    """A client that asks. Everything else is the client's own."""

    def __init__(self, client: Client, profile: Path, user: str) -> None:
        self._client = client
        self._profile = profile
        self._user = user

    async def submit(self, call: Call) -> bytes:
        """The answer; empty where it was lost with the error."""
        try:
            return await self._client.submit(call)
        except RefusedError as error:
            asked = self._asked(error, error.transaction_id)
        outcome = await self._client.status(asked.data)
        if not outcome.successful:
            raise RefusedError("commit", outcome.code, "", (), outcome.transaction_id)
        return b""

    async def submit_async(self, call: Call) -> Step:
        """The answer, empty where it was lost, and the request for the status."""
        try:
            return await self._client.submit_async(call)
        except RefusedError as error:
            return self._asked(error, error.transaction_id)

    async def order(self, data: bytes, signature: bytes = b"") -> Step:
        """The request for the status."""
        try:
            return await self._client.order(data, signature)
        except RefusedError as error:
            return self._asked(error, PreparedTransaction.FromString(data).transaction_id)

    def __getattr__(self, name: str) -> Any:
        """What is not about submitting."""
        return getattr(self._client, name)

    def _asked(self, error: RefusedError, transaction_id: str) -> Step:
        if not any(_ORDERED in each.message for each in error.details):
            raise error
        request = status_request(self._profile, self._user, transaction_id)
        digest = hashlib.sha256(SignedCommitStatusRequest.FromString(request).request).digest()
        return Step(request, digest, transaction_id)


def status_request(file: Path, user: str, transaction_id: str) -> bytes:
    """A user's request, unsigned, for the status of anybody's transaction."""
    known = profile.load(file)
    request = CommitStatusRequest(
        transaction_id=transaction_id,
        channel_id=known.channel,
        identity=known.identity(user).creator,
    )
    return SignedCommitStatusRequest(request=request.SerializeToString()).SerializeToString()
