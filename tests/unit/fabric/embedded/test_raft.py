# SPDX-License-Identifier: Apache-2.0
"""Goal: a channel ordered by Raft looks as Raft makes it. Method: a network of that kind."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from fabric_protos.common.common_pb2 import (
    Block,
    Metadata,
    OrdererBlockMetadata,
    SignatureHeader,
    Status,
)
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.orderer.etcdraft.metadata_pb2 import BlockMetadata
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.admin import configdiff, configuration, qscc
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.admin.edit import consenters, ordering
from pedchain_fabric.embedded.metrics import Sampler
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire import block as wire
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import serialize
from tests.parity.target import CHANNEL
from tests.unit.fabric.embedded import growth
from tests.unit.fabric.embedded import town as towns
from tests.unit.fabric.embedded.growth import Growth
from tests.unit.fabric.embedded.town import until


@pytest.fixture(scope="module")
async def raft(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> AsyncIterator[Growth]:
    """A network whose channel is ordered by Raft, with a chaincode."""
    folder = tmp_path_factory.mktemp("raft")
    async with towns.start(folder, keys, consensus="raft") as town, growth.of(town) as made:
        await town.join()
        package_id = await town.install()
        await town.serve()
        await town.define("probe", package_id)
        yield made


async def newest(raft: Growth) -> Block:
    peer = raft.town.members[0].peer
    height = (await qscc.chain_info(peer, CHANNEL)).height
    return await qscc.block_by_number(peer, CHANNEL, height - 1)


async def test_one_orderer_signs_a_block_by_name(raft: Growth) -> None:
    assert await raft.town.submit("put", "a", "1") == "VALID"
    block = await newest(raft)
    signed = Metadata.FromString(block.metadata.metadata[wire.SIGNATURES])
    (signature,) = signed.signatures
    assert signature.identifier_header == b""
    header = SignatureHeader.FromString(signature.signature_header)
    message = wire.signed_message(signed.value, signature.signature_header, block.header)
    Identity.from_creator(header.creator).verify(message, signature.signature)
    raft.ledger.config.check_orderers(block)


async def test_a_blocks_metadata_name_the_consenters(raft: Growth) -> None:
    assert await raft.town.submit("put", "a", "1") == "VALID"
    block = await newest(raft)
    signed = Metadata.FromString(block.metadata.metadata[wire.SIGNATURES])
    orderers = OrdererBlockMetadata.FromString(signed.value)
    assert orderers.last_config.index == raft.ledger.config_block
    noted = Metadata.FromString(orderers.consenter_metadata)
    assert list(BlockMetadata.FromString(noted.value).consenter_ids) == [1, 2, 3, 4]


async def test_what_is_sent_twice_is_ordered_twice(raft: Growth) -> None:
    """SmartBFT's pool knows requests and refuses the second; Raft has no such pool."""
    contract = raft.town.members[0].client.network(CHANNEL).contract("probe")
    transaction = await contract.new_proposal("put", "twice", "1").endorse()
    identifier = transaction.transaction_id
    await transaction.submit()
    await transaction.submit()

    async def both() -> bool:
        codes = [
            code
            for number in range(1, raft.ledger.height)
            for each, code in _codes(raft, number)
            if each == identifier
        ]
        return codes == [TxValidationCode.VALID, TxValidationCode.DUPLICATE_TXID]

    await until(both)


def _codes(raft: Growth, number: int) -> list[tuple[str, int]]:
    outcome = raft.ledger.outcome(number)
    assert outcome is not None
    return [(each.transaction_id, each.code) for each in outcome.transactions]


async def test_an_orderer_that_is_down_is_passed_over(raft: Growth) -> None:
    """A gateway needs one orderer that answers, and ordering more than half of them."""
    whole = raft.config()
    await raft.reload({**whole, "orderers": whole["orderers"][:-1]})
    try:
        codes = await asyncio.gather(*(raft.town.submit("put", f"k{n}", "1") for n in range(8)))
        assert codes == ["VALID"] * 8
    finally:
        await raft.reload(whole)


async def test_an_orderer_that_left_is_believed(raft: Growth) -> None:
    """It says that the request is wrong, and a gateway then asks no other, as in Fabric."""
    away = raft.town.members[3].orderer
    await away.remove(CHANNEL)
    refusals = set()
    try:
        async with asyncio.timeout(30):
            while not refusals:
                try:
                    await raft.town.submit("put", "k", "1")
                except grpc.aio.AioRpcError as error:
                    refusals.add((error.code(), error.details()))
    finally:
        await away.join(raft.town.genesis)
    text = "received unsuccessful response from orderer: status=BAD_REQUEST, info=channel"
    ((code, words),) = refusals
    assert code == grpc.StatusCode.ABORTED
    assert words is not None
    assert words.startswith(text)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("two", "update of more than one consenter at a time is not supported"),
        ("none", "empty consenter set"),
        ("ticks", "must be greater than HeartbeatTick"),
    ],
)
async def test_metadata_raft_refuses_are_refused_in_its_words(
    raft: Growth, wrong: str, words: str
) -> None:
    current = await configuration.from_orderer(raft.orderers[0], CHANNEL)
    wanted = _wrong(current.config, wrong)
    update = SignedUpdate(serialize(configdiff.compute(CHANNEL, current.config, wanted)))
    for member in raft.town.members:
        update = update.signed_by(member.peer.identity)
    submitter = raft.town.members[0].peer.identity
    with pytest.raises(AdminError, match=words) as raised:
        await raft.orderers[0].update(serialize(update.envelope(submitter)))
    assert raised.value.status == Status.BAD_REQUEST


def _wrong(config: Config, wrong: str) -> Config:
    found = consenters.of(config)
    if wrong == "two":
        fewer = consenters.remove(config, found[0].host, found[0].port)
        return consenters.remove(fewer, found[1].host, found[1].port)
    if wrong == "none":
        for each in found:
            config = consenters.remove(config, each.host, each.port)
        return config
    timers = ordering.raft_timers(config)
    object.__setattr__(timers, "election_ticks", timers.heartbeat_ticks)  # past its own check
    return ordering.set_raft_timers(config, timers)


async def test_batches_follow_the_channels_timeout_and_count(raft: Growth) -> None:
    wanted = replace(ordering.batch(raft.ledger.config.config), messages=1)
    await raft.change(lambda config: ordering.set_batch(config, wanted))
    before = raft.ledger.height
    codes = await asyncio.gather(*(raft.town.submit("put", f"b{n}", "1") for n in range(4)))
    assert codes == ["VALID"] * 4
    assert raft.ledger.height == before + 4


async def test_the_metrics_say_who_leads(raft: Growth) -> None:
    def gauges() -> list[dict[str, float]]:
        return [
            {sample.name: sample.value for sample in Sampler(each)()}
            for each in raft.town.network.orderers
        ]

    assert [each["consensus_etcdraft_is_leader"] for each in gauges()] == [1, 0, 0, 0]
    assert gauges()[0]["consensus_etcdraft_cluster_size"] == 4
    whole = raft.config()
    await raft.reload({**whole, "orderers": whole["orderers"][1:]})
    try:
        assert [each["consensus_etcdraft_is_leader"] for each in gauges()] == [1, 0, 0]
    finally:
        await raft.reload(whole)
