# SPDX-License-Identifier: Apache-2.0
"""Our client, as tests speak to every client."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from pedchain_fabric import client as ours
from pedchain_fabric import errors
from pedchain_fabric.client import blocks
from pedchain_fabric.wire.identity import SigningIdentity
from tests.interop.clients.model import (
    NOW,
    Call,
    Detail,
    Event,
    From,
    Kind,
    Outcome,
    RefusedError,
    Step,
)

_KINDS: Final[Mapping[type[errors.FabricError], str]] = {
    errors.EndorseError: "endorse",
    errors.EndorsementMismatch: "endorse",
    errors.SubmitError: "submit",
    errors.CommitStatusError: "commit-status",
    errors.GatewayError: "gateway",
}
_BLOCKS: Final[Mapping[str, blocks.Kind[Any]]] = {
    "block": blocks.BLOCK,
    "filtered": blocks.FILTERED,
    "private": blocks.WITH_PRIVATE_DATA,
}
PATIENCE: Final = ours.Deadlines(evaluate=30, endorse=60, submit=30, commit_status=60)
"""For machines that are busy with other things."""


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except errors.CommitError as error:
        raise RefusedError("commit", error.code, str(error), (), error.transaction_id) from error
    except errors.GatewayError as error:
        details = tuple(Detail(each.address, each.msp_id, each.message) for each in error.details)
        identifier = getattr(error, "transaction_id", "")
        kind = _KINDS[type(error)]
        raise RefusedError(kind, error.code, error.message, details, identifier) from error
    except errors.FabricError as error:
        raise RefusedError("client", "", str(error)) from error


@dataclass(frozen=True)
class _Stream:
    stream: Any

    async def next(self) -> Event | bytes | None:
        with _told():
            found = await anext(self.stream, None)
        if isinstance(found, ours.ChaincodeEvent):
            return Event(
                found.block_number,
                found.transaction_id,
                found.chaincode,
                found.name,
                found.payload,
            )
        return None if found is None else found.SerializeToString()

    async def stop(self) -> None:
        await self.stream.aclose()


class PythonClient:
    """`pedchain_fabric.client`."""

    def __init__(self, gateway: ours.Gateway, channel: str) -> None:
        self._gateway = gateway
        self._network = gateway.network(channel)

    @classmethod
    async def open(cls, file: Path, user: str, *, signs: bool) -> Self:
        """For a user of a profile, its key left alone unless it `signs`."""
        known = ours.profile.load(file)
        identity = known.identity(user)
        everyone = [each.msp_id for each in known.peers]
        gateway = ours.Gateway(
            identity if signs else identity.identity,
            ours.profile.open_channel(known.peer),
            PATIENCE,
            trusted_organizations=everyone,
            owns_channel=True,
        )
        return cls(gateway, known.channel)

    def _proposal(self, call: Call) -> ours.Proposal:
        network = self._gateway.network(call.channel) if call.channel else self._network
        return network.contract(call.chaincode, call.contract).new_proposal(
            call.function,
            *call.args,
            transient=call.transient,
            endorsing_organizations=call.organizations,
        )

    async def evaluate(self, call: Call, deadline: float | None = None) -> bytes:
        with _told():
            return await self._proposal(call).evaluate(deadline=deadline)

    async def submit(self, call: Call) -> bytes:
        with _told():
            return await self._network.contract(call.chaincode, call.contract).submit(
                call.function,
                *call.args,
                transient=call.transient,
                endorsing_organizations=call.organizations,
            )

    async def submit_async(self, call: Call) -> Step:
        with _told():
            result, commit = await self._network.contract(
                call.chaincode, call.contract
            ).submit_async(
                call.function,
                *call.args,
                transient=call.transient,
                endorsing_organizations=call.organizations,
            )
            return Step(commit.bytes, commit.digest, commit.transaction_id, result)

    async def propose(self, call: Call) -> Step:
        with _told():
            made = self._proposal(call)
            return Step(made.bytes, made.digest, made.transaction_id)

    async def evaluate_proposal(self, data: bytes, signature: bytes = b"") -> bytes:
        with _told():
            return await self._gateway.new_signed_proposal(data, signature).evaluate()

    async def endorse(
        self, data: bytes, signature: bytes = b"", deadline: float | None = None
    ) -> Step:
        with _told():
            proposal = self._gateway.new_signed_proposal(data, signature)
            made = await proposal.endorse(deadline=deadline)
            return Step(made.bytes, made.digest, made.transaction_id, made.result)

    async def order(self, data: bytes, signature: bytes = b"") -> Step:
        with _told():
            made = await self._gateway.new_signed_transaction(data, signature).submit()
            return Step(made.bytes, made.digest, made.transaction_id)

    async def status(
        self, data: bytes, signature: bytes = b"", deadline: float | None = None
    ) -> Outcome:
        with _told():
            commit = self._gateway.new_signed_commit(data, signature)
            found = await commit.status(deadline=deadline)
            return Outcome(found.transaction_id, found.code, found.block_number, found.successful)

    def _request(self, kind: Kind, where: From, chaincode: str) -> Any:
        checkpoint: ours.Checkpoint | None = None
        if where.file:
            checkpoint = ours.FileCheckpointer(where.file)
        elif where.checkpoint:
            checkpoint = ours.MemoryCheckpointer(*where.checkpoint)
        if kind == "chaincode":
            return self._network.new_chaincode_events_request(
                chaincode, start_block=where.start, checkpoint=checkpoint
            )
        return self._network.new_block_events_request(
            _BLOCKS[kind], start_block=where.start, checkpoint=checkpoint
        )

    async def events(self, kind: Kind, where: From = NOW, chaincode: str = "") -> _Stream:
        return await self._listen(self._request(kind, where, chaincode))

    async def events_request(self, kind: Kind, where: From = NOW, chaincode: str = "") -> Step:
        made = self._request(kind, where, chaincode)
        return Step(made.bytes, made.digest, "")

    async def events_signed(self, kind: Kind, data: bytes, signature: bytes = b"") -> _Stream:
        with _told():
            if kind == "chaincode":
                request: Any = self._gateway.new_signed_chaincode_events_request(data, signature)
            else:
                request = self._gateway.new_signed_block_events_request(
                    _BLOCKS[kind], data, signature
                )
        return await self._listen(request)

    async def _listen(self, request: Any) -> _Stream:
        with _told():
            stream = request.events()
            await stream.__aenter__()
            return _Stream(stream)

    async def checkpoint(self, file: Path, event: Event) -> None:
        checkpointer = await asyncio.to_thread(ours.FileCheckpointer, file)
        await asyncio.to_thread(checkpointer.checkpoint_event, event)

    async def close(self) -> None:
        await self._gateway.close()


def signer(file: Path, user: str) -> SigningIdentity:
    """The user's identity with its key, for signing apart from any client."""
    return ours.profile.load(file).identity(user)
