# SPDX-License-Identifier: Apache-2.0
"""A street whose agents lose their gateway, their link and a meter, beside a twin that does not.

Agents of DistrictA live through the days in this process, six hours a step; those of DistrictB,
the same homes, beside them and undisturbed. One home hears of its gateway only at the very end; all
others follow the orders of demand response, for whose notice the link is not cut.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2

from emsagent.config import Config, GatewayConfig
from emsagent.consent import Consent
from emsagent.delivery import deliver
from emsagent.following import Follower
from emsagent.home import Home
from emsagent.street import lay_out
from emsagent.uplink import Uplink
from pedchain_domain import ocmf
from pedchain_domain.sim import street as sim
from pedchain_domain.sim.weather import DAY, HOUR
from tests.scenarios.flexmonth import CAPACITY_W, MONDAY, Districts, Event
from tests.scenarios.harness import network as make_network
from tests.scenarios.wholepath import A, B, WholePath, twin_street

STEP = 6 * HOUR
RECORDS_AT_ONCE = 2
"""Small posts, so that many are there to be lost."""
HOMES = 16
"""The first, which hears of nothing, and as many others as an order must be able to ask."""
POWER_W = (HOMES - 1) * CAPACITY_W
"""All that the homes of a district offer: so each of them is asked, and its twin for the same."""
SIGNS = {sim.IMPORT: 1, sim.EXPORT: -1}
Readings = dict[str, dict[int, int]]
"""By meter and instant: import less export, Wh."""


@dataclass
class Link(httpx2.AsyncBaseTransport):
    """A way to the gateway that loses questions and answers, and can be cut."""

    chance: random.Random
    lost_percent: int
    inner: httpx2.AsyncHTTPTransport = field(default_factory=httpx2.AsyncHTTPTransport)
    lost: int = 0
    is_cut: bool = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One exchange, if nothing of it is lost."""
        if self.is_cut or self._loses():
            raise httpx2.ConnectError("lost on the way")
        response = await self.inner.handle_async_request(request)
        if self._loses():
            await response.aclose()
            raise httpx2.ReadError("lost on the way back")
        return response

    def _loses(self) -> bool:
        is_lost = self.chance.randrange(100) < self.lost_percent
        self.lost += is_lost
        return is_lost

    async def aclose(self) -> None:
        """Close what it goes through."""
        await self.inner.aclose()


class Orders(Districts):
    """Demand response on a street that is registered and served already: every home consents but
    the first of each district, which is out of reach."""

    def __init__(self, path: WholePath) -> None:
        super().__init__(path.network, path.folder, len(path.days))
        self.street, self.urls = path.street, path.urls
        self.first = self.lived = path.street.start

    async def open(self, stack: AsyncExitStack) -> None:
        """Money is paid in, homes consent."""
        await self._connect(stack)
        await self._pay_in()
        for district in (A, B):
            await self._agents(stack, district)
        await asyncio.gather(*map(self._consent, (A, B)))

    async def _offers(self, config: Config, district: str) -> list[Consent]:
        unheard = config.homes[0].id
        return [one for one in await super()._offers(config, district) if one.home != unheard]

    async def notify(self, event: Event, uplink: Uplink) -> None:
        """Order, and let every home hear of it and answer: DistrictA's over their own link."""
        await self.order(event)
        now = self.at(event.day, event.hour) - event.notice_s
        await asyncio.gather(
            *(_heard(one, self.uplinks[B], event.name, now) for one in self.followers(B))
        )
        for one in self.followers(A):
            await _heard(one, uplink, event.name, now)
        sign = -1 if event.direction == "down" else 1
        for one in self.followers(A, B):
            assert one.promises[event.name].watts == sign * CAPACITY_W
        assert len(self.followers(A)) == len(self.followers(B)) == HOMES - 1

    async def pass_undisturbed(self, until: int) -> None:
        """DistrictB's homes read and send."""
        for home, _ in self.agents[B]:
            home.collect(until=until, since=self.first)
        await asyncio.gather(*(self._send(B, home) for home, _ in self.agents[B]))


async def _heard(follower: Follower, uplink: Uplink, order: str, now: int) -> None:
    """Ask until the order was heard of, and the ledger has the answer."""
    for _ in range(100):
        await follower.turn(uplink, now)
        if order in follower.promises and follower.promises[order].sent:
            return
    raise AssertionError(f"{follower.consent.home} does not hear of {order}")


