# SPDX-License-Identifier: Apache-2.0
"""discovery.Discovery: peers, configuration and endorsers, for clients that plan themselves.

Source: discovery/service.go, discovery/support. Gossip envelopes carry no signature here: no
peer of ours gossips.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from fabric_protos.discovery.protocol_pb2 import (
    ChaincodeQueryResult,
    ConfigResult,
    EndorsementDescriptor,
    Endpoint,
    Endpoints,
    Error,
    Layout,
    Peer,
    PeerMembershipResult,
    Peers,
    Query,
    QueryResult,
    Request,
    Response,
    SignedRequest,
)
from fabric_protos.gossip import message_pb2 as gossip
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig

from pedchain_fabric.embedded import peer as peers
from pedchain_fabric.embedded.acl import WRITERS, refusal
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.discovery.plan import PlanImpossible, describe
from pedchain_fabric.embedded.rpc import Context, Method, RpcRefused, Service, certificate_hash
from pedchain_fabric.errors import FabricError, IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse


@dataclass(frozen=True, slots=True)
class Discovery:
    """Serves one peer; `all_peers` are those of the process."""

    local: peers.Peer
    all_peers: Sequence[peers.Peer]

    def service(self) -> Service:
        """discovery.Discovery."""
        method = Method(
            "Discover", self._discover, SignedRequest.FromString, Response.SerializeToString
        )
        return Service("discovery.Discovery", (method,))

    async def _discover(self, signed: SignedRequest, context: Context) -> Response:
        try:
            request = parse(Request, signed.payload)
        except WireError as error:
            raise _malformed(f"failed parsing request: {error}") from error
        identity = request.authentication.client_identity
        if not request.HasField("authentication"):
            raise _malformed("access denied, no authentication info in request")
        if not identity:
            raise _malformed("access denied, client identity wasn't supplied")
        _check_binding(request, certificate_hash(context))
        claim = SignedData(identity, signed.payload, signed.signature)
        return Response(results=[self._answer(query, claim) for query in request.queries])

    def _answer(self, query: Query, claim: SignedData) -> QueryResult:
        kind = query.WhichOneof("query")
        if not query.channel:
            if not self._is_local_admin(claim):
                return _error("access denied")
            if kind != "local_peers":
                return _error("unknown or missing request type")
            return self._members(self.all_peers, None)
        channel = self.local.joined.get(query.channel)
        if channel is None or refusal(channel.ledger, WRITERS, claim):
            return _error("access denied")
        if kind == "config_query":
            return QueryResult(config_result=config(channel.config))
        if kind == "peer_query":
            return self._members(self._joined(channel), channel)
        if kind == "cc_query":
            return self._endorsers(query, channel)
        return _error("unknown or missing request type")

    def _is_local_admin(self, claim: SignedData) -> bool:
        try:
            identity = Identity.from_creator(claim.creator)
            member = self.local.acl.local.msp.validate(identity)
            member.verify(claim.message, claim.signature)
        except (IdentityError, SignatureInvalid, WireError):
            return False
        return "admin" in member.roles

    def _joined(self, channel: Channel) -> list[peers.Peer]:
        return channel.members(self.all_peers)

    def _members(self, found: Sequence[peers.Peer], channel: Channel | None) -> QueryResult:
        by_org: dict[str, Peers] = {}
        for peer in found:
            by_org.setdefault(peer.msp_id, Peers()).peers.append(describe_peer(peer, channel))
        return QueryResult(members=PeerMembershipResult(peers_by_org=by_org))

    def _endorsers(self, query: Query, channel: Channel) -> QueryResult:
        interests = query.cc_query.interests
        if not interests:
            return _error("chaincode query must have at least one chaincode interest")
        content = []
        candidates = self._joined(channel)
        by_name = {peer.name: peer for peer in candidates}
        for interest in interests:
            if not interest.chaincodes:
                return _error("chaincode interest must contain at least one chaincode")
            try:
                found = describe(channel, interest, candidates)
            except (PlanImpossible, FabricError):
                return _error(f"failed constructing descriptor for {str(interest).strip()}")
            groups = {
                group: Peers(peers=[describe_peer(by_name[name], channel) for name in names])
                for group, names in found.groups.items()
            }
            layouts = [Layout(quantities_by_group=layout) for layout in found.layouts]
            content.append(
                EndorsementDescriptor(
                    chaincode=found.chaincode, endorsers_by_groups=groups, layouts=layouts
                )
            )
        return QueryResult(cc_query_res=ChaincodeQueryResult(content=content))


def describe_peer(peer: peers.Peer, channel: Channel | None) -> Peer:
    """A peer as gossip would announce it: its address and, on a channel, what it offers."""
    identifier = hashlib.sha256(peer.identity.msp_id.encode() + peer.identity.certificate).digest()
    member = gossip.Member(endpoint=peer.address, pki_id=identifier)
    alive = gossip.GossipMessage(alive_msg=gossip.AliveMessage(membership=member))
    described = Peer(identity=peer.identity.creator)
    described.membership_info.payload = alive.SerializeToString()
    if channel is not None:
        described.state_info.payload = _state_info(peer, channel, identifier)
    return described


def _state_info(peer: peers.Peer, channel: Channel, identifier: bytes) -> bytes:
    offered = [
        gossip.Chaincode(name=each.definition.name, version=str(each.definition.sequence))
        for each in peer.approvals()[channel.name].all()
        if each.runnable
    ]
    properties = gossip.Properties(
        ledger_height=channel.ledger.height,
        chaincodes=[*offered, gossip.Chaincode(name="_lifecycle", version="1")],
    )
    state = gossip.StateInfo(pki_id=identifier, properties=properties)
    return gossip.GossipMessage(state_info=state).SerializeToString()


def config(channel: ChannelConfig) -> ConfigResult:
    """MSPs and orderer endpoints of a channel."""
    result = ConfigResult()
    groups = channel.config.channel_group.groups
    for kind in ("Application", "Orderer"):
        for group in groups[kind].groups.values() if kind in groups else ():
            message = parse(FabricMSPConfig, parse(MSPConfig, group.values["MSP"].value).config)
            result.msps[message.name].CopyFrom(message)
    for organization in channel.orderer_orgs.values():
        endpoints = [_endpoint(text) for text in organization.endpoints]
        result.orderers[organization.msp_id].CopyFrom(Endpoints(endpoint=endpoints))
    return result


def _endpoint(text: str) -> Endpoint:
    host, _, port = text.rpartition(":")
    return Endpoint(host=host, port=int(port) if port.isdecimal() else 0)


def _check_binding(request: Request, shown: bytes) -> None:
    """A client that shows a TLS certificate must name its hash; ours need not show one."""
    if shown and shown != request.authentication.client_tls_cert_hash:
        raise _malformed("client claimed TLS hash doesn't match computed TLS hash from gRPC stream")


def _malformed(message: str) -> RpcRefused:
    return RpcRefused(grpc.StatusCode.UNKNOWN, message)


def _error(message: str) -> QueryResult:
    return QueryResult(error=Error(content=message))
