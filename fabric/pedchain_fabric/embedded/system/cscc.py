# SPDX-License-Identifier: Apache-2.0
"""cscc: joining channels, and their configuration. Source: core/scc/cscc/configure.go."""

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.proposal_response_pb2 import Response
from fabric_protos.peer.query_pb2 import ChannelInfo, ChannelQueryResponse

from pedchain_fabric.embedded.acl import AccessDenied, Acl
from pedchain_fabric.embedded.joined import Channels, Joined, JoinRefused
from pedchain_fabric.embedded.system import SystemCall, failure, success
from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire.block import parse_block
from pedchain_fabric.wire.channelconfig import ChannelConfig

_WITHOUT_ARGUMENT = {"GetChannels", "JoinBySnapshotStatus"}


class Cscc:
    """Serves one peer. `channels` creates the channel a genesis block begins."""

    def __init__(self, acl: Acl, joined: Joined, channels: Channels) -> None:
        self._acl = acl
        self._joined = joined
        self._channels = channels

    async def invoke(self, call: SystemCall) -> Response:
        """The answer; args are the function and a genesis block or a channel's name."""
        count = len(call.args)
        if count < 1 or (call.function not in _WITHOUT_ARGUMENT and count < 2):
            return failure(f"Incorrect number of arguments, {count}")
        called = call.transaction.proposal.chaincode_name
        if called != "cscc":
            return failure(
                "Rejecting invoke of CSCC from another chaincode, original invocation for "
                f"'{called}'"
            )
        if call.function == "JoinChain":
            return self._join(call)
        if call.function == "GetChannels":
            return self._list(call)
        if call.function in ("GetConfigBlock", "GetChannelConfig"):
            return self._config(call)
        if call.function in ("JoinChainBySnapshot", "JoinBySnapshotStatus"):
            return failure("the embedded network has no snapshots")
        return failure(f"Requested function {call.function} not found.")

    def _join(self, call: SystemCall) -> Response:
        try:
            block = parse_block(call.args[1])
        except FabricError as error:
            return failure(f"Failed to reconstruct the genesis block, {error}")
        try:
            name = ChannelConfig.from_block(block).channel_id
        except FabricError as error:
            return failure(
                f'"JoinChain" request failed to extract channel id from the block due to [{error}]'
            )
        try:
            self._acl.check("cscc/JoinChain", None, call.signed)
            self._join_channel(name, block)
        except AccessDenied as denied:
            return failure(f"access denied for [JoinChain][{name}]: [{denied}]")
        except JoinRefused as refused:
            return failure(f"cannot create ledger from genesis block: {refused}")
        return success()

    def _join_channel(self, name: str, block: Block) -> None:
        if self._joined.get(name) is not None:
            raise JoinRefused(f"ledger [{name}] already exists with state [ACTIVE]")
        self._joined.add(self._channels.open(block))

    def _list(self, call: SystemCall) -> Response:
        try:
            self._acl.check("cscc/GetChannels", None, call.signed)
        except AccessDenied as denied:
            return failure(f"access denied for [GetChannels]: {denied}")
        names = [ChannelInfo(channel_id=channel.name) for channel in self._joined]
        return success(ChannelQueryResponse(channels=names).SerializeToString())

    def _config(self, call: SystemCall) -> Response:
        name = call.args[1].decode("utf-8", "replace")
        if call.function == "GetChannelConfig" and not name:
            return failure("empty channel name provided")
        channel = self._joined.get(name)
        ledger = None if channel is None else channel.ledger
        try:
            self._acl.check(f"cscc/{call.function}", ledger, call.signed, name)
        except AccessDenied as denied:
            return failure(f"access denied for [{call.function}][{name}]: {denied}")
        if channel is None:
            return failure(f"Unknown channel ID, {name}")
        if call.function == "GetConfigBlock":
            return success(channel.config_block().SerializeToString())
        return success(channel.config.config.SerializeToString())
