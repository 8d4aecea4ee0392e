# SPDX-License-Identifier: Apache-2.0
"""`emsagent run`: read at every interval's end, sign, store, send, follow orders; until asked to
stop."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from emsagent import limits, logs
from emsagent.config import Config, DriverConfig
from emsagent.delivery import deliver
from emsagent.drivers.live import late_s
from emsagent.errors import OutboxFull
from emsagent.following import Follower
from emsagent.home import Home
from emsagent.steering.hands import actors
from emsagent.steering.steward import Steward
from emsagent.toml import Table
from emsagent.uplink import Uplink
from emsagent.watching import Pulse, Service, tell_systemd


async def run(config: Config, stop: asyncio.Event) -> None:
    """Serve every home of the configuration until `stop` is set."""
    async with AsyncExitStack() as stack:
        uplinks = {
            district: await stack.enter_async_context(Uplink(gateway))
            for district, gateway in config.gateways.items()
        }
        homes = [stack.enter_context(Home(config, home)) for home in config.homes]
        followers = {one.home: Follower(config, one) for one in config.consents}
        by_id = {home.config.id: home for home in homes}
        stewards = {
            one.home: Steward(config, one, by_id[one.home], followers.get(one.home))
            for one in config.plans
        }
        pulse = Pulse()
        logs.event("started", homes=len(homes), devices=sum(len(home.meters) for home in homes))
        aside = _beside(config, homes, followers, pulse)
        aside += [one.serve() for one in actors(homes, followers, stewards)]
        turn = asyncio.Semaphore(1)
        for name, steward in stewards.items():
            aside.append(steward.serve(uplinks[by_id[name].config.district], turn))
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(one) for one in aside]
            serving = [
                group.create_task(_serve(home, uplinks, stop, followers.get(home.config.id), pulse))
                for home in homes
            ]
            await asyncio.gather(*serving)
            for one in beside:
                one.cancel()
        logs.event("stopped")


def _beside(
    config: Config, homes: Sequence[Home], followers: Mapping[str, Follower], pulse: Pulse
) -> list[Coroutine[Any, Any, None]]:
    """What goes on beside the homes' loops until they have ended."""
    found = [driver.serve() for home in homes for driver in home.live().values()]
    found.append(tell_systemd(pulse))
    if config.announce is not None:
        found.append(_announcing(config.announce, homes, followers))
    if config.listen is not None:
        found.append(Service(homes, pulse).serve(config.listen))
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


async def _serve(
    home: Home,
    uplinks: Mapping[str, Uplink],
    stop: asyncio.Event,
    follower: Follower | None,
    pulse: Pulse,
) -> None:
    late = late_s(home.config.interval_s) + 1 if home.live() else 0
    while not stop.is_set():
        pause = limits.BACKOFF_FIRST_S
        # Sending waits for answers: the loop is not overdue before they can have come.
        pulse.beat(home.config.id, home.config.interval_s + limits.ANSWER_S)
        try:
            with suppress(OutboxFull):  # told by the home; what is stored still goes out
                home.collect(until=int(time.time()))
            uplink = uplinks[home.config.district]
            pause = await deliver(home, uplink)
            if follower is not None:
                await follower.turn(uplink, int(time.time()))
        except OutboxFull as error:
            # The disk takes nothing: the same bytes stay due until it does.
            logs.alarm(error.code, home=home.config.id, detail=str(error))
        except OSError as error:
            logs.alarm("disk", home=home.config.id, detail=str(error.strerror))
        await _sleep(stop, _wait_s(home.config.interval_s, time.time() - late, pause))


def _wait_s(interval_s: int, now: float, pause_s: float) -> float:
    """Until the next interval's end, or the end of a pause if that comes first."""
    boundary = interval_s - now % interval_s
    return min(boundary, pause_s) if pause_s > 0 else boundary


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
