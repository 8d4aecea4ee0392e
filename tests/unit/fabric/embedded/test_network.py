# SPDX-License-Identifier: Apache-2.0
"""A network as its clients see it: what tests/parity, which asks for refusals, does not show."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.embedded.config import parse
from pedchain_fabric.embedded.ledger import Ledger
from pedchain_fabric.embedded.node import Network
from pedchain_fabric.errors import AdminError
from pedchain_network.bringup.joining import join_orderers
from tests.parity import chaincode
from tests.parity.chaincode import Call, Stream
from tests.parity.config_probes import ALL, _batch_update, _config, _signed
from tests.parity.target import CHANNEL
from tests.parity.transacting import endorse
from tests.unit.fabric.embedded import town as towns
from tests.unit.fabric.embedded.town import ANY, ORGANIZATIONS, Town, evaluate, until

M = ChaincodeMessage


async def test_a_transaction_is_committed_at_all_peers(shared: Town) -> None:
    assert await shared.submit("put", "a", "1") == "VALID"
    for organization in ORGANIZATIONS:
        answer = await shared.ask("get", "a", organization=organization)
        assert (answer.status, answer.payload) == (200, b"1")


async def test_a_chaincode_that_must_be_initialised_is_so_exactly_once(shared: Town) -> None:
    refused = await shared.ask("get", "a", chaincode="begun")
    assert refused.message.endswith(
        "chaincode 'begun' has not been initialized for this version, must call as init first"
    )
    private = await shared.ask("get-private", "pair", "k", chaincode="begun", is_init=True)
    assert "private data APIs are not allowed in chaincode Init()" in private.message
    assert (await shared.ask("put", "a", "1", chaincode="begun", is_init=True)).status == 200
    other = await shared.ask("put", "a", "1", is_init=True)
    assert "does not require initialization but called as init" in other.message


async def test_only_members_clients_read_and_write_a_collection(shared: Town) -> None:
    assert await shared.submit("put-private", "pair", "k", transient={"v": b"1"}) == "VALID"
    inside = await shared.ask("get-private", "pair", "k", organization="DistrictA")
    assert inside.payload == b"1"
    outside = shared.target.identity("DistrictB")
    for args, what in (
        (("get-private", "pair", "k"), "read"),
        (("put-private", "pair", "k"), "write"),
    ):
        answer = await shared.ask(*args, client=outside, transient={"v": b"2"})
        assert f"tx creator does not have {what} access permission" in answer.message
    assert (await shared.ask("get-private", "open", "k", client=outside)).status == 200


async def test_a_peer_outside_a_collection_has_no_value(shared: Town) -> None:
    assert await shared.submit("put-private", "open", "k", transient={"v": b"1"}) == "VALID"
    assert (await shared.ask("get-private", "open", "k")).payload == b"1"
    answer = await shared.ask("get-private", "open", "k", organization="DistrictB")
    assert answer.status == 500
    assert "private data matching public hash version is not available" in answer.message


async def test_private_values_need_enough_peers_to_keep_them(shared: Town) -> None:
    answer = await shared.ask("put-private", "lonely", "k", transient={"v": b"1"})
    assert answer.status == 500
    assert "required to disseminate to at least 2 peers, but know of only 1" in answer.message


async def test_chaincode_that_was_restarted_is_dialled_again(shared: Town) -> None:
    assert (await shared.ask("ready")).status == 200
    await shared.servers.pop().stop()
    await shared.serve()

    async def answers() -> bool:
        return (await shared.ask("ready")).status == 200

    await until(answers)


async def test_an_envelope_with_unknown_fields_hinders_no_other(shared: Town) -> None:
    """It is kept as it came; whether it counts is the committer's business."""
    who = shared.target.identity("DSO")
    strange = Envelope.FromString(
        Envelope(payload=b"\x0a\x00", signature=who.sign(b"\x0a\x00")).SerializeToString()
        + b"\x5a\x01x"
    )
    call = shared.target.broadcast().Broadcast()
    await call.write(strange)
    assert (await call.read()).status != Status.SUCCESS
    await call.done_writing()
    assert await shared.submit("put", "strange", "1") == "VALID"


async def test_a_chaincode_that_never_answers_is_given_up(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_call: Call) -> None:
        return None

    monkeypatch.setitem(chaincode.FUNCTIONS, "silent", silent)
    async with towns.start(tmp_path, keys, peers={"execute_timeout_s": 0.2}) as town:
        await town.join()
        await town.serve()
        await town.define("probe", await town.install())
        answer = await town.ask("silent")
        assert answer.message.endswith("timeout expired while executing transaction")
        assert await evaluate(town, "ready")


@pytest.fixture
async def ordered(tmp_path: Path, keys: Path) -> AsyncIterator[Town]:
    """A network with ledgers on disk, whose chaincode is in use."""
    async with towns.start(tmp_path, keys, data=True) as town:
        await town.join()
        await town.serve()
        await town.define("probe", await town.install())
        yield town


