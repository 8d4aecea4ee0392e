# SPDX-License-Identifier: Apache-2.0
"""What Go's shim offers and no peer without CouchDB or decorators shows: each on a scripted one."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    GetQueryResult,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryResultBytes,
)
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.shim import Context, Contract, KeyValue, Page, Results, Stub, StubError, submit
from pedchain_fabric.shim.clientidentity import ClientIdentity
from pedchain_fabric.shim.keypolicy import all_of, organizations, roles
from pedchain_fabric.shim.testing import creator

M = ChaincodeMessage
Use = Callable[[Stub], Awaitable[object]]


class Borrowed(Contract):
    """Hands its stub to the test."""

    name = "borrowed"

    def __init__(self, use: Use) -> None:
        super().__init__()
        self._use = use
        self.got: object = None

    @submit
    async def lend(self, ctx: Context) -> bytes:
        self.got = await self._use(ctx.stub)
        return b"done"


async def _stub(scripted: Any) -> Stub:
    """A stub whose transaction is over."""

    async def itself(stub: Stub) -> Stub:
        return stub

    contract = Borrowed(itself)
    peer = scripted(contract)
    peer.call("Lend")
    await peer.response()
    assert isinstance(contract.got, Stub)
    return contract.got


def _results(*keys: str, bookmark: str = "") -> bytes:
    items = [QueryResultBytes(resultBytes=KV(key=k, value=b"v").SerializeToString()) for k in keys]
    metadata = QueryResponseMetadata(fetched_records_count=len(keys), bookmark=bookmark)
    return QueryResponse(results=items, metadata=metadata.SerializeToString()).SerializeToString()


@pytest.mark.complete("shim-GetDecorations", "shim-GetSignedProposal")
async def test_decorations_and_the_signed_proposal_come_as_the_peer_sent_them(
    scripted: Any,
) -> None:
    async def look(stub: Stub) -> object:
        return dict(stub.decorations), stub.signed_proposal

    contract = Borrowed(look)
    peer = scripted(contract)
    call = ChaincodeInput(args=[b"Lend"], decorations={"d": b"\xff"})
    proposal = SignedProposal(proposal_bytes=b"p", signature=b"s")
    peer.connection.receive(
        M(
            type=M.TRANSACTION,
            payload=call.SerializeToString(),
            txid="tx",
            channel_id="ped",
            proposal=proposal,
        )
    )
    assert (await peer.response()).payload == b"done"
    assert contract.got == ({"d": b"\xff"}, proposal)


async def _ask(scripted: Any, use: Use, answer: bytes) -> tuple[ChaincodeMessage, object]:
    """What one call of the stub sends, and what it makes of the answer."""
    contract = Borrowed(use)
    peer = scripted(contract)
    peer.call("Lend")
    sent = await peer.hear(1)
    peer.say(M.RESPONSE, answer)
    assert (await peer.response(2)).payload == b"done"
    return sent, contract.got


RICH: dict[str, tuple[str, Callable[[Stub], Results[KeyValue]]]] = {
    "public": ("", lambda stub: stub.query("{}")),
    "private": ("c", lambda stub: stub.private_query("c", "{}")),
}


@pytest.mark.complete("shim-GetQueryResult", "shim-GetPrivateDataQueryResult")
@pytest.mark.parametrize(("collection", "query"), RICH.values(), ids=RICH)
async def test_a_rich_query_is_the_peers_to_answer(
    scripted: Any, collection: str, query: Callable[[Stub], Results[KeyValue]]
) -> None:
    async def all_of_it(stub: Stub) -> object:
        return await query(stub).all()

    sent, got = await _ask(scripted, all_of_it, _results("a", "b"))
    assert sent.type == M.GET_QUERY_RESULT
    asked = GetQueryResult.FromString(sent.payload)
    assert (asked.query, asked.collection, asked.metadata) == ("{}", collection, b"")
    assert got == [KeyValue("a", b"v"), KeyValue("b", b"v")]


@pytest.mark.complete("shim-GetQueryResultWithPagination")
async def test_a_page_of_a_rich_query_has_couchdbs_bookmark(scripted: Any) -> None:
    async def page(stub: Stub) -> object:
        return await stub.query_page("{}", 2, "from here")

    sent, got = await _ask(scripted, page, _results("a", "b", bookmark="go on"))
    asked = QueryMetadata.FromString(GetQueryResult.FromString(sent.payload).metadata)
    assert (asked.pageSize, asked.bookmark) == (2, "from here")
    assert got == Page((KeyValue("a", b"v"), KeyValue("b", b"v")), "go on")


@pytest.mark.complete("shim-InvokeChaincode")
@pytest.mark.parametrize(("channel", "name"), [("", "other"), ("else", "other/else")])
async def test_a_call_names_chaincode_and_channel_and_gives_the_payload(
    scripted: Any, channel: str, name: str
) -> None:
    async def invoke(stub: Stub) -> object:
        return await stub.invoke_chaincode("other", "Get", b"\xff", channel=channel)

    response = Response(status=201, message="made", payload=b"answer")
    answer = M(type=M.COMPLETED, payload=response.SerializeToString()).SerializeToString()
    sent, got = await _ask(scripted, invoke, answer)
    spec = ChaincodeSpec.FromString(sent.payload)
    assert (sent.type, spec.chaincode_id.name) == (M.INVOKE_CHAINCODE, name)
    assert list(spec.input.args) == [b"Get", b"\xff"]
    assert got == b"answer"


PRIVATE: dict[str, Use] = {
    "get": lambda stub: stub.get_private("", "k"),
    "get many": lambda stub: stub.get_privates("", ["k"]),
    "hash": lambda stub: stub.get_private_hash("", "k"),
    "put": lambda stub: stub.put_private("", "k", b"1"),
    "delete": lambda stub: stub.del_private("", "k"),
    "purge": lambda stub: stub.purge_private("", "k"),
    "range": lambda stub: stub.private_range("").all(),
    "composite": lambda stub: stub.private_partial_composite("", "t").all(),
    "query": lambda stub: stub.private_query("", "{}").all(),
}


@pytest.mark.complete(
    "shim-GetPrivateData",
    "shim-GetMultiplePrivateData",
    "shim-GetPrivateDataHash",
    "shim-PutPrivateData",
    "shim-DelPrivateData",
    "shim-PurgePrivateData",
    "shim-GetPrivateDataByRange",
    "shim-GetPrivateDataByPartialCompositeKey",
    "shim-GetPrivateDataQueryResult",
)
@pytest.mark.parametrize("use", PRIVATE.values(), ids=PRIVATE)
async def test_private_data_is_never_asked_for_without_a_collection(
    scripted: Any, use: Use
) -> None:
    async def refused(stub: Stub) -> object:
        with pytest.raises(StubError, match="collection must not be an empty string"):
            await use(stub)
        return None

    peer = scripted(Borrowed(refused))
    peer.call("Lend")
    assert (await peer.response()).payload == b"done"


@pytest.mark.complete("shim-GetArgs", "shim-GetStringArgs", "shim-GetArgsSlice")
async def test_arguments_are_bytes_to_be_read_as_one_likes(scripted: Any) -> None:
    args = (await _stub(scripted)).args
    assert args == (b"Lend",)
    assert [part.decode() for part in args] == ["Lend"]
    assert b"".join(args) == b"Lend"


@pytest.mark.complete("shim-SplitCompositeKey", "shim-CreateCompositeKey")
async def test_what_is_no_composite_key_is_not_split(scripted: Any) -> None:
    stub = await _stub(scripted)
    key = stub.create_composite_key("", ["", "a"])
    assert stub.split_composite_key(key) == ("", ("", "a"))
    for wrong in ("", "a", "\0", "\0a", "a\0"):
        with pytest.raises(StubError, match="not a composite key"):
            stub.split_composite_key(wrong)


def _roles(policy: bytes) -> list[tuple[str, int]]:
    identities = SignaturePolicyEnvelope.FromString(policy).identities
    found = [MSPRole.FromString(each.principal) for each in identities]
    return [(each.msp_identifier, each.role) for each in found]


@pytest.mark.complete("statebased-AddOrgs", "statebased-Policy")
def test_a_key_policy_asks_for_all_in_the_role_named() -> None:
    assert _roles(all_of(["B", "A"])) == [("A", MSPRole.PEER), ("B", MSPRole.PEER)]
    assert _roles(all_of(["A"], MSPRole.MEMBER)) == [("A", MSPRole.MEMBER)]
    rule = SignaturePolicyEnvelope.FromString(all_of(["B", "A", "C"])).rule.n_out_of
    assert rule.n == 3
    assert [each.signed_by for each in rule.rules] == [0, 1, 2]


@pytest.mark.complete("statebased-NewStateEP", "statebased-AddOrgs", "statebased-DelOrgs")
def test_organisations_are_added_to_and_taken_from_a_policy_that_is_there() -> None:
    there = all_of(["A", "B"])
    more = all_of(roles(there) | dict.fromkeys(["C", "A"], MSPRole.MEMBER))
    assert roles(more) == {"A": MSPRole.MEMBER, "B": MSPRole.PEER, "C": MSPRole.MEMBER}
    less = all_of({name: role for name, role in roles(more).items() if name != "A"})
    assert _roles(less) == [("B", MSPRole.PEER), ("C", MSPRole.MEMBER)]
    assert organizations(b"") == organizations(all_of([])) == ()


@pytest.mark.complete("statebased-NewStateEP", "statebased-ListOrgs")
def test_of_an_organisation_named_twice_the_last_role_counts_and_other_principals_do_not() -> None:
    policy = SignaturePolicyEnvelope.FromString(all_of({"B": MSPRole.PEER, "A": MSPRole.ADMIN}))
    policy.identities.append(policy.identities[1])
    policy.identities[2].principal = MSPRole(
        msp_identifier="A", role=MSPRole.PEER
    ).SerializeToString()
    policy.identities.add(principal_classification=MSPPrincipal.IDENTITY, principal=b"somebody")
    named = policy.SerializeToString()
    assert roles(named) == {"A": MSPRole.PEER, "B": MSPRole.PEER}
    assert organizations(named) == ("A", "B")


@pytest.mark.complete("statebased-AddOrgs")
def test_roles_other_than_member_and_peer_are_refused() -> None:
    with pytest.raises(ValueError, match="members or peers"):
        all_of(["A"], MSPRole.ADMIN)


@pytest.mark.complete("cid-AssertAttributeValue", "cid-HasOUValue", "cid-GetX509Certificate")
def test_attributes_units_and_certificate_are_there_to_be_compared() -> None:
    client = ClientIdentity(creator("AMSP", "ann", ous=("client",), attributes={"role": "op"}))
    assert client.attributes.get("role") == "op"
    assert client.attributes.get("else") is None
    assert "client" in client.ous
    assert "admin" not in client.ous
    assert "CN=ann" in client.certificate.subject.rfc4514_string()
