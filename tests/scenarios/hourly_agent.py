# SPDX-License-Identifier: Apache-2.0
"""An agent that reads, signs and brings hour by hour, so that a kill may come between any two.

`hourly_agent.py CONFIG START END`: every home of the configuration, from its library alone; ends
when everything up to END is settled. Started again on the same state, it goes on.
"""

import asyncio
import sys
from pathlib import Path

from emsagent import config as configuration
from emsagent.config import Config, HomeConfig
from emsagent.delivery import deliver
from emsagent.home import Home
from emsagent.uplink import Uplink

HOUR = 3_600


async def live(config: Config, start: int, end: int) -> None:
    """All homes side by side."""
    async with Uplink(next(iter(config.gateways.values()))) as uplink, asyncio.TaskGroup() as group:
        for one in config.homes:
            group.create_task(_home(config, one, uplink, start, end))


async def _home(config: Config, one: HomeConfig, uplink: Uplink, start: int, end: int) -> None:
    with Home(config, one) as home:
        for until in range(start, end + 1, HOUR):
            home.collect(until=until, since=start)
            pause = await deliver(home, uplink)
            while pause > 0:
                await asyncio.sleep(pause)
                pause = await deliver(home, uplink)


if __name__ == "__main__":
    asyncio.run(live(configuration.load(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])))
