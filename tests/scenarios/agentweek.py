# SPDX-License-Identifier: Apache-2.0
"""A street whose agents lose their gateway, their link and a meter, beside a twin that does not.

Agents of DistrictA live through the days in this process, six hours a step; those of DistrictB,
the same homes, are posted undisturbed. One home hears of its gateway only at the very end.
"""

import json
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2

from emsagent import config as configuration
from emsagent.delivery import deliver
from emsagent.home import Home
from emsagent.uplink import Uplink
from pedchain_domain.sim import street as sim
from pedchain_domain.sim.weather import DAY, HOUR
from tests.scenarios.harness import network as make_network
from tests.scenarios.wholepath import A, WholePath, twin_street

STEP = 6 * HOUR
RECORDS_AT_ONCE = 2
"""Small posts, so that many are there to be lost."""


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


class Week(WholePath):
    """Both districts exchange the first home's grid meter in the middle of the time."""

    def lay_out(self) -> None:
        """The street with its exchanges, the same in both districts."""
        at = self.street.start + (self.street.end - self.street.start) // 2
        homes, exchanges = list(self.street.homes), []
        for index, home in enumerate(homes):
            if home.meters[0].id.endswith("home-01-grid"):
                homes[index], exchange = sim.exchanged(home, at)
                exchanges.append((home.district, exchange))
        self.street = replace(self.street, homes=tuple(homes))
        super().lay_out()
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
        """DistrictA's time; how often its link lost something."""
        config = configuration.load(self.agent_config(A))
        link = Link(random.Random(38), lost_percent)
        cut = random.Random(29)
        with ExitStack() as stack:
            homes = [stack.enter_context(Home(config, one)) for one in config.homes]
            async with Uplink(config.gateways[A], link) as uplink:
                uplink.records_max = RECORDS_AT_ONCE
                for until in range(self.street.start + STEP, self.street.end + 1, STEP):
                    link.is_cut = cut.randrange(3) == 0
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


@contextmanager
def week(folder: Path, runtime: str, days: int, homes: int) -> Iterator[Week]:
    """A network, both districts laid out, the twin posted."""
    end = int(time.time()) // DAY * DAY
    with make_network(runtime, folder) as network:
        made = Week(network, folder, twin_street(end, days, homes))
        try:
            made.set_out()
            yield made
        finally:
            made.end()
