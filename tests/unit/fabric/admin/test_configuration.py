# SPDX-License-Identifier: Apache-2.0
"""Goal: a change is sent once, where it can be taken, and waited for everywhere. Method: orderers
played by HTTP servers."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from fabric_protos.common.common_pb2 import Block, Envelope, Payload
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope

from pedchain_fabric.admin import configupdate, configuration
from pedchain_fabric.admin.configdiff import compute
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.admin.edit import organizations
from pedchain_fabric.admin.refusal import EditRefused
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.messages import serialize
from tests.unit.fabric.admin import channels, fakeorderer
from tests.unit.fabric.admin.channels import CHANNEL, config, current, keys
from tests.unit.fabric.admin.fakeorderer import INFO, Orderer

CHANNELS = "/participation/v1/channels"
PUT = f"PUT {CHANNELS}"


@pytest.fixture
def orderers() -> Iterator[list[Orderer]]:
    """Two consenters at the channel's first configuration."""
    with ExitStack() as stack:
        made = [stack.enter_context(fakeorderer.running()) for _ in range(2)]
        for each in made:
            each.answer(f"GET {CHANNELS}/{CHANNEL}", 200, INFO)
            each.answer(f"GET {CHANNELS}/{CHANNEL}/blocks/config", 200, at(0))
            each.answer(PUT, 201, INFO)
            each.after[PUT] = (f"GET {CHANNELS}/{CHANNEL}/blocks/config", at(1, update("DSO")))
        yield made


def at(sequence: int, made_by: SignedUpdate | None = None) -> bytes:
    """A configuration block with this sequence, which this update led to."""
    block = Block()
    block.CopyFrom(channels.genesis())
    if sequence:
        payload = Payload.FromString(Envelope.FromString(block.data.data[0]).payload)
        later = Config()
        later.CopyFrom(config())
        later.sequence = sequence
        last = None if made_by is None else Envelope.FromString(made_by.to_bytes())
        payload.data = serialize(ConfigEnvelope(config=later, last_update=last))
        block.data.data[0] = serialize(Envelope(payload=serialize(payload)))
    return serialize(block)


def update(*signers: str) -> SignedUpdate:
    wanted = organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", 1)])
    made = configupdate.prepare(current(), wanted)
    for name in signers:
        made = made.signed_by(keys(name).admin)
    return made


async def test_the_configuration_is_read_from_an_orderer(orderers: list[Orderer]) -> None:
    read = await configuration.from_orderer(orderers[0].client, CHANNEL)
    assert read.config == current().config


async def test_an_update_goes_to_the_first_orderer_alone(orderers: list[Orderer]) -> None:
    clients = [each.client for each in orderers]
    assert await configuration.submit(clients, update("DSO"), keys("DSO").admin) == 1
    assert [PUT in each.requests for each in orderers] == [True, False]


async def test_an_orderer_that_only_follows_is_not_sent_anything(orderers: list[Orderer]) -> None:
    follower = {**INFO, "consensusRelation": "follower"}
    orderers[0].answer(f"GET {CHANNELS}/{CHANNEL}", 200, follower)
    clients = [each.client for each in orderers]
    await configuration.submit(clients, update("DSO"), keys("DSO").admin)
    assert [PUT in each.requests for each in orderers] == [False, True]


async def test_no_orderer_that_can_be_asked_is_told_with_reasons(orderers: list[Orderer]) -> None:
    for each in orderers:
        each.answer(f"GET {CHANNELS}/{CHANNEL}", 404, {"error": "channel does not exist"})
    clients = [each.client for each in orderers]
    with pytest.raises(AdminError, match="channel does not exist") as raised:
        await configuration.submit(clients, update("DSO"), keys("DSO").admin)
    assert raised.value.status == "UNAVAILABLE"


async def test_who_comes_second_is_told_so(orderers: list[Orderer]) -> None:
    other = organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", 9)])
    first = at(1, configupdate.prepare(current(), other))
    orderers[0].after[PUT] = (f"GET {CHANNELS}/{CHANNEL}/blocks/config", first)
    with pytest.raises(AdminError, match="came first") as raised:
        await configuration.submit([orderers[0].client], update("DSO"), keys("DSO").admin)
    assert raised.value.status == "OVERTAKEN"


async def test_an_orderer_that_never_shows_it_is_not_waited_for_for_ever(
    orderers: list[Orderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "ORDERED_TIMEOUT_S", 0.2)
    orderers[0].after.clear()
    sent = await configuration.submit([orderers[0].client], update("DSO"), keys("DSO").admin)
    assert sent == 1


async def test_what_one_orderer_keeps_to_itself_is_sent_to_the_next(
    orderers: list[Orderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "ORDERED_TIMEOUT_S", 0.2)
    orderers[0].after.clear()
    clients = [each.client for each in orderers]
    assert await configuration.submit(clients, update("DSO"), keys("DSO").admin) == 1
    assert [PUT in each.requests for each in orderers] == [True, True]


async def test_what_the_next_orderer_has_already_is_not_sent_again(
    orderers: list[Orderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "ORDERED_TIMEOUT_S", 0.2)
    orderers[0].after.clear()
    where = f"GET {CHANNELS}/{CHANNEL}/blocks/config"
    orderers[1].answer(where, 200, at(1, update("DSO")))
    clients = [each.client for each in orderers]
    assert await configuration.submit(clients, update("DSO"), keys("DSO").admin) == 1
    assert [PUT in each.requests for each in orderers] == [True, False]


async def test_what_lacks_signatures_is_not_sent(orderers: list[Orderer]) -> None:
    with pytest.raises(AdminError, match="/Channel/Application/DSO/Admins") as raised:
        await configuration.submit([orderers[0].client], update("DistrictA"), keys("DSO").admin)
    assert raised.value.status == "NOT_SIGNED"
    assert PUT not in orderers[0].requests


async def test_an_orderers_refusal_is_not_tried_elsewhere(orderers: list[Orderer]) -> None:
    orderers[0].answer(PUT, 400, {"error": "cannot update"})
    clients = [each.client for each in orderers]
    with pytest.raises(AdminError, match="cannot update"):
        await configuration.submit(clients, update("DSO"), keys("DSO").admin)
    assert PUT not in orderers[1].requests


async def test_an_update_of_yesterday_is_stale(orderers: list[Orderer]) -> None:
    wanted = organizations.set_anchor_peers(config(), "DSO", [("127.0.0.1", 2)])
    anchors = wanted.channel_group.groups["Application"].groups["DSO"].values["AnchorPeers"]
    anchors.version = 5
    late = SignedUpdate(serialize(compute(CHANNEL, wanted, config())))
    with pytest.raises(EditRefused, match="make it again"):
        await configuration.submit([orderers[0].client], late, keys("DSO").admin)


async def test_waiting_ends_when_all_have_it(orderers: list[Orderer]) -> None:
    for each in orderers:
        each.answer(f"GET {CHANNELS}/{CHANNEL}/blocks/config", 200, at(3))
    clients = [each.client for each in orderers]
    await configuration.in_force(3, CHANNEL, orderers=clients, timeout_s=10)


async def test_waiting_in_vain_says_who_is_behind(orderers: list[Orderer]) -> None:
    orderers[0].answer(f"GET {CHANNELS}/{CHANNEL}/blocks/config", 200, at(3))
    clients = [each.client for each in orderers]
    behind = f"127.0.0.1:{orderers[1].server_address[1]} has sequence 0"
    with pytest.raises(AdminError, match=behind) as raised:
        await configuration.in_force(3, CHANNEL, orderers=clients, timeout_s=0.5)
    assert raised.value.status == "TIMEOUT"
