# SPDX-License-Identifier: Apache-2.0
"""Signing elsewhere: no key is where the gateway is."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_fabric.client import Gateway, blocks
from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import P256Signer, low_s
from tests.unit.fabric.client.fakepeer import events_of
from tests.unit.fabric.wire import pki


@pytest.fixture
async def offline(user, channel):
    return Gateway(user.identity, channel)


@pytest.mark.complete(
    "client-signed-proposal", "client-signed-transaction", "client-signed-commit", "client-result"
)
async def test_a_whole_submit_with_every_signature_made_elsewhere(peer, user, offline):
    contract = offline.network("ped").contract("cc")
    unsigned = contract.new_proposal("Put", "k", endorsing_organizations=["OrgMSP"])
    proposal = offline.new_signed_proposal(unsigned.bytes, user.sign(unsigned.message))
    unsigned_transaction = await proposal.endorse()
    transaction = offline.new_signed_transaction(
        unsigned_transaction.bytes, user.sign(unsigned_transaction.message)
    )
    assert transaction.result == b"Put|k"
    unsigned_commit = await transaction.submit()
    assert not unsigned_commit.is_signed
    commit = offline.new_signed_commit(unsigned_commit.bytes, user.sign(unsigned_commit.message))
    status = await commit.status()
    assert status.successful
    assert status.transaction_id == unsigned.transaction_id == commit.transaction_id
    assert list(peer.requests[0].endorsing_organizations) == ["OrgMSP"]


@pytest.mark.complete("client-bytes")
async def test_what_is_stored_comes_back_with_its_signature(gateway, network):
    proposal = network.contract("cc").new_proposal("Get", "k").sign()
    assert await gateway.new_signed_proposal(proposal.bytes).evaluate() == b"Get|k"


@pytest.mark.complete("client-signed-proposal")
async def test_evaluate_with_a_signature_made_elsewhere(user, offline):
    unsigned = offline.network("ped").contract("cc").new_proposal("Get")
    proposal = offline.new_signed_proposal(unsigned.bytes, user.sign(unsigned.message))
    assert await proposal.evaluate() == b"Get"


@pytest.mark.complete("client-digest", "client-hash")
async def test_a_signer_of_digests_signs_the_digest(channel):
    key = ec.generate_private_key(ec.SECP256R1())
    issued = pki.root().issue(key=key)
    user = SigningIdentity("OrgMSP", issued.pem, P256Signer(key))
    offline = Gateway(user.identity, channel)
    unsigned = offline.network("ped").contract("cc").new_proposal("Get")
    assert unsigned.digest == hashlib.sha256(unsigned.message).digest()
    signature = key.sign(unsigned.digest, ec.ECDSA(Prehashed(SHA256())))
    signed = offline.new_signed_proposal(unsigned.bytes, low_s(signature, "secp256r1"))
    assert await signed.evaluate() == b"Get"


@pytest.mark.complete("client-sign")
async def test_without_a_key_nothing_is_sent_unsigned(peer, offline):
    network = offline.network("ped")
    contract = network.contract("cc")
    with pytest.raises(IdentityError, match="no key"):
        await contract.evaluate("Get")
    with pytest.raises(IdentityError):
        await contract.submit("Put")
    with pytest.raises(IdentityError):
        await network.commit("00").status()
    for stream in (network.chaincode_events("cc"), network.block_events()):
        with pytest.raises(IdentityError):
            await anext(stream)
    assert peer.requests == []


@pytest.mark.complete("client-signed-events", "client-signed-blocks")
async def test_event_requests_signed_elsewhere(peer, user, offline):
    peer.events = [events_of(1, "t1")]
    network = offline.network("ped")
    unsigned = network.new_chaincode_events_request("cc", start_block=0)
    request = offline.new_signed_chaincode_events_request(
        unsigned.bytes, user.sign(unsigned.message)
    )
    async with request.events() as events:
        assert (await anext(events)).transaction_id == "t1"
    wanted = network.new_block_events_request(blocks.FILTERED, start_block=1, stop_block=2)
    signed = offline.new_signed_block_events_request(
        blocks.FILTERED, wanted.bytes, user.sign(wanted.message)
    )
    assert [each.number async for each in signed.events()] == [1, 2]


@pytest.mark.parametrize("data", [b"\xff", b""])
async def test_what_is_not_what_bytes_gave_is_a_wire_error(gateway, data):
    for rehydrate in (gateway.new_signed_proposal, gateway.new_signed_transaction):
        with pytest.raises(WireError):
            rehydrate(data)
    with pytest.raises(WireError):
        gateway.new_signed_commit(b"\xff")
    with pytest.raises(WireError):
        gateway.new_signed_chaincode_events_request(b"\xff")
    with pytest.raises(WireError):
        gateway.new_signed_block_events_request(blocks.BLOCK, b"\xff")
