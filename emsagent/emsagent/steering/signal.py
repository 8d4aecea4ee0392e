# SPDX-License-Identifier: Apache-2.0
"""The district's published surplus: how much of what flows there is to spare, by hour.

It is asked of the gateway day by day and never believed longer than it is for: hours nobody told of
have no signal, and a plan is then made by the tariff alone. Nobody signs it: all it can do is move
energy that the home moves anyway, within the owner's `local_value`.
"""

from datetime import UTC, datetime
from typing import Any

from emsagent import logs
from emsagent.errors import UplinkError
from emsagent.planner.problem import PPM
from emsagent.uplink import Uplink

DAY_S = 86_400


async def surplus(uplink: Uplink, start: int, until: int) -> dict[int, int]:
    """ppm by hour for the days from `start` to `until`. Never raises for what the network does."""
    found: dict[int, int] = {}
    for day in range(start - start % DAY_S, until, DAY_S):
        name = datetime.fromtimestamp(day, UTC).strftime("%Y-%m-%d")
        try:
            found |= read(await uplink.surplus(name), day)
        except UplinkError as error:
            logs.event("no-surplus", day=name, why=str(error))
    return found


def read(told: dict[str, Any], day: int) -> dict[int, int]:
    """What a gateway told of a day. Raises `UplinkError` for what is no such thing."""
    hours = told.get("hours_ppm")
    if not isinstance(hours, list) or len(hours) != 24:
        raise UplinkError("the surplus cannot be read")
    if not all(type(one) is int and 0 <= one <= PPM for one in hours):
        raise UplinkError("the surplus cannot be read")
    return {day + hour * 3_600: ppm for hour, ppm in enumerate(hours)}
