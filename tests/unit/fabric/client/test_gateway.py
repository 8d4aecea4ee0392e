# SPDX-License-Identifier: Apache-2.0
"""What the official Go client offers around its calls: channels, options, keys, messages kept."""

import asyncio
import hashlib
import math
from collections.abc import Callable

import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from pedchain_fabric.client import Deadlines, Gateway, blocks
from pedchain_fabric.errors import CommitStatusError, EndorseError, GatewayError, SubmitError
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import EcdsaSigner, Ed25519Signer
from tests.unit.fabric.client.fakepeer import FakePeer, events_of, refusal, serving
from tests.unit.fabric.wire import pki

KINDS = {
    "whole": blocks.BLOCK,
    "filtered": blocks.FILTERED,
    "private": blocks.WITH_PRIVATE_DATA,
}


@pytest.mark.complete("client-connection", "client-connect")
async def test_a_channel_serves_many_gateways_and_outlives_them(user, channel):
    other = pki.root().member("ElseMSP", "client")
    async with Gateway(user, channel) as one, Gateway(other, channel) as two:
        for gateway in (one, two):
            assert await gateway.network("ped").contract("cc").evaluate("Get") == b"Get"
    assert await Gateway(user, channel).network("ped").contract("cc").evaluate("Get") == b"Get"


@pytest.mark.complete("client-identity", "client-names")
async def test_a_gateway_and_all_it_makes_say_what_they_are_for(user, gateway):
    assert gateway.identity is user
    network = gateway.network("ped")
    contract = network.contract("cc", "lab")
    assert (network.name, contract.chaincode, contract.name) == ("ped", "cc", "lab")
    assert network.contract("cc").name is None


@pytest.mark.complete("client-close")
async def test_closing_ends_streams_where_the_gateway_owns_its_channel(user, peer):
    async with serving(peer) as address:
        shared = grpc.aio.insecure_channel(address)
        lent, owner = Gateway(user, shared), Gateway(user, shared, owns_channel=True)
        listening = asyncio.create_task(anext(lent.network("ped").chaincode_events("cc")))
        await peer.arrived()
        await lent.close()
        assert await lent.network("ped").contract("cc").evaluate("Get") == b"Get"
        assert not listening.done()
        await owner.close()
        with pytest.raises(GatewayError):
            await listening


async def _tagged(proceed, details, request):
    """The call with metadata added, waiting until the peer is there."""
    tagged = grpc.aio.ClientCallDetails(
        details.method, details.timeout, (("x-tag", "t"),), details.credentials, True
    )
    return await proceed(tagged, request)


class TagCalls(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation, client_call_details, request):
        return await _tagged(continuation, client_call_details, request)


class TagEvents(grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation, client_call_details, request):
        return await _tagged(continuation, client_call_details, request)


class TagBlocks(grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation, client_call_details, request_iterator):
        return await _tagged(continuation, client_call_details, request_iterator)


class Listening(FakePeer):
    """Keeps the metadata of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, object] = {}

    async def _begin(self, name, request, context) -> None:
        self.tags[name] = dict(context.invocation_metadata()).get("x-tag")
        await super()._begin(name, request, context)


@pytest.mark.complete("client-call-options")
async def test_options_of_every_call_are_set_by_an_interceptor_of_the_callers_channel(user):
    peer = Listening()
    peer.events = [events_of(1, "t1")]
    tagging = [TagCalls(), TagEvents(), TagBlocks()]
    async with (
        serving(peer) as address,
        grpc.aio.insecure_channel(address, interceptors=tagging) as channel,
    ):
        network = Gateway(user, channel).network("ped")
        await network.contract("cc").evaluate("Get")
        await network.contract("cc").submit("Put")
        async with network.chaincode_events("cc") as events:
            await anext(events)
        for stream in (
            network.block_events(start_block=1, stop_block=1),
            network.filtered_block_events(start_block=1, stop_block=1),
            network.block_and_private_data_events(start_block=1, stop_block=1),
        ):
            assert len([each async for each in stream]) == 1
    assert len(peer.tags) == 8
    assert set(peer.tags.values()) == {"t"}


class Slow(FakePeer):
    """Never answers the calls named."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.slow = names

    async def _begin(self, name, request, context) -> None:
        await super()._begin(name, request, context)
        if name in self.slow:
            await self.hold.wait()


STEPS = {
    "Evaluate": (GatewayError, lambda proposal, late: proposal.evaluate(**late)),
    "Endorse": (EndorseError, lambda proposal, late: proposal.endorse(**late)),
    "Submit": (SubmitError, lambda proposal, late: _submit(proposal, late)),
    "CommitStatus": (CommitStatusError, lambda proposal, late: _status(proposal, late)),
}


async def _submit(proposal, late):
    return await (await proposal.endorse()).submit(**late)


async def _status(proposal, late):
    return await (await (await proposal.endorse()).submit()).status(**late)


@pytest.mark.complete("client-call-deadline", "client-deadlines")
@pytest.mark.parametrize("by_default", [True, False])
@pytest.mark.parametrize("name", STEPS)
async def test_every_step_ends_at_its_own_deadline_or_the_gateways(user, name, by_default):
    kind, step = STEPS[name]
    fields = {"Evaluate": "evaluate", "Endorse": "endorse", "Submit": "submit"}
    default = Deadlines(**{fields.get(name, "commit_status"): 0.05}) if by_default else None
    async with serving(Slow(name)) as address, grpc.aio.insecure_channel(address) as channel:
        proposal = Gateway(user, channel, default).network("ped").contract("cc").new_proposal("Put")
        with pytest.raises(kind) as caught:
            await step(proposal, {} if by_default else {"deadline": 0.05})
    assert type(caught.value) is kind
    assert caught.value.code == "DEADLINE_EXCEEDED"


