# SPDX-License-Identifier: Apache-2.0
"""The channel participation API of one orderer.

Source: orderer/common/channelparticipation/restapi.go, validator.go.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import CONFIG_UPDATE, Block, Envelope, Status

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.http import Request, Response, json_response
from pedchain_fabric.embedded.joined import JoinRefused
from pedchain_fabric.embedded.multipart import FormRefused, single_file
from pedchain_fabric.embedded.orderer.blocks import as_ordered
from pedchain_fabric.embedded.orderer.broadcast import (
    BroadcastRefused,
    channel_header,
)
from pedchain_fabric.embedded.orderer.chain import OrderingChain
from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.errors import FabricError, WireError
from pedchain_fabric.wire.block import check_data, parse_block
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse

BASE = "/participation/v1/channels"
_ONE = re.compile(rf"{BASE}/([^/]+)")
_BLOCK = re.compile(rf"{BASE}/([^/]+)/blocks/([^/]+)")
_CHANNEL_ID = re.compile(r"[a-z][a-z0-9.-]*")

Join = Callable[[Orderer, Block], OrderingChain]


@dataclass(frozen=True, slots=True)
class Participation:
    """Serves one orderer. `join` makes it take part in the channel a block begins."""

    orderer: Orderer
    join: Join

    async def handle(self, request: Request) -> Response:
        """Routes a request."""
        if not _accepts_json(request):
            return _error(406, "response Content-Type is application/json only")
        if request.path == "/participation/v1/" and request.method == "GET":
            return Response(302, headers={"Location": BASE})
        if request.path == BASE:
            return self._all(request)
        one = _ONE.fullmatch(request.path)
        if one:
            return self._one(request, one[1])
        block = _BLOCK.fullmatch(request.path)
        if block:
            return self._block(request, block[1], block[2])
        return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")

    def _all(self, request: Request) -> Response:
        if request.method == "GET":
            names = [channel.name for channel in self.orderer.joined]
            listed = [{"name": name, "url": f"{BASE}/{name}"} for name in names]
            document = {"systemChannel": None, "channels": listed or None}
            return json_response(200, document, Cache_Control="no-store")
        if request.method not in ("POST", "PUT"):
            return _not_allowed(request, "GET, POST, PUT")
        content_type = request.headers.get("content-type", "")
        if not content_type.startswith("multipart/form-data"):
            return _error(400, f"unsupported Content-Type: [{content_type}]")
        try:
            return self._join(request) if request.method == "POST" else self._update(request)
        except FormRefused as refused:
            return _error(400, str(refused))

    def _join(self, request: Request) -> Response:
        body = _form(request, "config-block")
        try:
            block = parse_block(body)
        except FabricError:
            return _error(400, "cannot unmarshal file part config-block into a block")
        try:
            name = _join_channel_id(block)
        except FabricError as error:
            return _error(400, f"invalid join block: {error}")
        if self.orderer.joined.get(name) is not None:
            return _not_allowed_because("cannot join: channel already exists", "GET, DELETE")
        try:
            chain = self.join(self.orderer, block)
        except JoinRefused as refused:
            return _error(400, f"cannot join: {refused}")
        return self._created(chain)

    def _update(self, request: Request) -> Response:
        body = _form(request, "config-update-envelope")
        try:
            envelope = parse(Envelope, body)
            header = channel_header(envelope)
        except (FabricError, BroadcastRefused) as error:
            return _error(400, f"invalid config update envelope: {error}")
        if header.type != CONFIG_UPDATE:
            return _error(400, "invalid config update envelope: bad type")
        chain = self.orderer.chain(header.channel_id)
        if chain is None:
            return _error(405, "cannot update: channel does not exist")
        if not chain.is_consenter(self.orderer.member):
            return _error(403, "cannot update: channel is not ready, he is a follower")
        answer = self.orderer.take(envelope)
        if answer.status != Status.SUCCESS:
            reason = f"failed update config of channel {header.channel_id}: {answer.info}"
            return _error(400, f"cannot update: {reason}")
        return self._created(chain)

    def _created(self, chain: OrderingChain) -> Response:
        url = f"{BASE}/{chain.channel.name}"
        return json_response(201, self._info(chain), Location=url)

    def _one(self, request: Request, name: str) -> Response:
        if request.method not in ("GET", "DELETE"):
            return _not_allowed(request, "GET, DELETE")
        problem = _channel_id_problem(name)
        if problem:
            return _error(400, f"invalid channel ID: {problem}")
        chain = self.orderer.chain(name)
        if request.method == "GET":
            if chain is None:
                return _error(404, "channel does not exist")
            return json_response(200, self._info(chain), Cache_Control="no-store")
        if chain is None:
            return _error(404, "cannot remove: channel does not exist")
        self.orderer.withdraw(name)
        return Response(204)

    def _info(self, chain: OrderingChain) -> dict[str, object]:
        consenter = chain.is_consenter(self.orderer.member)
        return {
            "name": chain.channel.name,
            "url": f"{BASE}/{chain.channel.name}",
            "consensusRelation": "consenter" if consenter else "follower",
            "status": "active",
            "height": chain.channel.ledger.height,
        }

    def _block(self, request: Request, name: str, wanted: str) -> Response:
        if request.method != "GET":
            return _not_allowed(request, "GET")
        problem = _channel_id_problem(name)
        if problem:
            return _error(400, f"invalid channel ID: {problem}")
        if wanted not in ("newest", "oldest", "config") and not re.fullmatch(r"-?\d+", wanted):
            reason = f"'{wanted}' not equal <newest|oldest|config|(number)>"
            return _error(400, f"invalid block ID: {reason}")
        chain = self.orderer.chain(name)
        if chain is None:
            return _error(404, "channel does not exist")
        ledger = chain.channel.ledger
        named = {"newest": ledger.height - 1, "oldest": 0, "config": ledger.config_block}
        number = named[wanted] if wanted in named else int(wanted)
        block = ledger.block(number) if 0 <= number < ledger.height else None
        if block is None:
            return _error(404, f"no such block number [{number}] in index")
        body = as_ordered(block).SerializeToString()
        return Response(200, body, "application/octet-stream", {"Cache-Control": "no-store"})


def _form(request: Request, key: str) -> bytes:
    content_type = request.headers.get("content-type", "")
    return single_file(content_type, request.body, key, limits.MAX_JOIN_BODY_BYTES)


def _join_channel_id(block: Block) -> str:
    """The channel a join block begins. Raises FabricError for what cannot be joined."""
    config = ChannelConfig.from_block(block)
    check_data(block)
    if not config.application_orgs:
        raise WireError("invalid config: must contain application config")
    return config.channel_id


def _channel_id_problem(name: str) -> str:
    if len(name) > 249:
        return "channel ID illegal, cannot be longer than 249"
    if not _CHANNEL_ID.fullmatch(name):
        return f"'{name}' contains illegal characters"
    return ""


def _accepts_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    wanted = ("application/json", "application/*", "*/*")
    return not accepted or any(each in accepted for each in wanted)


def _error(status: int, message: str) -> Response:
    return json_response(status, {"error": message})


def _not_allowed(request: Request, allow: str) -> Response:
    return _not_allowed_because(f"invalid request method: {request.method}", allow)


def _not_allowed_because(message: str, allow: str) -> Response:
    return json_response(405, {"error": message}, Allow=allow)
