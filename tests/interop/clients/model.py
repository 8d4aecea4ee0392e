# SPDX-License-Identifier: Apache-2.0
"""What a Gateway client can do, whoever wrote it: tests speak to this and to nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Kind = Literal["chaincode", "block", "filtered", "private"]


@dataclass(frozen=True)
class Call:
    """A call of a chaincode's function. Without `channel` it is the profile's."""

    chaincode: str
    function: str
    args: tuple[bytes, ...] = ()
    transient: Mapping[str, bytes] = field(default_factory=dict)
    organizations: tuple[str, ...] = ()
    contract: str | None = None
    channel: str | None = None


@dataclass(frozen=True)
class Step:
    """A message written down, to be signed and carried on: by whom and where does not matter."""

    data: bytes
    digest: bytes
    transaction_id: str
    result: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """What became of a transaction; `code` is the validation code by name."""

    transaction_id: str
    code: str
    block_number: int
    successful: bool


@dataclass(frozen=True)
class Event:
    """A chaincode's event."""

    block_number: int
    transaction_id: str
    chaincode: str
    name: str
    payload: bytes


@dataclass(frozen=True)
class Detail:
    """What one endorser or orderer said."""

    address: str
    msp_id: str
    message: str


class RefusedError(Exception):
    """What a client raised. `kind`: gateway, endorse, submit, commit-status, commit, or client
    for what it refuses itself; `code` is the gRPC status or the validation code by name."""

    def __init__(
        self,
        kind: str,
        code: str,
        message: str,
        details: tuple[Detail, ...] = (),
        transaction_id: str = "",
    ) -> None:
        super().__init__(f"{kind}: {code}: {message} {details}")
        self.kind = kind
        self.code = code
        self.message = message
        self.details = details
        self.transaction_id = transaction_id


@dataclass(frozen=True)
class From:
    """Where events begin: the next block if nothing is said. `file` is a checkpoint's file."""

    start: int | None = None
    checkpoint: tuple[int, str] | None = None
    file: Path | None = None


NOW = From()


class Stream(Protocol):
    """Events, or blocks as their bytes."""

    async def next(self) -> Event | bytes | None:
        """The next one; None at the end."""

    async def stop(self) -> None:
        """Tell the peer to stop."""


class Client(Protocol):
    """A gateway opened for a user. Everything it refuses is a `RefusedError`."""

    async def evaluate(self, call: Call, deadline: float | None = None) -> bytes: ...

    async def submit(self, call: Call) -> bytes: ...

    async def submit_async(self, call: Call) -> Step:
        """The answer, and the request for the commit's status."""

    async def propose(self, call: Call) -> Step: ...

    async def evaluate_proposal(self, data: bytes, signature: bytes = b"") -> bytes: ...

    async def endorse(
        self, data: bytes, signature: bytes = b"", deadline: float | None = None
    ) -> Step: ...

    async def order(self, data: bytes, signature: bytes = b"") -> Step:
        """Send a transaction to be ordered; the request for its commit's status."""

    async def status(
        self, data: bytes, signature: bytes = b"", deadline: float | None = None
    ) -> Outcome: ...

    async def events(self, kind: Kind, where: From = NOW, chaincode: str = "") -> Stream: ...

    async def events_request(self, kind: Kind, where: From = NOW, chaincode: str = "") -> Step: ...

    async def events_signed(self, kind: Kind, data: bytes, signature: bytes = b"") -> Stream: ...

    async def checkpoint(self, file: Path, event: Event) -> None:
        """Note in the checkpoint's file that an event is done."""

    async def close(self) -> None: ...
