# SPDX-License-Identifier: Apache-2.0
"""`emsagent simulate`: a street of homes in one process, replayed day by day.

Every home has its own keys, outbox file and signer, exactly as `run` has; only the clock is
replaced: a day's registers are read at once, signed, and brought to the gateway before the next
day begins. Homes that offer flexibility ask for their dispatches at midnight. Faults for trying: a
home offline for a day, a record forged with another key.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta

from emsagent import limits
from emsagent.config import Config
from emsagent.delivery import deliver
from emsagent.errors import UplinkError
from emsagent.following import Follower
from emsagent.forgery import forge
from emsagent.home import Home
from emsagent.outbox import State
from emsagent.uplink import Answer, Uplink

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """Which days (UTC, both included), and which faults: (home, day) and (device, day).

    `patience_s` is how long one day may wait for a gateway that does not answer.
    """

    first: date
    last: date
    offline: frozenset[tuple[str, date]] = frozenset()
    forged: frozenset[tuple[str, date]] = frozenset()
    patience_s: float = 120.0


@dataclass(slots=True)
class DayReport:
    """One simulated day: new records, how all records so far stand, and what was refused."""

    day: str
    records: int = 0
    offline: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    forged: list[dict[str, str | int]] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The report as JSON values."""
        return {**asdict(self), "states": dict(sorted(self.states.items()))}


async def simulate(config: Config, plan: Plan) -> AsyncIterator[DayReport]:
    """Replay the days in order; yields a report after each."""
    async with AsyncExitStack() as stack:
        uplinks = {
            district: await stack.enter_async_context(Uplink(gateway))
            for district, gateway in config.gateways.items()
        }
        homes = [stack.enter_context(Home(config, home)) for home in config.homes]
        followers = [Follower(config, one) for one in config.consents]
        day = plan.first
        while day <= plan.last:
            await _follow(followers, homes, day, uplinks)
            yield await _day(config, homes, plan, day, uplinks)
            day += timedelta(days=1)


async def _follow(
    followers: Sequence[Follower], homes: Sequence[Home], day: date, uplinks: Mapping[str, Uplink]
) -> None:
    """Before its day begins, every home that offers flexibility hears what it is asked."""
    district = {home.config.id: home.config.district for home in homes}
    side_by_side = asyncio.Semaphore(limits.HOMES_AT_ONCE)

    async def one(follower: Follower) -> None:
        async with side_by_side:
            await follower.turn(uplinks[district[follower.consent.home]], _midnight(day))

    async with asyncio.TaskGroup() as group:
        for follower in followers:
            group.create_task(one(follower))


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


async def _day(
    config: Config, homes: Sequence[Home], plan: Plan, day: date, uplinks: Mapping[str, Uplink]
) -> DayReport:
    report = DayReport(day.isoformat())
    side_by_side = asyncio.Semaphore(limits.HOMES_AT_ONCE)

    async def one(home: Home) -> None:
        async with side_by_side:
            await _home(config, home, plan, day, uplinks[home.config.district], report)

    async with asyncio.TaskGroup() as group:
        for home in homes:
            group.create_task(one(home))
    return report


async def _home(
    config: Config, home: Home, plan: Plan, day: date, uplink: Uplink, report: DayReport
) -> None:
    start = _midnight(day)
    report.records += home.collect(until=start + DAY_S, since=start)
    if (home.config.id, day) in plan.offline:
        report.offline.append(home.config.id)
    elif not await drained(home, uplink, plan.patience_s):
        report.unreachable.append(home.config.id)
    for device, when in plan.forged:
        if when == day and device in home.meters:
            report.forged.append(await _attack(config, home, device, start + DAY_S, uplink))
    report.states.update(
        {state.value: count for state, count in home.outbox.counts().items() if count}
    )


async def drained(home: Home, uplink: Uplink, patience_s: float) -> bool:
    """Deliver, waiting out pauses, until all is settled; False when patience ends first."""
    deadline = time.monotonic() + patience_s
    while (pause := await deliver(home, uplink)) > 0:
        if time.monotonic() + pause > deadline:
            return False
        await asyncio.sleep(pause)
    return True


async def _attack(
    config: Config, home: Home, device: str, instant: int, uplink: Uplink
) -> dict[str, str | int]:
    """Send, as somebody else would, a record that claims to be the device's next one."""
    counter = home.outbox.counters().get(device, 0) + 1
    record = forge(config, home.meters[device].device, counter, instant)
    try:
        answer = (await uplink.post([record]))[0]
    except UplinkError as error:
        answer = Answer("unknown", str(error), "")
    return {"device": device, "counter": counter, **asdict(answer)}


def failed(report: DayReport) -> bool:
    """Whether the day leaves something that should not be: unreachable gateways, conflicts."""
    return bool(report.unreachable or report.states[State.CONFLICT.value])
