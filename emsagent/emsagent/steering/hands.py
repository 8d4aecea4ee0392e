# SPDX-License-Identifier: Apache-2.0
"""Whom a running agent tells what: each device has one voice, its home's plan or its order."""

from collections.abc import Mapping, Sequence

from emsagent.acting import Actor, Clock
from emsagent.drivers import Controllable
from emsagent.errors import ConfigError
from emsagent.following import Follower
from emsagent.home import Home
from emsagent.steering.steward import Steward


class Hand:
    """A plan's word for one device."""

    def __init__(self, steward: Steward, device: str) -> None:
        self._steward, self._device = steward, device

    def setpoint(self, now: int) -> int | None:
        """W to draw now, or None: its own rule."""
        return self._steward.setpoint(self._device, now)


def actors(
    homes: Sequence[Home],
    followers: Mapping[str, Follower],
    stewards: Mapping[str, Steward],
    clock: Clock,
) -> list[Actor]:
    """Everyone that tells a device something. Raises `ConfigError` for a device that cannot be
    told anything."""
    found = []
    for home in homes:
        follower, steward = followers.get(home.config.id), stewards.get(home.config.id)
        names = set(steward.devices() if steward else ())
        if follower is not None and follower.consent.acts is not None:
            names.add(follower.consent.acts)
        for name in sorted(names):
            driver = home.meters[name].driver
            if not isinstance(driver, Controllable):
                raise ConfigError("plan", f"{name} cannot be told a power")
            wanted = Hand(steward, name) if steward else follower
            assert wanted is not None
            found.append(Actor(name, driver, wanted, clock))
    return found
