# SPDX-License-Identifier: Apache-2.0
"""What a transaction reads, writes, calls and knows by the stub, with peers of all abilities."""

import hashlib
import json

import pytest

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.keypolicy import all_of, organizations
from pedchain_fabric.shim.testing import MemoryPeer, TransactionFailed, creator
from tests.unit.fabric.shim.book import ABILITIES, installed


@pytest.fixture(params=ABILITIES)
def peer(request: pytest.FixtureRequest) -> MemoryPeer:
    return installed(request.param)


@pytest.mark.complete("shim-GetState", "shim-PutState", "shim-DelState")
async def test_values_are_put_read_and_deleted(peer: MemoryPeer) -> None:
    await peer.submit("book", "Put", "k", b"\xff\x00")
    assert await peer.evaluate("book", "Get", "k") == b"\xff\x00"
    await peer.submit("book", "Delete", "k")
    assert await peer.evaluate("book", "Get", "k") == b"nothing"
    await peer.submit("book", "Put", "k", b"")
    assert peer.state("book") == {}


@pytest.mark.complete("shim-GetState")
async def test_a_transaction_does_not_see_its_own_writes(peer: MemoryPeer) -> None:
    assert await peer.submit("book", "ReadOwnWrite", "k") == b"nothing"
    assert await peer.submit("book", "ReadOwnWrite", "k") == b"new"