@dataclass
class Week(WholePath):
    """Both districts exchange the first home's grid meter in the middle of the time, and follow
    `events`, each for both districts and at the beginning of a step."""

    events: Sequence[Event] = ()
    orders: Orders = field(init=False)

    def lay_out(self) -> None:
        """The street with its exchanges, the same in both districts."""
        at = self.street.start + (self.street.end - self.street.start) // 2
        homes, exchanges = list(self.street.homes), []
        for index, home in enumerate(homes):
            if home.meters[0].id.endswith("home-01-grid"):
                homes[index], exchange = sim.exchanged(home, at)
                exchanges.append((home.district, exchange))
        self.street = replace(self.street, homes=tuple(homes))
        lay_out(self.folder / "street", self.street, self.urls, flexible=True)
        file = self.folder / "street" / "registration.json"
        told = json.loads(file.read_text())
        for district, one in exchanges:
            document = {
                "schema": "exchange/1",
                "point": one.point,
                "old": one.old,
                "new": one.new,
                "at": one.at,
                "final": dict(one.final),
                "initial": dict(one.initial),
            }
            told["documents"][district].append(document)
        file.write_text(json.dumps(told))

    async def live(self, lost_percent: int) -> int:
        """The time of both districts; how often DistrictA's link lost something."""
        link = Link(random.Random(38), lost_percent)
        cut = random.Random(29)
        homes = [home for home, _ in self.orders.agents[A]]
        async with Uplink(GatewayConfig(A, self.urls[A], None), link) as uplink:
            uplink.records_max = RECORDS_AT_ONCE
            for until in range(self.street.start + STEP, self.street.end + 1, STEP):
                due = [e for e in self.events if self.orders.at(e.day, e.hour) == until]
                link.is_cut = cut.randrange(3) == 0 and not due
                for event in due:
                    await self.orders.notify(event, uplink)
                await self.orders.pass_undisturbed(until)
                for number, home in enumerate(homes):
                    home.collect(until=until, since=self.street.start)
                    if number:
                        await deliver(home, uplink)
            link.is_cut = False
            for home in homes:
                await self._drain(home, uplink)
        return link.lost

    async def _drain(self, home: Home, uplink: Uplink) -> None:
        for _ in range(100):
            home.outbox.set_pause(0, 0)  # a test has no quarter of an hour
            if await deliver(home, uplink) == 0.0:
                return
        raise AssertionError("the outbox does not drain")

    async def check_orders(self) -> None:
        """Every order is settled, and what DistrictA metered differs from the street's registers on
        the days of orders, in their direction, and on no other."""
        results = await self.orders.settle(self.events, len(self.days))
        assert results.keys() == {event.name for event in self.events}
        ordered = {event.day: event.direction for event in self.events}
        assert len(ordered) == len(self.events)
        printed = [one["electricity"]["consumption_wh"] for one in self.certificates()[A]]
        assert any(printed), "certificates that print nothing are equal to all others"
        metered, planned = self._metered(), self._planned()
        for day in range(len(self.days)):
            first = self.orders.at(day)
            moved = _drawn(metered, first) - _drawn(planned, first)
            assert (moved < 0) == (ordered.get(day) == "down"), (day, moved)
            assert (moved > 0) == (ordered.get(day) == "up"), (day, moved)

    def _metered(self) -> Readings:
        """What DistrictA's grid meters signed, and the ledger has."""
        found: Readings = {meter: {} for meter in self._planned()}
        for _, _, content in self.acknowledged():
            record = ocmf.parse(content)
            for one in record.readings if record.meter in found else ():
                net = found[record.meter].setdefault(one.instant, 0)
                found[record.meter][one.instant] = net + SIGNS[one.obis] * int(one.register)
        return found

    def _planned(self) -> Readings:
        """What they would have metered without any order."""
        return {
            meter.id: {
                instant: sum(sign * values[obis] for obis, sign in SIGNS.items())
                for instant, values in meter.readings
            }
            for home in self.street.homes
            for meter in home.meters
            if home.district == A and meter.kind == "GCP"
        }


def _drawn(readings: Readings, first: int) -> int:
    """What was drawn in a day, less what was fed in, Wh."""
    total = 0
    for meter in readings.values():
        here = [net for instant, net in sorted(meter.items()) if first <= instant <= first + DAY]
        total += here[-1] - here[0] if here else 0
    return total


def at_short_notice(name: str, day: int, hour: int, direction: str) -> Event:
    """An order for all that both districts offer. A street has no past yet that a baseline could be
    made of, so it is measured by the hours beside it, which wants a short notice."""
    more: dict[str, Any] = {"rule": "mbma", "notice_s": 900}
    return Event(name, day, hour, {A: POWER_W, B: POWER_W}, direction, 0.25, more)


@asynccontextmanager
async def week(
    folder: Path, runtime: str, days: int, events: Sequence[Event]
) -> AsyncIterator[Week]:
    """A network, and both districts laid out, on days that are past every run's date."""
    with make_network(runtime, folder) as network:
        made = Week(network, folder, twin_street(MONDAY, days, HOMES), events=events)
        try:
            made.up()
            made.open()
            async with AsyncExitStack() as stack:
                made.orders = Orders(made)
                await made.orders.open(stack)
                yield made
        finally:
            made.end()
