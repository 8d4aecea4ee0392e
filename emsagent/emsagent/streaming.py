# SPDX-License-Identifier: Apache-2.0
"""Commands as they come: the gateway's server-sent events, beside asking again and again.

A stream only wakes: what it brings is asked for anew and judged like everything else, so that a
stream that lies, repeats or stops changes nothing but when a home hears of an order.
"""

import asyncio
from collections.abc import AsyncIterator

from emsagent import limits, logs
from emsagent.backoff import wait_s
from emsagent.errors import UplinkError
from emsagent.following import Follower
from emsagent.uplink import Uplink


async def listen(follower: Follower, uplink: Uplink, wake: asyncio.Event) -> None:
    """Set `wake` whenever the gateway has something for the home, until cancelled."""
    failures = 0
    while True:
        try:
            async for name in events(uplink.commands(follower.inquiry())):
                failures = 0
                if name == "dispatch":
                    wake.set()
        except UplinkError as error:
            failures += 1
            logs.event("no-stream", home=follower.consent.home, why=str(error))
        await asyncio.sleep(min(max(wait_s(failures), 1.0), limits.STREAM_RETRY_MAX_S))


async def events(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """The names of the events in a stream's lines."""
    name, has_data = "message", False
    async for line in lines:
        if len(line) > limits.MESSAGE_BYTES_MAX:
            raise UplinkError("an event is too long")
        field, _, value = line.partition(":")
        if not line:
            if has_data:
                yield name
            name, has_data = "message", False
        elif field == "event":
            name = value.strip()
        elif field == "data":
            has_data = True