async def test_nothing_is_ordered_without_a_quorum_of_consenters(
    tmp_path: Path, keys: Path
) -> None:
    async with towns.start(tmp_path, keys) as town:
        await town.join(orderers=town.members[:2])
        approving = asyncio.create_task(town.define("probe", None))
        await asyncio.sleep(0.3)
        assert town.network.channels[CHANNEL].ledger.height == 1
        await join_orderers(town.members[2:3], CHANNEL, town.genesis)
        await asyncio.wait_for(approving, 20)
        assert town.network.channels[CHANNEL].ledger.height == 6


async def test_an_orderer_may_leave_and_come_back(ordered: Town) -> None:
    for member in ordered.members[:2]:
        await member.orderer.remove(CHANNEL)
    with pytest.raises(AdminError):
        await ordered.members[0].orderer.info(CHANNEL)
    submitting = asyncio.create_task(ordered.submit("put", "a", "1", gateway="DistrictB"))
    await asyncio.sleep(0.3)
    assert not submitting.done()
    await join_orderers(ordered.members[:1], CHANNEL, ordered.genesis)
    assert await asyncio.wait_for(submitting, 20) == "VALID"


async def test_a_new_configuration_is_in_force_at_once(ordered: Town) -> None:
    update = _signed(ordered.target, _batch_update(await _config(ordered.target), 1), ALL)
    call = ordered.target.broadcast().Broadcast()
    await call.write(update)
    assert (await call.read()).status == Status.SUCCESS
    await call.done_writing()
    ledger = ordered.network.channels[CHANNEL].ledger

    async def in_force() -> bool:
        return ledger.config.batch_size.max_message_count == 1

    await until(in_force)
    before = ledger.height
    codes = await asyncio.gather(*(ordered.submit("put", f"k{n}", "1") for n in range(5)))
    assert codes == ["VALID"] * 5
    assert ledger.height == before + 5


async def test_everything_is_there_again_after_a_restart(ordered: Town) -> None:
    assert await ordered.submit("put", "a", "1") == "VALID"
    height = ordered.network.channels[CHANNEL].ledger.height
    await ordered.network.stop()
    ordered.network = Network(parse(ordered.config, ordered.state.root))
    await ordered.network.start()
    assert ordered.network.channels[CHANNEL].ledger.height == height

    async def works() -> bool:
        try:
            return await evaluate(ordered, "get", "a") == b"1"
        except grpc.aio.AioRpcError:
            return False  # clients find the new servers when they dial again

    await until(works)
    assert await ordered.submit("copy", "a", "b") == "VALID"
    for member in ordered.members:
        assert (await member.orderer.info(CHANNEL)).height == height + 1


async def test_a_network_that_cannot_write_its_ledger_ends(
    ordered: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = asyncio.Event()
    ordered.network._broken = told.set

    def full(_ledger: Ledger, _block: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Ledger, "commit", full)
    submitting = asyncio.create_task(ordered.submit("put", "a", "1"))
    await asyncio.wait_for(told.wait(), 10)
    assert isinstance(ordered.network.failure, sqlite3.OperationalError)
    submitting.cancel()
    await asyncio.gather(submitting, return_exceptions=True)


async def _register(town: Town, ccid: str) -> tuple[asyncio.Task[None], Stream]:
    """A chaincode that dials the peer itself."""
    stream = Stream(ccid)
    call = town.target.peer("DSO").stream_stream(
        "/protos.ChaincodeSupport/Register",
        request_serializer=M.SerializeToString,
        response_deserializer=M.FromString,
    )()

    async def told() -> AsyncIterator[M]:
        async for message in call:
            yield message

    name = ChaincodeID(name=ccid).SerializeToString()
    await call.write(M(type=M.REGISTER, payload=name))

    async def talk() -> None:
        reading = asyncio.create_task(stream.read(told()))
        while (message := await stream.outgoing.get()) is not None:
            await call.write(message)
        await reading

    return asyncio.create_task(talk()), stream


async def test_a_user_may_run_chaincode_that_dials_the_peer(tmp_path: Path, keys: Path) -> None:
    async with towns.start(tmp_path, keys, peers={"user_runs_chaincode": True}) as town:
        await town.join()
        await town.define("probe", None, endorsement=ANY)
        talking, stream = await _register(town, "probe:1")

        async def is_ready() -> bool:
            return bool(stream.ready)

        await until(is_ready)
        assert await town.submit("put", "a", "1") == "VALID"
        assert (await town.ask("get", "a")).payload == b"1"
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def test_otherwise_chaincode_that_dials_is_not_taken(shared: Town) -> None:
    talking, stream = await _register(shared, "probe:1")
    await asyncio.sleep(0.2)
    assert not stream.ready
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)


async def test_more_calls_at_once_than_allowed_are_refused(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pedchain_fabric.embedded.limits.GATEWAY_CONCURRENCY", 2)
    async with towns.start(tmp_path, keys) as town:
        await town.join(orderers=town.members[:1])
        waiting = [asyncio.create_task(town.define(name, None)) for name in ("probe", "other")]
        await asyncio.sleep(0.5)
        answer = await endorse(town.target, town.target.identity("DSO"), "get", "a")
        assert answer["code"] == "UNKNOWN"
        assert answer["message"] == (
            "too many requests for /gateway.Gateway, exceeding concurrency limit (2)"
        )
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
