# SPDX-License-Identifier: Apache-2.0
"""One organisation's part in the chaincode lifecycle (`_lifecycle`).

Questions go to the organisation's own peer, transactions through its gateway.
"""

import asyncio
from collections.abc import Mapping, Sequence

from fabric_protos.peer.lifecycle import lifecycle_pb2

from pedchain_fabric.admin import readiness
from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.package import Package
from pedchain_fabric.admin.readiness import Standing
from pedchain_fabric.client import Gateway
from pedchain_fabric.wire.messages import parse, serialize

_LIFECYCLE = "_lifecycle"
_Approved = lifecycle_pb2.QueryApprovedChaincodeDefinitionsResult.ApprovedChaincodeDefinition


class Lifecycle:
    """An organisation's administrator, at its own peer and gateway, for one channel."""

    def __init__(self, peer: Endorser, gateway: Gateway, channel: str) -> None:
        self.msp_id = peer.identity.msp_id
        self._peer = peer
        self._channel = channel
        self._contract = gateway.network(channel).contract(_LIFECYCLE)

    async def installed(self) -> frozenset[str]:
        """Ids of the packages on this peer."""
        answer = await self._peer.query(_LIFECYCLE, "QueryInstalledChaincodes", b"")
        result = parse(lifecycle_pb2.QueryInstalledChaincodesResult, answer)
        return frozenset(package.package_id for package in result.installed_chaincodes)

    async def install(self, package: Package) -> str:
        """Put the package on this peer; returns its id. Again is no error, as peers have it."""
        if package.id in await self.installed():
            return package.id
        arguments = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package.content)
        answer = await self._peer.query(_LIFECYCLE, "InstallChaincode", serialize(arguments))
        return parse(lifecycle_pb2.InstallChaincodeResult, answer).package_id

    async def approvals(self) -> Sequence[_Approved]:
        """Every definition this organisation has approved."""
        answer = await self._ask("QueryApprovedChaincodeDefinitions", b"")
        result = parse(lifecycle_pb2.QueryApprovedChaincodeDefinitionsResult, answer)
        return tuple(result.approved_chaincode_definitions)

    async def committed(self) -> Mapping[str, int]:
        """Sequence of every name agreed on the channel, as this peer has it."""
        answer = await self._ask("QueryChaincodeDefinitions", b"")
        result = parse(lifecycle_pb2.QueryChaincodeDefinitionsResult, answer)
        return {agreed.name: agreed.sequence for agreed in result.chaincode_definitions}

    async def agreed(self, name: str) -> lifecycle_pb2.QueryChaincodeDefinitionResult:
        """The committed definition of `name` and who approved it. `AdminError` 404 if none."""
        arguments = lifecycle_pb2.QueryChaincodeDefinitionArgs(name=name)
        answer = await self._ask("QueryChaincodeDefinition", serialize(arguments))
        return parse(lifecycle_pb2.QueryChaincodeDefinitionResult, answer)

    async def readiness(self, definition: Definition) -> Mapping[str, bool]:
        """By MSP id: has the organisation approved exactly this definition."""
        answer = await self._ask("CheckCommitReadiness", serialize(definition.to_proto()))
        return dict(parse(lifecycle_pb2.CheckCommitReadinessResult, answer).approvals)

    async def approve(self, definition: Definition, package_id: str) -> None:
        """Approve for this organisation, which will run `package_id` behind the name.

        Endorsed by this organisation alone. Raises `GatewayError` or `CommitError`.
        """
        await self._contract.submit(
            "ApproveChaincodeDefinitionForMyOrg",
            serialize(definition.approval(package_id)),
            endorsing_organizations=[self.msp_id],
        )

    async def standing(self, definition: Definition) -> Standing:
        """Has this organisation approved the definition, with a package that is installed."""
        ready, approvals, installed = await asyncio.gather(
            self.readiness(definition), self.approvals(), self.installed()
        )
        packages = {
            approved.source.local_package.package_id
            for approved in approvals
            if (approved.name, approved.sequence) == (definition.name, definition.sequence)
        }
        return Standing(
            approved=ready.get(self.msp_id, False), installed=bool(packages & installed)
        )

    async def commit(self, definition: Definition, members: Sequence["Lifecycle"]) -> None:
        """Make the definition the channel's.

        `members` are the administrators of every organisation its policies name. Raises
        `AdminError` (status `NOT_READY`) as long as one of them has not approved it with an
        installed package; then `GatewayError` or `CommitError`.
        """
        standings = await asyncio.gather(*(member.standing(definition) for member in members))
        told = dict(zip((member.msp_id for member in members), standings, strict=True))
        readiness.require_ready(definition, told)
        await self.commit_regardless(definition)

    async def commit_regardless(self, definition: Definition) -> None:
        """Make the definition the channel's as soon as the lifecycle policy lets it.

        An organisation its policies name that has not approved it with an installed package stops
        endorsing, and so may the name altogether: `commit` asks first. Raises `GatewayError` or
        `CommitError`.
        """
        await self._contract.submit("CommitChaincodeDefinition", serialize(definition.to_proto()))

    async def _ask(self, function: str, arguments: bytes) -> bytes:
        return await self._peer.query(_LIFECYCLE, function, arguments, channel=self._channel)
