# SPDX-License-Identifier: Apache-2.0
"""`_lifecycle`: packages, approvals and definitions. Source: core/chaincode/lifecycle/scc.go.

Every function takes one argument, a serialised `<Function>Args`, and answers with a serialised
`<Function>Result`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.message import Message

from pedchain_fabric.embedded.acl import AccessDenied
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.system import SystemCall, failure, success
from pedchain_fabric.embedded.system.lifecycle import channelcalls, installed
from pedchain_fabric.embedded.system.lifecycle.channelcalls import ChannelCall
from pedchain_fabric.embedded.system.lifecycle.host import Host
from pedchain_fabric.embedded.system.lifecycle.refusal import LifecycleRefused, NotFound
from pedchain_fabric.embedded.system.lifecycle.states import OrganizationState, PublicState
from pedchain_fabric.errors import FabricError

_CAPABILITIES = {"V2_0", "V2_5"}


class Lifecycle:
    """Serves one peer."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def invoke(self, call: SystemCall) -> Response:
        """The answer; args are the function and its serialised argument."""
        if not call.args:
            return failure("lifecycle scc must be invoked with arguments")
        if len(call.args) != 2:
            return failure(
                "lifecycle scc operations require exactly two arguments but received "
                f"{len(call.args)}"
            )
        channel = call.transaction.channel
        if channel is not None and not channel.config.application_capabilities & _CAPABILITIES:
            return failure(
                f"cannot use new lifecycle for channel '{channel.name}' as it does not have the "
                "required capabilities enabled"
            )
        return self._authorized(call, channel)

    def _authorized(self, call: SystemCall, channel: Channel | None) -> Response:
        ledger = None if channel is None else channel.ledger
        try:
            self._host.acl.check(f"_lifecycle/{call.function}", ledger, call.signed)
        except AccessDenied as denied:
            return failure(f"Failed to authorize invocation due to failed ACL check: {denied}")
        try:
            return success(self._dispatch(call, channel).SerializeToString(deterministic=True))
        except NotFound as refused:
            return failure(str(refused), 404)
        except (LifecycleRefused, FabricError) as refused:
            return failure(
                f"failed to invoke backing implementation of '{call.function}': {refused}"
            )

    def _dispatch(self, call: SystemCall, channel: Channel | None) -> Message:
        local = _LOCAL.get(call.function)
        if local is not None:
            return local(self._host, call.args[1])
        on_channel = _ON_CHANNEL.get(call.function)
        if on_channel is None:
            raise LifecycleRefused(f"receiver *lifecycle.Invocation.{call.function} does not exist")
        return on_channel(self._channel_call(call, channel), call.args[1])

    def _channel_call(self, call: SystemCall, channel: Channel | None) -> ChannelCall:
        simulator = call.transaction.simulator
        if channel is None or simulator is None:
            raise LifecycleRefused("no application config for channel ''")
        return ChannelCall(
            channel,
            PublicState(simulator),
            OrganizationState(simulator, self._host.msp_id),
            tuple(
                OrganizationState(simulator, org.msp_id)
                for org in channel.config.application_orgs.values()
            ),
        )


_LOCAL: Mapping[str, Callable[[Host, bytes], Message]] = MappingProxyType(
    {
        "InstallChaincode": installed.install,
        "QueryInstalledChaincode": installed.query_one,
        "QueryInstalledChaincodes": installed.query_all,
        "GetInstalledChaincodePackage": installed.get_package,
    }
)

_ON_CHANNEL: Mapping[str, Callable[[ChannelCall, bytes], Message]] = MappingProxyType(
    {
        "ApproveChaincodeDefinitionForMyOrg": channelcalls.approve,
        "QueryApprovedChaincodeDefinition": channelcalls.query_approved,
        "QueryApprovedChaincodeDefinitions": channelcalls.query_all_approved,
        "CheckCommitReadiness": channelcalls.check_readiness,
        "CommitChaincodeDefinition": channelcalls.commit,
        "QueryChaincodeDefinition": channelcalls.query_committed,
        "QueryChaincodeDefinitions": channelcalls.query_all_committed,
    }
)