WHOLE = {
    "evaluate": (GatewayError, "Evaluate"),
    "submit": (EndorseError, "Endorse"),
    "submit_async": (SubmitError, "Submit"),
}


@pytest.mark.complete("client-call-deadline")
@pytest.mark.parametrize("call", WHOLE)
async def test_a_whole_calls_deadline_ends_whichever_step_is_under_way(user, call):
    kind, slow = WHOLE[call]
    async with serving(Slow(slow)) as address, grpc.aio.insecure_channel(address) as channel:
        contract = Gateway(user, channel).network("ped").contract("cc")
        with pytest.raises(kind) as caught:
            await getattr(contract, call)("Put", deadline=0.2)
    assert type(caught.value) is kind
    assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.complete("client-call-deadline")
async def test_a_whole_calls_deadline_is_not_begun_anew_with_each_step(user):
    slow = Slow("CommitStatus")
    async with serving(slow) as address, grpc.aio.insecure_channel(address) as channel:
        contract = Gateway(user, channel).network("ped").contract("cc")
        with pytest.raises(CommitStatusError) as caught:
            await contract.submit("Put", deadline=0.3)
    assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.complete("client-no-deadline")
async def test_without_end_a_call_waits_as_long_as_it_takes(user, channel):
    early = Deadlines(evaluate=0.0, endorse=0.0, submit=0.0, commit_status=0.0)
    contract = Gateway(user, channel, early).network("ped").contract("cc")
    assert await contract.evaluate("Get", "k", deadline=math.inf) == b"Get|k"
    assert await contract.submit("Put", "k", deadline=math.inf) == b"Put|k"


@pytest.mark.complete("client-error-cause")
async def test_grpcs_own_error_is_the_cause_of_ours(peer, network):
    peer.fail["Endorse"] = refusal(grpc.StatusCode.UNAVAILABLE, "gone")
    with pytest.raises(EndorseError) as caught:
        await network.contract("cc").submit("Put")
    assert isinstance(caught.value.__cause__, grpc.aio.AioRpcError)
    assert caught.value.__cause__.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.complete("client-digest")
async def test_the_digest_of_every_message_is_its_sha_256(network):
    proposal = network.contract("cc").new_proposal("Put")
    transaction = await proposal.endorse()
    requests = [network.new_block_events_request(kind) for kind in KINDS.values()]
    events = network.new_chaincode_events_request("cc")
    for each in (proposal, transaction, transaction.commit, events, *requests):
        assert each.digest == hashlib.sha256(each.message).digest()


@pytest.mark.complete(
    "client-new-proposal", "client-new-transaction", "client-new-commit", "client-transaction-id"
)
async def test_what_was_kept_unsigned_is_signed_when_it_goes_on(gateway, network):
    kept = network.contract("cc").new_proposal("Put", "k")
    proposal = gateway.new_signed_proposal(kept.bytes)
    assert not proposal.is_signed
    transaction = gateway.new_signed_transaction((await proposal.endorse()).bytes)
    assert not transaction.is_signed
    assert transaction.result == b"Put|k"
    await transaction.submit()
    commit = gateway.new_signed_commit(network.commit(transaction.transaction_id).bytes)
    assert not commit.is_signed
    status = await commit.status()
    ids = {each.transaction_id for each in (kept, proposal, transaction, commit, status)}
    assert ids == {kept.transaction_id}


@pytest.mark.complete("client-new-events")
async def test_a_request_for_events_kept_unsigned_is_signed_when_it_goes_on(peer, gateway, network):
    peer.events = [events_of(1, "t1")]
    kept = network.new_chaincode_events_request("cc", start_block=1).bytes
    request = gateway.new_signed_chaincode_events_request(kept)
    assert not request.is_signed
    async with request.events() as events:
        assert (await anext(events)).transaction_id == "t1"


@pytest.mark.complete("client-new-blocks", "client-signed-blocks")
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_a_request_for_blocks_of_each_kind_is_kept_with_or_without_signature(
    user, gateway, network, kind, signed
):
    kept = network.new_block_events_request(kind, start_block=1, stop_block=2)
    signature = user.sign(kept.message) if signed else b""
    request = gateway.new_signed_block_events_request(kind, kept.bytes, signature)
    assert request.is_signed is signed
    assert len([each async for each in request.events()]) == 2


def _ecdsa(curve: ec.EllipticCurve) -> Callable[[], SigningIdentity]:
    def make() -> SigningIdentity:
        key = ec.generate_private_key(curve)
        return SigningIdentity("OrgMSP", pki.root().issue(key=key).pem, EcdsaSigner(key))

    return make


def _ed25519() -> SigningIdentity:
    key = ed25519.Ed25519PrivateKey.generate()
    return SigningIdentity("OrgMSP", pki.root().issue(key=key).pem, Ed25519Signer(key))


KEYS = {
    "P-224": _ecdsa(ec.SECP224R1()),
    "P-256": _ecdsa(ec.SECP256R1()),
    "P-384": _ecdsa(ec.SECP384R1()),
    "P-521": _ecdsa(ec.SECP521R1()),
    "Ed25519": _ed25519,
}


@pytest.mark.complete("client-sign-ecdsa", "client-sign-ed25519")
@pytest.mark.parametrize("make", KEYS.values(), ids=KEYS)
async def test_keys_of_every_kind_fabric_knows_sign_every_step(peer, channel, make):
    # The peer verifies with the certificate's key, as Fabric does.
    network = Gateway(make(), channel).network("ped")
    assert await network.contract("cc").submit("Put", "k") == b"Put|k"
    peer.events = [events_of(1, "t1")]
    async with network.chaincode_events("cc") as events:
        assert (await anext(events)).transaction_id == "t1"
