# SPDX-License-Identifier: Apache-2.0
"""Every request of the embedded network without each of its parts, at any depth and signed anew:
an answer or a refusal, never an exception nobody meant, and never an end."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.discovery.protocol_pb2 import (
    AuthInfo,
    ConfigQuery,
    PeerMembershipQuery,
    Query,
    Request,
    SignedRequest,
)
from fabric_protos.gateway.gateway_pb2 import EndorseRequest, EndorseResponse, SubmitRequest
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekNewest, SeekPosition
from fabric_protos.peer.transaction_pb2 import Transaction
from google.protobuf.message import Message

from pedchain_fabric.client import profile
from pedchain_fabric.wire.identity import SigningIdentity
from tests.parity.target import CHANNEL, Target, envelope, proposal
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.lacking import lacking, signed
from tests.scenarios.test_fuzz import ORDERER, PEER, Raw, parts, valid

AT_ONCE = 40
FEWEST = 8
LOST = re.compile("Socket|Connection|RST_STREAM|GOAWAY|Stream removed")
_DELIVER_SEEK_INFO = 5


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The embedded network with a small contract, up."""
    with make_network("embedded", tmp_path_factory.mktemp("lacking"), NOTES) as made:
        made.run("up")
        yield made


async def whole(target: Target, method: str) -> Message:
    """A request the service takes, whose parts are all there."""
    who, name = target.identity("DSO"), method.rpartition("/")[2]
    if name in ("Submit", "Broadcast"):
        transaction = await _endorsed(target, who)
        if name == "Broadcast":
            return transaction
        request = SubmitRequest(channel_id=CHANNEL, prepared_transaction=transaction)
        request.transaction_id = "t"
        return request
    if name == "Discover":
        asked = Request(authentication=AuthInfo(client_identity=who.creator))
        asked.queries.append(Query(channel=CHANNEL, config_query=ConfigQuery()))
        asked.queries.append(Query(channel=CHANNEL, peer_query=PeerMembershipQuery()))
        payload = asked.SerializeToString()
        return SignedRequest(payload=payload, signature=who.sign(payload))
    if name.startswith("Deliver"):
        newest = SeekPosition(newest=SeekNewest())
        return envelope(who, SeekInfo(start=newest, stop=newest), _DELIVER_SEEK_INFO)
    return valid(target, method)


async def _endorsed(target: Target, who: SigningIdentity) -> Envelope:
    made, asked = proposal(who, "registry", "Put", "k", "v")
    request = EndorseRequest(
        transaction_id=made.transaction_id, channel_id=CHANNEL, proposed_transaction=asked
    )
    answer: EndorseResponse = await target.gateway().Endorse(request)
    found = answer.prepared_transaction
    found.signature = who.sign(found.payload)
    return found


@pytest.mark.parametrize("method", [*PEER, *ORDERER])
async def test_no_request_that_lacks_a_part_ends_a_node(network: Network, method: str) -> None:
    before = parts(network)
    data = SeekInfo if "Deliver" in method else Transaction
    async with Target(network.state / "profiles") as target:
        raw = Raw(target.orderer("DSO") if method in ORDERER else target.peer("DSO"))
        message = await whole(target, method)
        who = target.identity("DSO")
        broken = [signed(each, who).SerializeToString() for each in lacking(message, data)]
        said: list[str] = []
        for start in range(0, len(broken), AT_ONCE):
            some = broken[start : start + AT_ONCE]
            said += await asyncio.gather(*(raw.send(method, each) for each in some))
    assert len(said) >= FEWEST
    assert not [text for text in said if "Unexpected" in text], "an exception nobody meant"
    assert not [text for text in said if text.startswith("UNIMPLEMENTED") or LOST.search(text)]
    assert parts(network) == before
    async with await profile.connect(network.profile("DSO")) as gateway:
        await gateway.network(CHANNEL).contract("registry").submit("Put", "after", method)
