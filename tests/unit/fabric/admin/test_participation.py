# SPDX-License-Identifier: Apache-2.0
"""Goal: an orderer's own words reach us. Method: an HTTP server that plays the orderer."""

from collections.abc import Iterator

import pytest

from pedchain_fabric.admin.limits import PARTICIPATION_BODY_BYTES
from pedchain_fabric.admin.participation import ChannelInfo, Participation
from pedchain_fabric.errors import AdminError, WireError
from pedchain_fabric.wire.messages import serialize
from tests.unit.fabric.admin import channels, fakeorderer
from tests.unit.fabric.admin.fakeorderer import INFO, Orderer


@pytest.fixture
def orderer() -> Iterator[Orderer]:
    with fakeorderer.running() as server:
        yield server


@pytest.fixture
def client(orderer: Orderer) -> Participation:
    return orderer.client


@pytest.mark.parametrize(
    ("listed", "names"), [(None, set()), ([], set()), ([{"name": "ped", "url": "/x"}], {"ped"})]
)
async def test_channels_are_listed(
    orderer: Orderer, client: Participation, listed: object, names: set[str]
) -> None:
    document = {"systemChannel": None, "channels": listed}
    orderer.answer("GET /participation/v1/channels", 200, document)
    assert await client.channels() == names


async def test_a_channels_state_is_read(orderer: Orderer, client: Participation) -> None:
    orderer.answer("GET /participation/v1/channels/ped", 200, INFO)
    assert await client.info("ped") == ChannelInfo("ped", "consenter", "active", 12)


async def test_joining_posts_the_block_as_a_form(orderer: Orderer, client: Participation) -> None:
    orderer.answer("POST /participation/v1/channels", 201, INFO)
    assert (await client.join(b"\r\nblock\x00")).status == "active"
    (body,) = orderer.bodies
    assert b'name="config-block"' in body
    assert b"\r\n\r\n\r\nblock\x00\r\n--" in body


async def test_leaving_is_a_delete_without_answer(orderer: Orderer, client: Participation) -> None:
    orderer.answer("DELETE /participation/v1/channels/ped", 204)
    await client.remove("ped")


async def test_a_refusal_carries_status_and_text(orderer: Orderer, client: Participation) -> None:
    refusal = {"error": "cannot join: channel already exists"}
    orderer.answer("POST /participation/v1/channels", 409, refusal)
    with pytest.raises(AdminError, match="channel already exists") as raised:
        await client.join(b"block")
    assert raised.value.status == 409


@pytest.mark.parametrize("body", [b"<html>", b"[1]"])
async def test_an_answer_that_is_no_object_is_refused(
    orderer: Orderer, client: Participation, body: bytes
) -> None:
    orderer.answers["GET /participation/v1/channels"] = (200, body)
    with pytest.raises(AdminError, match="JSON"):
        await client.channels()


async def test_a_block_larger_than_orderers_take_is_not_sent(client: Participation) -> None:
    with pytest.raises(AdminError) as raised:
        await client.join(bytes(PARTICIPATION_BODY_BYTES + 1))
    assert raised.value.status == 413


async def test_no_orderer_is_an_admin_error() -> None:
    with pytest.raises(AdminError) as raised:
        await Participation("127.0.0.1:1", None).channels()
    assert raised.value.status == "UNAVAILABLE"


async def test_an_update_is_put_as_a_form(orderer: Orderer, client: Participation) -> None:
    orderer.answer("PUT /participation/v1/channels", 201, INFO)
    assert (await client.update(b"envelope\x00")).height == 12
    (body,) = orderer.bodies
    assert b'name="config-update-envelope"' in body
    assert b"\r\n\r\nenvelope\x00\r\n--" in body


@pytest.mark.parametrize("which", ["newest", "oldest", "config", 3])
async def test_a_block_is_read_by_name_or_number(
    orderer: Orderer, client: Participation, which: str | int
) -> None:
    block = channels.genesis()
    orderer.answer(f"GET /participation/v1/channels/ped/blocks/{which}", 200, serialize(block))
    assert await client.block("ped", which) == block  # type: ignore[arg-type]  # the names above


async def test_a_block_that_is_not_there_is_an_admin_error(
    orderer: Orderer, client: Participation
) -> None:
    orderer.answer("GET /participation/v1/channels/ped/blocks/9", 404, {"error": "no such block"})
    with pytest.raises(AdminError, match="no such block"):
        await client.block("ped", 9)


async def test_an_answer_that_is_no_block_is_refused(
    orderer: Orderer, client: Participation
) -> None:
    orderer.answer("GET /participation/v1/channels/ped/blocks/newest", 200, b"<html>")
    with pytest.raises(WireError):
        await client.block("ped", "newest")
