# SPDX-License-Identifier: Apache-2.0
"""Gateway.Endorse. Source: internal/pkg/gateway/endorse.go."""

import asyncio
from collections.abc import Sequence

import grpc
from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.gateway.gateway_pb2 import EndorseRequest, ErrorDetail
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import (
    ChaincodeCall,
    ChaincodeInterest,
    ProposalResponse,
)

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.discovery.plan import PlanImpossible
from pedchain_fabric.embedded.gateway import proposals
from pedchain_fabric.embedded.gateway.calls import ask
from pedchain_fabric.embedded.gateway.layouts import Plan, detail, unique
from pedchain_fabric.embedded.gateway.proposals import Target
from pedchain_fabric.embedded.gateway.registry import Registry
from pedchain_fabric.embedded.peer import Peer
from pedchain_fabric.embedded.rpc import RpcRefused
from pedchain_fabric.errors import WireError

_Code = grpc.StatusCode


async def endorse(registry: Registry, request: EndorseRequest) -> Envelope:
    """The endorsed transaction, unsigned. Raises RpcRefused."""
    signed = request.proposed_transaction
    if not signed.proposal_bytes:
        raise RpcRefused(
            _Code.INVALID_ARGUMENT, "the proposed transaction must contain a signed proposal"
        )
    try:
        target = proposals.read(signed)
    except WireError as error:
        raise RpcRefused(_Code.INVALID_ARGUMENT, str(error)) from error
    collector = _Collector(registry, target, signed)
    plan = await collector.plan(list(request.endorsing_organizations))
    await collector.collect(plan)
    if plan.completed is None or plan.payload is None:
        raise RpcRefused(
            _Code.ABORTED,
            "failed to collect enough transaction endorsements, see attached details for more info",
            plan.errors,
        )
    endorsements = unique(plan.completed.endorsements)
    return proposals.assemble(target, plan.payload, endorsements)


class _Collector:
    """Gets one proposal endorsed."""

    def __init__(self, registry: Registry, target: Target, signed: SignedProposal) -> None:
        self._registry = registry
        self._target = target
        self._signed = signed

    async def plan(self, msp_ids: Sequence[str]) -> Plan:
        """Whom to ask: the client's choice, or what the first endorser's result needs."""
        channel = self._registry.local.joined.get(self._target.channel)
        if not msp_ids:
            return await self._plan_from_first(channel)
        if channel is None:
            raise RpcRefused(
                _Code.UNAVAILABLE,
                f"failed to find any endorsing peers for org(s): {', '.join(msp_ids)}",
            )
        try:
            return self._registry.plan_for_organizations(channel, self._target.chaincode, msp_ids)
        except PlanImpossible as error:
            raise RpcRefused(_Code.UNAVAILABLE, str(error)) from error

    async def _plan_from_first(self, channel: Channel | None) -> Plan:
        if channel is None:
            raise RpcRefused(
                _Code.FAILED_PRECONDITION,
                "no combination of peers can be derived which satisfy the endorsement policy: "
                f"No metadata was found for chaincode {self._target.chaincode} in channel "
                f"{self._target.channel}",
            )
        peer, response = await self._first(self._local_plan(channel))
        interest = response.interest
        if not interest.chaincodes:
            interest = self._default_interest()
        plan = self._full_plan(channel, interest, peer)
        plan.accept(peer, response)
        return plan

    def _default_interest(self) -> ChaincodeInterest:
        return ChaincodeInterest(chaincodes=[ChaincodeCall(name=self._target.chaincode)])

    def _local_plan(self, channel: Channel) -> Plan:
        """An endorser of the gateway's organisation, else any unless secrets travel along."""
        own = self._registry.local.msp_id
        try:
            return self._registry.plan_for_organizations(channel, self._target.chaincode, [own])
        except PlanImpossible as error:
            if self._target.has_transient:
                raise RpcRefused(
                    _Code.FAILED_PRECONDITION,
                    "no endorsers found in the gateway's organization; retry specifying "
                    "endorsing organization(s) to protect transient data",
                ) from error
        try:
            return self._registry.plan(channel, self._default_interest(), None)
        except PlanImpossible as error:
            raise RpcRefused(_Code.FAILED_PRECONDITION, str(error)) from error

    async def _first(self, plan: Plan) -> tuple[Peer, ProposalResponse]:
        """The first peer to succeed. Business refusals are tried on every peer, as in Fabric."""
        errors: list[ErrorDetail] = []
        peer: Peer | None = plan.endorsers()[0]
        while peer is not None:
            answer = await ask(peer, self._signed, self._registry.local)
            if answer.response is not None:
                return peer, answer.response
            errors.append(detail(peer, answer.message))
            peer = plan.following(peer)
        raise RpcRefused(
            _Code.ABORTED,
            "failed to endorse transaction, see attached details for more info",
            errors,
        )

    def _full_plan(self, channel: Channel, interest: ChaincodeInterest, first: Peer) -> Plan:
        """Secrets go to members of the collections only, so their readers are all required."""
        guarded = ChaincodeInterest()
        guarded.CopyFrom(interest)
        protected: list[str] = []
        if self._target.has_transient:
            for call in guarded.chaincodes:
                if call.no_private_reads:
                    call.no_private_reads = False
                    protected += call.collection_names
        try:
            return self._registry.plan(channel, guarded, first)
        except PlanImpossible as error:
            raise self._impossible(channel, interest, (first, protected), error) from error

    def _impossible(
        self,
        channel: Channel,
        interest: ChaincodeInterest,
        attempt: tuple[Peer, list[str]],
        error: PlanImpossible,
    ) -> RpcRefused:
        first, protected = attempt
        message = str(error)
        if protected:
            try:
                self._registry.plan(channel, interest, first)
                message = (
                    "requires endorsement from organisation(s) that are not in the distribution "
                    f"policy of the private data collection(s): [{' '.join(protected)}]; retry "
                    "specifying trusted endorsing organizations to protect transient data"
                )
            except PlanImpossible as without_protection:
                message = str(without_protection)
        return RpcRefused(_Code.FAILED_PRECONDITION, message)

    async def collect(self, plan: Plan) -> None:
        """Asks layout after layout until one is complete or none is left."""
        while plan.completed is None:
            endorsers = plan.endorsers()
            if not endorsers:
                return
            outcomes = await asyncio.gather(*(self._endorse(plan, peer) for peer in endorsers))
            plan.abandon([peer for peer in outcomes if peer is not None])

    async def _endorse(self, plan: Plan, peer: Peer) -> Peer | None:
        """Asks the peer, then others of its group; the last one that failed, None on success."""
        current: Peer | None = peer
        while current is not None:
            answer = await ask(current, self._signed, self._registry.local)
            if answer.response is None:
                plan.fail(current, answer.message)
            elif plan.accept(current, answer.response):
                return None
            peer, current = current, plan.following(current)
        return peer
