# SPDX-License-Identifier: Apache-2.0
"""The way to the gateway: `POST /v1/readings`, one record per line, and what its answers mean.

An answer settles a record; everything else (no connection, a lost answer, 202, 429, 503) leaves
the outcome unknown, and the same bytes are sent again later. Papers of demand response go to
`POST /v1/districts/<district>/flexibility/...`, where a refusal is the ledger's own.
"""

import gzip
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from emsagent import limits
from emsagent.config import GatewayConfig
from emsagent.errors import Declined, UplinkError

_ANSWERED = (200, 201, 202)
_DECLINED = (400, 401, 403, 404, 409)
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway said about one record."""

    status: str
    reason: str
    transaction: str


class Uplink:
    """One district's gateway. A context manager that owns its connections."""

    def __init__(
        self, gateway: GatewayConfig, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._district = gateway.district
        self.records_max = limits.POST_RECORDS_MAX
        self._client = httpx2.AsyncClient(
            base_url=gateway.url,
            verify=_trust(gateway),
            transport=transport,
            timeout=httpx2.Timeout(limits.ANSWER_S, connect=limits.CONNECT_S),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def post(self, records: Sequence[bytes]) -> list[Answer]:
        """Send records; answers in their order. Raises `UplinkError`: outcome unknown."""
        request = self._client.build_request(
            "POST",
            "/v1/readings",
            params={"district": self._district},
            content=gzip.compress(b"\n".join(records), compresslevel=6),
            headers={"content-type": "text/plain", "content-encoding": "gzip"},
        )
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = await _bounded(response)
            finally:
                await response.aclose()
        except (httpx2.HTTPError, OSError) as error:
            raise UplinkError(f"no answer: {type(error).__name__}") from error
        return self._answers(response, body, len(records))

    # demand response: papers that the home's device signed

    async def enrol(self, paper: Document, code: str) -> None:
        """Bring a consent, with the occupant's code. Raises `UplinkError`, `Declined`."""
        await self._call("enrolments", {"enrolment": paper, "code": code})

    async def withdraw(self, paper: Document) -> None:
        """Bring the end of a consent. Raises `UplinkError`, `Declined`."""
        await self._call("withdrawals", {"withdrawal": paper})

    async def dispatches(self, inquiry: Document) -> list[Document]:
        """What accepted orders ask of the device that signed the inquiry. Raises `UplinkError`,
        `Declined`."""
        found = (await self._call("dispatches", {"inquiry": inquiry})).get("dispatches")
        if not isinstance(found, list):
            raise UplinkError("the answer cannot be read")
        return found

    async def answer(self, order: str, answers: Sequence[Document]) -> None:
        """Bring answers to an order. Raises `UplinkError`, `Declined`."""
        await self._call("answers", {"order": order, "answers": list(answers)})

    async def surplus(self, day: str) -> Document:
        """What the district is expected to have to spare on a day. Raises `UplinkError`,
        `Declined`."""
        return await self.request("GET", f"/v1/districts/{self._district}/surplus/{day}")

    async def _call(self, name: str, body: Document) -> Document:
        return await self.request(
            "POST", f"/v1/districts/{self._district}/flexibility/{name}", body
        )

    async def request(
        self, method: str, path: str, body: Document | None = None, token: str = ""
    ) -> Document:
        """One exchange of JSON objects. Raises `UplinkError`, `Declined`."""
        request = self._client.build_request(method, path, json=body, headers=_bearer(token))
        return _document(*await self._exchanged(request))

    async def array(self, path: str, token: str) -> list[Document]:
        """What a route lists. Raises `UplinkError`."""
        request = self._client.build_request("GET", path, headers=_bearer(token))
        response, body = await self._exchanged(request)
        if response.status_code != 200:
            raise UplinkError(_problem(response, body), _retry_after(response))
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise UplinkError("the answer cannot be read") from error
        if not isinstance(found, list):
            raise UplinkError("the answer cannot be read")
        return found

    async def post_form(self, path: str, form: dict[str, str]) -> Document:
        """One exchange of a form for a JSON object. Raises `UplinkError`, `Declined`."""
        request = self._client.build_request("POST", path, data=form)
        return _document(*await self._exchanged(request))

    async def commands(self, inquiry: Document) -> AsyncIterator[str]:
        """Lines of the stream of what accepted orders ask of the device that signed the inquiry.
        Raises `UplinkError`."""
        path = f"/v1/districts/{self._district}/flexibility/commands"
        patience = httpx2.Timeout(limits.STREAM_SILENT_S, connect=limits.CONNECT_S)
        body = {"inquiry": inquiry}
        try:
            async with self._client.stream("POST", path, json=body, timeout=patience) as response:
                if response.status_code != 200:
                    raise UplinkError(str(response.status_code), _retry_after(response))
                async for line in response.aiter_lines():
                    yield line
        except (httpx2.HTTPError, OSError) as error:
            raise UplinkError(f"the stream broke: {type(error).__name__}") from error

    async def _exchanged(self, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        try:
            response = await self._client.send(request, stream=True)
            try:
                return response, await _bounded(response)
            finally:
                await response.aclose()
        except (httpx2.HTTPError, OSError) as error:
            raise UplinkError(f"no answer: {type(error).__name__}") from error

    def _answers(self, response: httpx2.Response, body: bytes, count: int) -> list[Answer]:
        if response.status_code == 413 and count > 1:
            self.records_max = max(1, count // 2)
        if response.status_code not in _ANSWERED:
            raise UplinkError(_problem(response, body), _retry_after(response))
        try:
            results = json.loads(body)["results"]
            answers = [_answer(result) for result in results]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UplinkError("the answer cannot be read") from error
        if len(answers) != count:
            raise UplinkError(f"{len(answers)} answers to {count} records")
        return answers


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def _trust(gateway: GatewayConfig) -> ssl.SSLContext:
    if gateway.url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is never used
    return ssl.create_default_context(cafile=str(gateway.ca) if gateway.ca else None)


async def _bounded(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limits.ANSWER_BYTES_MAX:
            raise UplinkError("the answer is too long")
    return bytes(body)


def _answer(result: dict[str, Any]) -> Answer:
    return Answer(
        status=str(result["status"]),
        reason=str(result.get("reason") or ""),
        transaction=str(result.get("transaction") or ""),
    )


def _document(response: httpx2.Response, body: bytes) -> Document:
    """The JSON object of an answer."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UplinkError("the answer cannot be read") from error
    if not isinstance(found, dict):
        raise UplinkError("the answer cannot be read")
    if response.status_code in _DECLINED:
        raise Declined(_problem(response, body), str(found.get("reason") or ""))
    if response.status_code not in _ANSWERED:
        raise UplinkError(_problem(response, body), _retry_after(response))
    return found


def _problem(response: httpx2.Response, body: bytes) -> str:
    """A refusal in the gateway's own words (problem+json), else its status."""
    text = str(response.status_code)
    try:
        problem = json.loads(body)
    except (ValueError, RecursionError):
        return text
    if isinstance(problem, dict):
        return " ".join([text, str(problem.get("reason", "")), str(problem.get("title", ""))])
    return text


def _retry_after(response: httpx2.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else None
