# SPDX-License-Identifier: Apache-2.0
"""Goal: a network in use changes its configuration and its nodes as a real one does.

Method: a fifth organisation joins a live channel, orders, changes and leaves.
"""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from pedchain_fabric.admin import configupdate, configuration, cscc, qscc
from pedchain_fabric.admin.edit import consenters, organizations
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.embedded.config import ConfigError
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.block import commit_hash
from pedchain_fabric.wire.messages import serialize
from tests.parity.target import CHANNEL
from tests.unit.fabric.embedded import growth
from tests.unit.fabric.embedded import town as towns
from tests.unit.fabric.embedded.growth import NEW, Growth
from tests.unit.fabric.embedded.town import until


@pytest.fixture
async def growing(tmp_path: Path, keys: Path) -> AsyncIterator[Growth]:
    """A network with a chaincode and a transaction; the fifth organisation is not there yet."""
    async with towns.start(tmp_path, keys, data=True) as town, growth.of(town) as made:
        await town.join()
        package_id = await town.install()
        await town.serve()
        await town.define("probe", package_id)
        assert await town.submit("put", "a", "1") == "VALID"
        yield made


@pytest.fixture(scope="module")
async def shared_growth(
    tmp_path_factory: pytest.TempPathFactory, keys: Path
) -> AsyncIterator[Growth]:
    """One for all tests that leave its channel as it is."""
    folder = tmp_path_factory.mktemp("steady")
    async with towns.start(folder, keys, data=True) as town, growth.of(town) as made:
        await town.join()
        package_id = await town.install()
        await town.serve()
        await town.define("probe", package_id)
        yield made


@pytest.fixture
async def steady(shared_growth: Growth) -> AsyncIterator[Growth]:
    """The same, its nodes as they were afterwards."""
    yield shared_growth
    await shared_growth.reload(shared_growth.config())


async def with_peer(growing: Growth) -> Endorser:
    """The newcomer is on the channel with its peer."""
    await growing.change(lambda config: organizations.add(config, growing.peer_only))
    await growing.reload(growing.config("peers"))
    await cscc.join(growing.newcomer.peer, growing.town.genesis)
    return growing.newcomer.peer


async def with_orderer(growing: Growth) -> None:
    """Its orderer is a consenter too."""
    await with_peer(growing)
    await growing.change(
        lambda config: consenters.add(
            organizations.join_ordering(config, growing.described), growing.consenter(5)
        )
    )
    await growing.reload(growing.config("peers", "orderers"))
    block = await growing.orderers[0].block(CHANNEL, "config")
    await growing.newcomer.orderer.join(serialize(block))


async def test_a_new_peer_has_everything_that_was_there(growing: Growth) -> None:
    newcomer = await with_peer(growing)
    own = await qscc.chain_info(newcomer, CHANNEL)
    other = await qscc.chain_info(growing.town.members[0].peer, CHANNEL)
    assert own == other
    for number in range(1, own.height):
        blocks = [
            await qscc.block_by_number(each, CHANNEL, number)
            for each in (newcomer, growing.town.members[0].peer)
        ]
        assert commit_hash(blocks[0]) == commit_hash(blocks[1])
    assert await growing.town.submit("put", "b", "2") == "VALID"
    assert (await qscc.chain_info(newcomer, CHANNEL)).height == own.height + 1


async def test_a_peer_of_nobody_on_the_channel_answers_nobody(growing: Growth) -> None:
    """So does a real one that has not replayed its organisation's configuration yet."""
    await growing.reload(growing.config("peers"))
    await cscc.join(growing.newcomer.peer, growing.town.genesis)
    with pytest.raises(AdminError, match="creator org unknown"):
        await qscc.chain_info(growing.newcomer.peer, CHANNEL)
    await growing.change(lambda config: organizations.add(config, growing.peer_only))
    assert await qscc.chain_info(growing.newcomer.peer, CHANNEL)


