# SPDX-License-Identifier: Apache-2.0
"""`emsagent run`: read at every interval's end, sign, store, send, follow orders; until asked to
stop."""

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

from emsagent import limits, logs
from emsagent.acting import Clock
from emsagent.config import Config, DriverConfig
from emsagent.delivery import deliver
from emsagent.drivers.live import late_s
from emsagent.errors import OutboxFull
from emsagent.following import Asking, Follower
from emsagent.home import Home
from emsagent.openadr import OpenAdr
from emsagent.steering.hands import actors
from emsagent.steering.steward import Steward
from emsagent.streaming import listen
from emsagent.toml import Table
from emsagent.uplink import Uplink
from emsagent.watching import Pulse, Service, tell_systemd

if TYPE_CHECKING:
    from emsagent.trading.broker import Broker


async def run(config: Config, stop: asyncio.Event, clock: Clock = time.time) -> None:
    """Serve every home of the configuration until `stop` is set; `clock` is the time they live."""
    async with AsyncExitStack() as stack:
        uplinks = {
            district: await stack.enter_async_context(Uplink(gateway))
            for district, gateway in config.gateways.items()
        }
        homes = [stack.enter_context(Home(config, home)) for home in config.homes]
        parts = Parts(config, homes, uplinks, clock)
        pulse = Pulse()
        logs.event("started", homes=len(homes), devices=sum(len(home.meters) for home in homes))
        aside = _beside(config, parts, pulse)
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(one) for one in aside]
            serving = [group.create_task(_serve(home, parts, stop, pulse)) for home in homes]
            await asyncio.gather(*serving)
            for one in beside:
                one.cancel()
        logs.event("stopped")


class Parts:
    """What each home has: its way out, its part in demand response, its plan, its broker."""

    def __init__(
        self,
        config: Config,
        homes: Sequence[Home],
        uplinks: Mapping[str, Uplink],
        clock: Clock,
    ) -> None:
        self.homes, self.clock = homes, clock
        self.uplink = {home.config.id: uplinks[home.config.district] for home in homes}
        self.followers = {one.home: Follower(config, one) for one in config.consents}
        self.asking: dict[str, Asking] = {
            one.home: OpenAdr(self.uplink[one.home], one.openadr)
            if one.openadr
            else self.uplink[one.home]
            for one in config.consents
        }
        by_id = {home.config.id: home for home in homes}
        self.stewards = {
            one.home: Steward(config, one, by_id[one.home], self.followers.get(one.home), clock)
            for one in config.plans
        }
        self.brokers = _brokers(config, self.stewards, clock)
        self.wakes = {home.config.id: asyncio.Event() for home in homes}

    def serve(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on for homes beside their readings."""
        for actor in actors(self.homes, self.followers, self.stewards, self.clock):
            yield actor.serve()
        for name, follower in self.followers.items():
            if follower.consent.openadr is None:
                yield listen(follower, self.uplink[name], self.wakes[name])
        turn = asyncio.Semaphore(1)
        for name, steward in self.stewards.items():
            yield steward.serve(self.uplink[name], turn)
        for name, broker in self.brokers.items():
            yield broker.serve(self.uplink[name])


def _brokers(config: Config, stewards: Mapping[str, Steward], clock: Clock) -> dict[str, "Broker"]:
    if not config.mandates:
        return {}
    from emsagent.trading.broker import Broker  # only where orders are placed

    return {one.home: Broker(config, one, stewards[one.home], clock) for one in config.mandates}


def _beside(config: Config, parts: Parts, pulse: Pulse) -> list[Coroutine[Any, Any, None]]:
    """What goes on beside the homes' loops until they have ended."""
    found = [driver.serve() for home in parts.homes for driver in home.live().values()]
    found += parts.serve()
    found.append(tell_systemd(pulse))
    if config.announce is not None:
        found.append(_announcing(config.announce, parts.homes, parts.followers))
    if config.listen is not None:
        found.append(Service(parts.homes, pulse).serve(config.listen))
    return found


def _announcing(
    config: DriverConfig, homes: Sequence[Home], followers: Mapping[str, Follower]
) -> Coroutine[Any, Any, None]:
    from emsagent.announcing import announce  # only where Home Assistant is told
    from emsagent.drivers.mqtt import broker

    table = Table(config.settings, config.where)
    found = broker(table, config.base)
    table.done()
    return announce(found, homes, followers)


async def _serve(home: Home, parts: Parts, stop: asyncio.Event, pulse: Pulse) -> None:
    name = home.config.id
    uplink, follower, wake = parts.uplink[name], parts.followers.get(name), parts.wakes[name]
    late = late_s(home.config.interval_s) + 1 if home.live() else 0
    while not stop.is_set():
        pause = limits.BACKOFF_FIRST_S
        wake.clear()
        # Sending waits for answers: the loop is not overdue before they can have come.
        pulse.beat(name, home.config.interval_s + limits.ANSWER_S)
        try:
            with suppress(OutboxFull):  # told by the home; what is stored still goes out
                home.collect(until=int(parts.clock()))
            pause = await deliver(home, uplink)
            if follower is not None:
                await follower.turn(parts.asking[name], int(parts.clock()))
        except OutboxFull as error:
            # The disk takes nothing: the same bytes stay due until it does.
            logs.alarm(error.code, home=name, detail=str(error))
        except OSError as error:
            logs.alarm("disk", home=name, detail=str(error.strerror))
        await _sleep((stop, wake), _wait_s(home.config.interval_s, parts.clock() - late, pause))


def _wait_s(interval_s: int, now: float, pause_s: float) -> float:
    """Until the next interval's end, or the end of a pause if that comes first."""
    boundary = interval_s - now % interval_s
    return min(boundary, pause_s) if pause_s > 0 else boundary


async def _sleep(until: Sequence[asyncio.Event], seconds: float) -> None:
    """For so long, or until one of these is set."""
    tasks = [asyncio.ensure_future(one.wait()) for one in until]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in tasks:
            one.cancel()
