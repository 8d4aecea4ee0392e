# SPDX-License-Identifier: Apache-2.0
"""The official Node client, in a process of its own that is told what to do (node/driver.js)."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

from tests.interop import environments
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

_KINDS: Final[Mapping[str, str]] = {
    "EndorseError": "endorse",
    "SubmitError": "submit",
    "CommitStatusError": "commit-status",
    "CommitError": "commit",
    "GatewayError": "gateway",
}
_LINE_MAX: Final = 128 * 1024 * 1024


class Driver:
    """The process. Questions are answered in any order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls) -> Self:
        process = await asyncio.create_subprocess_exec(
            environments.node(),
            str(environments.FOLDER / "node" / "driver.js"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_MAX,
        )
        return cls(process)

    async def ask(self, action: str, **given: Any) -> Any:
        """What came of an action. Raises `RefusedError`."""
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps({"id": number, "do": action, **given}).encode() + b"\n")
        await stdin.drain()
        return await answer

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            answer = json.loads(line)
            waiting = self._waiting.pop(answer["id"])
            if "error" in answer:
                waiting.set_exception(_refused(answer["error"]))
            else:
                waiting.set_result(answer["value"])
        for waiting in self._waiting.values():
            waiting.set_exception(RefusedError("client", "", "the Node process has ended"))


def _refused(error: Mapping[str, Any]) -> RefusedError:
    details = tuple(Detail(*each) for each in error["details"])
    kind = _KINDS.get(error["kind"], "client")
    return RefusedError(kind, error["code"], error["message"], details, error["transaction_id"])


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _step(found: Mapping[str, str]) -> Step:
    return Step(
        base64.b64decode(found["bytes"]),
        base64.b64decode(found["digest"]),
        found["transaction_id"],
        base64.b64decode(found["result"]),
    )


def _call(call: Call) -> dict[str, Any]:
    return {
        "chaincode": call.chaincode,
        "contract": call.contract,
        "channel": call.channel,
        "function": call.function,
        "args": [_packed(each) for each in call.args],
        "transient": {name: _packed(value) for name, value in call.transient.items()},
        "organizations": list(call.organizations),
    }


def _where(where: From) -> dict[str, Any]:
    return {
        "start": where.start,
        "checkpoint": list(where.checkpoint) if where.checkpoint else None,
        "file": str(where.file) if where.file else None,
    }


@dataclass
class _Stream:
    driver: Driver
    kind: Kind
    number: str
    stopped: bool = False

    async def next(self) -> Event | bytes | None:
        try:
            found = await self.driver.ask("next", stream=self.number)
        except RefusedError as error:
            if self.stopped and error.code == "CANCELLED":
                return None  # that is how this client ends an iteration under way
            raise
        if found is None:
            return None
        if self.kind == "chaincode":
            return Event(**{**found, "payload": base64.b64decode(found["payload"])})
        return base64.b64decode(found)

    async def stop(self) -> None:
        self.stopped = True
        await self.driver.ask("stop", stream=self.number)


class NodeClient:
    """`@hyperledger/fabric-gateway`."""

    def __init__(self, driver: Driver, gateway: str) -> None:
        self._driver = driver
        self._gateway = gateway

    @classmethod
    async def open(cls, driver: Driver, profile: Path, user: str, *, signs: bool) -> Self:
        """For a user of a profile, its key left alone unless it `signs`."""
        return cls(driver, await driver.ask("open", profile=str(profile), user=user, signs=signs))

    async def _ask(self, action: str, **given: Any) -> Any:
        return await self._driver.ask(action, gateway=self._gateway, **given)

    async def evaluate(self, call: Call, deadline: float | None = None) -> bytes:
        return base64.b64decode(await self._ask("evaluate", **_call(call), deadline=deadline))

    async def submit(self, call: Call) -> bytes:
        return base64.b64decode(await self._ask("submit", **_call(call)))

    async def submit_async(self, call: Call) -> Step:
        return _step(await self._ask("submit_async", **_call(call)))

    async def propose(self, call: Call) -> Step:
        return _step(await self._ask("propose", **_call(call)))

    async def evaluate_proposal(self, data: bytes, signature: bytes = b"") -> bytes:
        return base64.b64decode(await self._taken("evaluate_proposal", data, signature))

    async def endorse(
        self, data: bytes, signature: bytes = b"", deadline: float | None = None
    ) -> Step:
        return _step(await self._taken("endorse", data, signature, deadline=deadline))

    async def order(self, data: bytes, signature: bytes = b"") -> Step:
        return _step(await self._taken("order", data, signature))

    async def status(
        self, data: bytes, signature: bytes = b"", deadline: float | None = None
    ) -> Outcome:
        return Outcome(**await self._taken("status", data, signature, deadline=deadline))

    async def _taken(self, action: str, data: bytes, signature: bytes, **given: Any) -> Any:
        return await self._ask(action, bytes=_packed(data), signature=_packed(signature), **given)

    async def events(self, kind: Kind, where: From = NOW, chaincode: str = "") -> _Stream:
        number = await self._ask("events", kind=kind, chaincode=chaincode, **_where(where))
        return _Stream(self._driver, kind, number)

    async def events_request(self, kind: Kind, where: From = NOW, chaincode: str = "") -> Step:
        asked = {"kind": kind, "chaincode": chaincode, **_where(where)}
        return _step(await self._ask("events_request", **asked))

    async def events_signed(self, kind: Kind, data: bytes, signature: bytes = b"") -> _Stream:
        number = await self._taken("events_signed", data, signature, kind=kind)
        return _Stream(self._driver, kind, number)

    async def checkpoint(self, file: Path, event: Event) -> None:
        place = asdict(event)
        at = [place["block_number"], place["transaction_id"]]
        await self._driver.ask("checkpoint", file=str(file), event=at)

    async def close(self) -> None:
        await self._ask("close")