@pytest.mark.complete("shim-GetMultipleStates")
async def test_many_keys_are_read_in_their_order_in_chunks(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutMany", "k", "250")
    keys = [f"k{number:04}" for number in range(249, -1, -1)] + ["missing"]
    answer = json.loads(await peer.evaluate("book", "GetMany", json.dumps(keys)))
    assert answer == [str(number) for number in range(249, -1, -1)] + [None]
    assert await peer.evaluate("book", "GetMany", "[]") == b"[]"


@pytest.mark.complete(
    "shim-GetPrivateData",
    "shim-GetMultiplePrivateData",
    "shim-GetPrivateDataHash",
    "shim-PutPrivateData",
    "shim-DelPrivateData",
    "shim-PurgePrivateData",
)
async def test_private_data_is_kept_hashed_deleted_and_purged(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutPrivate", "k", transient={"value": b"secret"})
    digest = hashlib.sha256(b"secret").hexdigest()
    assert json.loads(await peer.evaluate("book", "Private", "k")) == ["secret", digest]
    assert peer.last is not None
    assert b"secret" not in peer.last.results
    assert json.loads(await peer.evaluate("book", "PrivateKeys")) == [["k"], 0]
    await peer.submit("book", "PurgePrivate", "k")
    assert peer.last.namespaces[0].collections[0].writes[0].is_purge
    assert json.loads(await peer.evaluate("book", "Private", "k")) == [None, None]
    await peer.submit("book", "PutPrivate", "k", transient={"value": b"secret"})
    await peer.submit("book", "DelPrivate", "k")
    assert peer.private("book", "c") == {}


@pytest.mark.complete("shim-SetStateValidationParameter", "shim-GetStateValidationParameter")
async def test_key_policies_need_a_value_and_die_with_it(peer: MemoryPeer) -> None:
    await peer.submit("book", "SetPolicy", "k", "", "AMSP")
    assert await peer.evaluate("book", "Policy", "k", "") == b"none"
    await peer.submit("book", "Put", "k", b"1")
    await peer.submit("book", "SetPolicy", "k", "", "AMSP")
    await peer.submit("book", "Put", "k", b"2")
    assert await peer.evaluate("book", "Policy", "k", "") == b"AMSP"
    await peer.submit("book", "Delete", "k")
    await peer.submit("book", "Put", "k", b"3")
    assert await peer.evaluate("book", "Policy", "k", "") == b"none"


@pytest.mark.complete(
    "shim-SetPrivateDataValidationParameter", "shim-GetPrivateDataValidationParameter"
)
async def test_private_keys_have_policies_too(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutPrivate", "k", transient={"value": b"1"})
    await peer.submit("book", "SetPolicy", "k", "c", "BMSP")
    assert await peer.evaluate("book", "Policy", "k", "c") == b"BMSP"


@pytest.mark.complete("statebased-ListOrgs", "statebased-Policy")
def test_a_key_policy_names_its_organisations_in_order() -> None:
    assert organizations(all_of(["BMSP", "AMSP", "BMSP"])) == ("AMSP", "BMSP")
    with pytest.raises(WireError):
        organizations(b"\xff\xff")


@pytest.mark.complete("shim-StartWriteBatch")
async def test_a_batch_writes_what_single_writes_would(peer: MemoryPeer) -> None:
    await peer.submit("book", "Batch")
    assert peer.state("book") == {"a": b"2", "single": b"1"}
    assert peer.private("book", "c") == {"a": b"2"}
    assert await peer.evaluate("book", "Policy", "a", "") == b"XMSP"


@pytest.mark.complete("shim-StartWriteBatch", "shim-FinishWriteBatch")
async def test_a_batch_is_one_message_where_the_peer_takes_it() -> None:
    peer = installed(Abilities(100, 0))
    await peer.submit("book", "Batch")
    assert peer.sent("book")[1:] == ["WRITE_BATCH_STATE", "PUT_STATE", "COMPLETED"]
    await peer.submit("book", "PutMany", "k", "201")
    assert peer.sent("book")[4:] == ["WRITE_BATCH_STATE"] * 3 + ["COMPLETED"]


@pytest.mark.complete("shim-SetEvent")
async def test_the_last_event_counts_and_only_if_committed(peer: MemoryPeer) -> None:
    await peer.submit("book", "Event", "Issued")
    await peer.evaluate("book", "Event", "Evaluated")
    with pytest.raises(TransactionFailed, match="event name"):
        await peer.submit("book", "Event", "")
    assert peer.events == [("book", "Issued", b"1")]


@pytest.mark.complete("shim-InvokeChaincode")
async def test_a_called_chaincode_writes_its_own_state_for_the_same_client(
    peer: MemoryPeer,
) -> None:
    answer = await peer.submit("book", "CallOther", "other", "Keep", "k", creator=creator("XMSP"))
    assert answer == b"XMSP"
    assert (peer.state("book"), peer.state("other")) == ({"caller": b"1"}, {"k": b"value"})
    assert peer.events == []  # the called chaincode's event does not count


async def test_a_chaincode_can_be_called_again_once_it_has_answered(peer: MemoryPeer) -> None:
    await peer.submit("book", "CallTwice", "other")
    assert peer.state("other") == {"k1": b"1", "k2": b"2"}


@pytest.mark.complete("shim-InvokeChaincode")
async def test_a_called_chaincodes_refusal_raises_with_its_status(peer: MemoryPeer) -> None:
    assert await peer.evaluate("book", "CatchOther", "other", "") == b"500 refused"
    assert await peer.evaluate("book", "CatchOther", "other", "ped") == b"500 refused"
    missing = await peer.evaluate("book", "CatchOther", "missing", "")
    assert missing == b"peer: chaincode missing not found"
    with pytest.raises(TransactionFailed, match="unknown-transaction"):
        await peer.submit("book", "CallOther", "other", "Nope", "k")


@pytest.mark.complete("shim-InvokeChaincode")
async def test_a_package_cannot_be_called_twice_within_a_transaction(peer: MemoryPeer) -> None:
    assert b"exists" in await peer.evaluate("book", "CatchOther", "book", "")


@pytest.mark.complete(
    "shim-GetArgs",
    "shim-GetTxID",
    "shim-GetChannelID",
    "shim-GetTransient",
    "shim-GetBinding",
    "shim-GetTxTimestamp",
    "shim-GetCreator",
)
async def test_the_transaction_is_described(peer: MemoryPeer) -> None:
    answer = await peer.evaluate(
        "book", "book:Transaction", transient={"a": b"b"}, creator=creator("XMSP")
    )
    described = json.loads(answer)
    assert peer.last is not None
    nonce, client = (1).to_bytes(24), creator("XMSP")
    assert described == {
        "id": hashlib.sha256(nonce + client).hexdigest(),
        "channel": "ped",
        "time": [peer.now, peer.now * 10**9],
        "args": ["book:Transaction"],
        "transient": {"a": "b"},
        "binding": hashlib.sha256(nonce + client + bytes(8)).hexdigest(),
        "decorations": {},
        "signed": True,
        "init": False,
        "msp": "XMSP",
    }


@pytest.mark.complete("shim-Chaincode-Invoke")
async def test_a_query_cannot_write(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed, match="declared @evaluate does not write"):
        await peer.submit("book", "Write")


async def test_concurrent_calls_of_a_transaction_are_all_made(peer: MemoryPeer) -> None:
    assert await peer.submit("book", "Concurrent", "50") == b"100"
    assert len(peer.state("book")) == 50


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("Put", ["", "v"]),
        ("Get", [""]),
        ("Delete", [""]),
        ("History", [""]),
        ("PurgePrivate", [""]),
        ("SetPolicy", ["", "c", "AMSP"]),
    ],
)
@pytest.mark.complete("shim-GetState", "shim-PutState", "shim-DelState")
async def test_an_empty_key_is_refused(peer: MemoryPeer, function: str, args: list[str]) -> None:
    with pytest.raises(TransactionFailed, match="key must not be an empty string"):
        await peer.submit("book", function, *args)
