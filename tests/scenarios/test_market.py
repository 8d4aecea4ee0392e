# SPDX-License-Identifier: Apache-2.0
"""The market end to end, on every runtime: accounts, a session from its opening to its settlement
by certified hours, and who can and cannot move what."""

from collections.abc import AsyncIterator, Iterator

import pytest

from pedchain_domain.market.tokenid import to_hex
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.trading import (
    GATE,
    HOUR,
    NOON,
    POWER,
    RICH,
    Trading,
    prosumer,
    trading,
)
from tests.unit.chaincode.exchange import Prosumer

pytestmark = pytest.mark.timeout(400)  # what a module stands on counts to its first test
People = dict[str, Prosumer]


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium with the product's contracts, for these scenarios alone."""
    with make_network(request.param, tmp_path_factory.mktemp("market")) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
async def market(consortium: Network) -> AsyncIterator[Trading]:
    """A market whose sessions are open, over a district with certified days."""
    async with trading(consortium) as made:
        yield made


@pytest.fixture(scope="module")
async def people(market: Trading) -> People:
    found = {home: prosumer(home, at) for at, home in enumerate(("home-1", "home-2"), 1)}
    for one in found.values():
        await market.register(one)
    return found


async def test_an_hour_is_traded_measured_and_settled(market: Trading, people: People) -> None:
    """home-1 fed in 731 Wh at noon and sold 500; home-2 drew 307 and bought 500: 307 settle at
    150, and for the other 193 the buyer makes good 150 - 80."""
    seller, buyer = people["home-1"], people["home-2"]
    await market.order(seller, "OFFER", (POWER, 600, 100))
    await market.order(buyer, "BID", (POWER, 500, 200))
    await market.clock(GATE)
    await market.submit("market:CloseSession", to_hex(POWER.token), by="Aggregator")
    await market.steps("Clear")
    for one in people.values():
        await market.take(one)
    assert await market.balance(seller) == RICH - 500 * (280 - 100)
    assert await market.balance(buyer) == RICH - 500 * 100
    await market.clock(NOON + HOUR)
    await market.submit("market:Measure", to_hex(POWER.token))
    for home in people:
        await market.attach(f"{home}.gcp", NOON)
    await market.steps("Settle")
    for one in people.values():
        await market.take(one)
    price = 100  # the rest of the offer was refused at its own limit
    made_good = (500 - 307) * (price - 80)
    assert await market.balance(seller) == RICH + 307 * price + made_good
    assert await market.balance(buyer) == RICH - 307 * price - made_good
    promise = to_hex(POWER.minted_by(seller.number).token)
    assert await market.balance(buyer, promise) == 307
    assert await market.state() == "SETTLED"
