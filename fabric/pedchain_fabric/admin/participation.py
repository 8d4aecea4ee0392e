# SPDX-License-Identifier: Apache-2.0
"""An orderer's channels: join, list, change, read, remove (orderer/common/channelparticipation).

Orderers take these requests on a port of their own and only from clients whose TLS certificate
they know: who holds it may make the node join or leave channels, and nothing else.
"""

import asyncio
import http.client
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.admin.limits import (
    PARTICIPATION_ANSWER_BYTES,
    PARTICIPATION_BODY_BYTES,
    PARTICIPATION_TIMEOUT_S,
)
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.block import parse_block

Which = Literal["newest", "oldest", "config"]

_CHANNELS = "/participation/v1/channels"


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """One orderer's view of a channel. `relation` is `consenter` or `follower`, `status`
    `active`, `onboarding`, `inactive` or `failed`; `height` counts blocks."""

    name: str
    relation: str
    status: str
    height: int


def mutual_tls(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """A TLS context that trusts one CA and shows a client certificate; all PEM files."""
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    return context


class Participation:
    """The participation endpoint of one orderer at `host:port`."""

    def __init__(self, address: str, tls: ssl.SSLContext | None) -> None:
        self.address = address
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._tls = tls

    async def channels(self) -> frozenset[str]:
        """Names of the channels this orderer is in. Raises `AdminError`."""
        listed = (await self._request("GET", _CHANNELS)).get("channels") or ()
        return frozenset(channel["name"] for channel in listed)

    async def info(self, channel: str) -> ChannelInfo:
        """This orderer's view of one channel. Raises `AdminError` (404: not joined)."""
        return _info(await self._request("GET", f"{_CHANNELS}/{channel}"))

    async def join(self, block: bytes) -> ChannelInfo:
        """Join the channel of this configuration block. Raises `AdminError` (409: joined)."""
        return await self._upload("POST", "config-block", block)

    async def update(self, envelope: bytes) -> ChannelInfo:
        """Change a channel's configuration by this CONFIG_UPDATE envelope (Fabric 3.1.2 and later).

        The answer comes before the change is ordered. Raises `AdminError` (400: refused).

        An orderer that is no consenter of the channel must not be asked: Fabric 3.1.5 refuses with
        its registrar locked for ever (multichannel/registrar.go, UpdateChannel).
        """
        return await self._upload("PUT", "config-update-envelope", envelope)

    async def block(self, channel: str, which: Which | int) -> Block:
        """One block of the channel as this orderer has it. Raises `AdminError` (404: has not)."""
        path = f"{_CHANNELS}/{channel}/blocks/{which}"
        status, answer = await self._exchange("GET", path, b"", {})
        if status >= http.HTTPStatus.BAD_REQUEST:
            _document(status, answer)
        return parse_block(answer)

    async def remove(self, channel: str) -> None:
        """Leave the channel and delete its blocks here. Raises `AdminError`."""
        await self._request("DELETE", f"{_CHANNELS}/{channel}")

    async def _upload(self, method: str, name: str, content: bytes) -> ChannelInfo:
        """Sends a form with one file."""
        if len(content) > PARTICIPATION_BODY_BYTES:
            raise AdminError(413, f"{name} of {len(content)} bytes is more than an orderer takes")
        boundary = secrets.token_hex(16)
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="{name}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return _info(_document(*await self._exchange(method, _CHANNELS, body, headers)))

    async def _request(self, method: str, path: str) -> dict[str, Any]:
        return _document(*await self._exchange(method, path, b"", {}))

    async def _exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        return await asyncio.to_thread(self._send, method, path, body, headers)

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            answer = response.read(PARTICIPATION_ANSWER_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise AdminError("UNAVAILABLE", f"{method} {path}: {error}") from error
        finally:
            connection.close()
        return response.status, answer

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(
                self._host, self._port, timeout=PARTICIPATION_TIMEOUT_S
            )
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=PARTICIPATION_TIMEOUT_S, context=self._tls
        )


def _info(document: Mapping[str, Any]) -> ChannelInfo:
    return ChannelInfo(
        name=str(document.get("name", "")),
        relation=str(document.get("consensusRelation", "")),
        status=str(document.get("status", "")),
        height=int(document.get("height", 0)),
    )


def _document(status: int, answer: bytes) -> dict[str, Any]:
    try:
        document = json.loads(answer) if answer else {}
    except ValueError as error:
        raise AdminError(status, "the orderer's answer is not JSON") from error
    if not isinstance(document, dict):
        raise AdminError(status, "the orderer's answer is no JSON object")
    if status >= http.HTTPStatus.BAD_REQUEST:
        raise AdminError(status, str(document.get("error", "")))
    return document