async def test_too_few_signatures_are_refused_by_the_orderer(growing: Growth) -> None:
    current = await configuration.from_orderer(growing.orderers[0], CHANNEL)
    wanted = organizations.add(current.config, growing.peer_only)
    admins = [growing.town.members[each].peer.identity for each in (0, 1)]
    update = configupdate.prepare(current, wanted).signed_by(admins[0]).signed_by(admins[1])
    with pytest.raises(
        AdminError, match=r"policy for .*/Channel/Application not satisfied"
    ) as raised:
        await growing.orderers[0].update(serialize(update.envelope(admins[0])))
    assert raised.value.status == 400


async def test_a_new_orderer_orders(growing: Growth) -> None:
    await with_orderer(growing)
    info = await growing.newcomer.orderer.info(CHANNEL)
    assert (info.relation, info.status) == ("consenter", "active")
    assert info.height == growing.ledger.height
    # Four of five must sign: without one of the old ones nothing goes on without the new one.
    await growing.town.members[0].orderer.remove(CHANNEL)
    assert await growing.town.submit("put", "b", "2") == "VALID"


async def test_a_follower_takes_nothing(growing: Growth) -> None:
    await with_peer(growing)
    await growing.reload(growing.config("peers", "orderers"))
    block = await growing.orderers[0].block(CHANNEL, "config")
    joined = await growing.newcomer.orderer.join(serialize(block))
    assert (joined.relation, joined.status) == ("follower", "active")
    current = await configuration.from_orderer(growing.newcomer.orderer, CHANNEL)
    wanted = organizations.set_anchor_peers(current.config, NEW, [])
    admin = growing.newcomer.peer.identity
    update = configupdate.prepare(current, wanted).signed_by(admin)
    with pytest.raises(AdminError, match="he is a follower") as raised:
        await growing.newcomer.orderer.update(serialize(update.envelope(admin)))
    assert raised.value.status == 403
    with pytest.raises(AdminError, match="only follower"):
        await configuration.submit([growing.newcomer.orderer], update, admin)


async def test_who_has_left_is_asked_no_more(growing: Growth) -> None:
    await with_orderer(growing)
    gateway = growing.town.members[0].client.network(CHANNEL).contract("probe")
    await growing.change(
        lambda config: organizations.remove(
            consenters.remove(config, growing.consenter(5).host, growing.consenter(5).port), NEW
        )
    )
    assert (await growing.newcomer.orderer.info(CHANNEL)).relation == "follower"
    with pytest.raises(AdminError, match="creator org unknown"):
        await qscc.chain_info(growing.newcomer.peer, CHANNEL)
    assert await growing.town.submit("put", "c", "3") == "VALID"
    assert await gateway.evaluate("get", "c") == b"3"
    channel = growing.town.network.channels[CHANNEL]
    present = {each.msp_id for each in channel.members(growing.town.network.peers)}
    assert f"{NEW}MSP" not in present
    assert len(present) == 4


async def test_a_revoked_client_is_refused_from_the_next_call_on(growing: Growth) -> None:
    other = (await configuration.from_orderer(growing.orderers[0], CHANNEL)).application_orgs
    assert NEW not in other
    newcomer = await with_peer(growing)
    assert await qscc.chain_info(newcomer, CHANNEL)
    stranger = growing.town.topology.organizations[0]
    taken_over = replace(
        growing.peer_only,
        root_certificates=(
            growing.town.state.crypto.joinpath(stranger.name, "ca", "cert.pem").read_bytes(),
        ),
    )
    await growing.change(
        lambda config: organizations.set_membership(config, taken_over), signers=[NEW]
    )
    with pytest.raises(AdminError, match="access denied"):
        await qscc.chain_info(newcomer, CHANNEL)


# Nodes of the process


