# SPDX-License-Identifier: Apache-2.0
"""A chaincode's whole answer, where its payload alone does not say it."""

from dataclasses import dataclass

OK = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """What a method may return instead of its payload, and what a called chaincode answered.

    Fabric endorses what has a status below 400. Its gateway takes 200 to 399 for success, and of
    anything else shows clients status and message; the payload of a refusal reaches only a calling
    chaincode and clients that ask endorsers themselves. The message of a success is signed by the
    endorsers and shown to those same two; on the ledger it is public.
    """

    payload: bytes = b""
    status: int = OK
    message: str = ""
