# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator

import grpc.aio
import pytest

from pedchain_fabric.client import Gateway, Network
from pedchain_fabric.wire.identity import SigningIdentity
from tests.unit.fabric.client.fakepeer import FakePeer, serving
from tests.unit.fabric.wire import pki


@pytest.fixture(scope="session")
def user() -> SigningIdentity:
    return pki.root().member("OrgMSP", "client")


@pytest.fixture
async def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
async def channel(peer: FakePeer) -> AsyncIterator[grpc.aio.Channel]:
    async with serving(peer) as address, grpc.aio.insecure_channel(address) as opened:
        yield opened


@pytest.fixture
async def gateway(user: SigningIdentity, channel: grpc.aio.Channel) -> Gateway:
    return Gateway(user, channel, trusted_organizations=["OrgMSP"])


@pytest.fixture
async def network(gateway: Gateway) -> Network:
    return gateway.network("ped")