async def test_nodes_come_and_go_while_others_go_on(growing: Growth) -> None:
    await growing.change(lambda config: organizations.add(config, growing.peer_only))
    waiting = growing.town.members[0].client.network(CHANNEL)
    async with waiting.block_events(start_block=0) as blocks:
        assert (await anext(blocks)).header.number == 0
        added = await growing.reload(growing.config("peers", "orderers"))
        names = {f"{kind}0.{NEW.lower()}.ped" for kind in ("peer", "orderer")}
        assert (set(added.added), added.changed, added.removed) == (names, (), ())
        assert await cscc.channels(growing.newcomer.peer) == frozenset()
        removed = await growing.reload(growing.config())
        assert set(removed.removed) == names
        number = growing.ledger.height - 1
        seen = 0
        while seen < number:
            seen = (await anext(blocks)).header.number
    assert set(str(removed).split()) == {f"-{name}" for name in names}
    with pytest.raises(AdminError):
        await growing.newcomer.orderer.channels()


async def test_a_node_that_comes_back_is_where_it_was(growing: Growth) -> None:
    newcomer = await with_peer(growing)
    await growing.reload(growing.config())
    assert await growing.town.submit("put", "b", "2") == "VALID"
    await growing.reload(growing.config("peers"))

    async def there() -> bool:
        try:
            info = await qscc.chain_info(newcomer, CHANNEL)
        except AdminError:
            return False  # its client dials again
        return bool(info.height == growing.ledger.height)

    await until(there)
    assert await cscc.channels(newcomer) == {CHANNEL}


async def test_nothing_changed_is_nothing_done(steady: Growth) -> None:
    done = await steady.reload(steady.config())
    assert str(done) == "nothing changed"


async def test_a_changed_node_is_started_again(steady: Growth) -> None:
    document = steady.config()
    document["peers"] = [
        {**each, "execute_timeout_s": 7.0} if index == 1 else each
        for index, each in enumerate(document["peers"])
    ]
    done = await steady.reload(document)
    assert done.changed == (document["peers"][1]["name"],)
    assert (done.added, done.removed) == ((), ())
    assert str(done) == f"~{document['peers'][1]['name']}"

    async def again() -> bool:
        try:
            return await steady.town.submit("put", "b", "2") == "VALID"
        except grpc.aio.AioRpcError:
            return False

    await until(again)


async def test_a_renewed_certificate_is_a_change(steady: Growth) -> None:
    path = Path(steady.config()["peers"][0]["msp_dir"]) / "tlscacerts" / "more.pem"
    path.write_bytes((path.parent / "cert.pem").read_bytes())
    try:
        done = await steady.reload(steady.config())
        assert done.changed == (steady.config()["peers"][0]["name"],)
    finally:
        path.unlink()


@pytest.mark.parametrize("wrong", ["listen", "msp_dir", "data_dir"])
async def test_a_configuration_that_cannot_be_used_changes_nothing(
    steady: Growth, wrong: str
) -> None:
    document = steady.config("peers")
    if wrong == "data_dir":
        document["data_dir"] = "elsewhere"
    else:
        document["peers"][-1] = {**document["peers"][-1], wrong: "0.0.0.0:1"}
    with pytest.raises(ConfigError):
        await steady.reload(document)
    assert await steady.town.submit("put", "b", "2") == "VALID"
    assert str(await steady.reload(steady.config())) == "nothing changed"


async def test_an_address_that_is_taken_is_told_and_tried_again(steady: Growth) -> None:
    document = steady.config("peers")
    new = document["peers"][-1]
    host, _, port = new["listen"].rpartition(":")
    with socket.socket() as occupied:
        occupied.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        occupied.bind((host, int(port)))
        occupied.listen()
        done = await steady.reload(document)
        assert done.added == ()
        (failure,) = done.failed
        assert failure.startswith(f"{new['name']}: cannot listen on")
        assert str(done) == f"!{failure}"
    assert (await steady.reload(document)).added == (new["name"],)
    assert (await steady.reload(steady.config())).removed == (new["name"],)
