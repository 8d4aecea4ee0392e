# SPDX-License-Identifier: Apache-2.0
"""What the discovery service tells clients that plan endorsements themselves."""

from typing import Any

from fabric_protos.discovery.protocol_pb2 import (
    AuthInfo,
    ChaincodeQuery,
    ConfigQuery,
    LocalPeerQuery,
    PeerMembershipQuery,
    Query,
    Request,
    Response,
    SignedRequest,
)
from fabric_protos.discovery.protocol_pb2_grpc import DiscoveryStub
from fabric_protos.gossip.message_pb2 import GossipMessage
from fabric_protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest

from pedchain_fabric.wire.identity import Identity, SigningIdentity
from tests.parity.target import CHANNEL, Fact, Target, names, refusal


async def discover(target: Target, *queries: Query, who: SigningIdentity | None = None) -> Any:
    """The service's results. Peers ask no TLS certificate of clients here, so none is bound."""
    identity = who or target.identity("DSO", "admin")
    payload = Request(
        authentication=AuthInfo(client_identity=identity.creator), queries=queries
    ).SerializeToString()
    stub: Any = DiscoveryStub(target.peer("DSO"))
    answer: Response = await stub.Discover(
        SignedRequest(payload=payload, signature=identity.sign(payload))
    )
    return answer.results


async def _config(target: Target) -> Fact:
    (result,) = await discover(target, Query(channel=CHANNEL, config_query=ConfigQuery()))
    config = result.config_result
    return sorted(config.msps), {
        msp_id: len(each.endpoint) for msp_id, each in sorted(config.orderers.items())
    }


async def _peers(target: Target) -> Fact:
    (result,) = await discover(target, Query(channel=CHANNEL, peer_query=PeerMembershipQuery()))
    found = {}
    for msp_id, peers in sorted(result.members.peers_by_org.items()):
        for peer in peers.peers:
            state = GossipMessage.FromString(peer.state_info.payload).state_info.properties
            found[msp_id] = [
                Identity.from_creator(peer.identity).msp_id,
                sorted((each.name, each.version) for each in state.chaincodes),
            ]
    return found


async def _local_peers(target: Target) -> Fact:
    (result,) = await discover(target, Query(local_peers=LocalPeerQuery()))
    return sorted(result.members.peers_by_org)


def _interest(*calls: ChaincodeCall) -> Query:
    interest = ChaincodeInterest(chaincodes=calls)
    return Query(channel=CHANNEL, cc_query=ChaincodeQuery(interests=[interest]))


async def _endorsers(target: Target) -> Fact:
    """Layouts as sets of organisations, whatever the groups are called."""
    found = {}
    for name, calls in {
        "two of four": [ChaincodeCall(name="probe")],
        "both": [ChaincodeCall(name="twin")],
        "members": [ChaincodeCall(name="probe", collection_names=["pair"])],
        "writers": [ChaincodeCall(name="probe", collection_names=["pair"], no_private_reads=True)],
        "together": [ChaincodeCall(name="other"), ChaincodeCall(name="twin")],
        "lifecycle": [ChaincodeCall(name="_lifecycle")],
    }.items():
        (result,) = await discover(target, _interest(*calls))
        found[name] = [_layouts(each) for each in result.cc_query_res.content]
    return found


def _layouts(descriptor: Any) -> Fact:
    groups = {
        group: sorted(Identity.from_creator(peer.identity).msp_id for peer in peers.peers)
        for group, peers in descriptor.endorsers_by_groups.items()
    }
    return descriptor.chaincode, sorted(
        sorted((groups[group], quantity) for group, quantity in each.quantities_by_group.items())
        for each in descriptor.layouts
    )


async def _refused(target: Target) -> Fact:
    nothing = ChaincodeQuery(interests=[])
    results = await discover(
        target,
        Query(channel="nope", config_query=ConfigQuery()),
        Query(channel=CHANNEL),
        Query(channel=CHANNEL, cc_query=nothing),
        Query(local_peers=LocalPeerQuery()),
        who=target.identity("DSO"),
    )
    return [result.error.content for result in results]


async def _for_stranger(target: Target) -> Fact:
    query = Query(channel=CHANNEL, config_query=ConfigQuery())
    (result,) = await discover(target, query, who=target.stranger())
    return result.error.content


async def _without_identity(target: Target) -> Fact:
    stub: Any = DiscoveryStub(target.peer("DSO"))
    request = Request(authentication=AuthInfo()).SerializeToString()
    return await refusal(stub.Discover(SignedRequest(payload=request)))


PROBES = names(
    [_config, _peers, _local_peers, _endorsers, _refused, _for_stranger, _without_identity]
)
