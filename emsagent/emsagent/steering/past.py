# SPDX-License-Identifier: Apache-2.0
"""What a home's meters counted, by quarter-hour: what forecasts are made from.

    <state>/plan/<home>.past.json    {device: {"in": {slot: Wh}, "out": {slot: Wh}}}

A reading's energy since the one before falls evenly on the time between them; across more than six
hours it is left out. The file may be lost: then the home learns again.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from emsagent import limits, logs
from emsagent.drivers import Register, Sample
from emsagent.planner.forecast import DAY_S, LOOKED_BACK
from emsagent.promises import replaced
from emsagent.steering.wishes import STEP_S, Wish

IN, OUT = "in", "out"
_WAYS = {"1-0:1.8.0*255": IN, "1-0:2.8.0*255": OUT}
GAP_S = 6 * 3_600
Counted = tuple[int, dict[str, int]]
"""An instant, and Wh by way."""


class Past:
    """A home's measured quarter-hours, in memory and on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.slots: dict[str, dict[str, dict[int, int]]] = _read(path)
        self._last: dict[str, Counted] = {}
        self._latest: dict[str, tuple[int, int, dict[str, int]]] = {}

    def hear(self, device: str, samples: Iterable[Sample]) -> None:
        """Take readings of a device, in order of time."""
        for sample in samples:
            now = _counted(sample)
            before = self._last.get(device)
            if before is not None and before[0] < now[0] <= before[0] + GAP_S:
                self._add(device, before, now)
            self._last[device] = now

    def power(self, device: str, now: int) -> tuple[int, int] | None:
        """W in and out over a device's last interval, if it has just ended and was short."""
        found = self._latest.get(device)
        if (
            found is None
            or found[1] - found[0] > limits.RECENT_S
            or now - found[1] > 2 * limits.RECENT_S
        ):
            return None
        since, until, wh = found
        return tuple(wh.get(way, 0) * 3_600 // (until - since) for way in (IN, OUT))  # type: ignore[return-value] # two

    def of(self, device: str | None, way: str) -> Mapping[int, int]:
        """Wh by slot."""
        return self.slots.get(device or "", {}).get(way, {})

    def keep(self) -> None:
        """Write it, without what no forecast looks at any more."""
        for ways in self.slots.values():
            for way, slots in ways.items():
                oldest = max(slots, default=0) - (LOOKED_BACK + 1) * DAY_S
                ways[way] = {at: wh for at, wh in slots.items() if at >= oldest}
        try:
            replaced(self._path, json.dumps(self.slots))
        except OSError as error:
            logs.event("past-not-kept", why=str(error.strerror))

    def _add(self, device: str, before: Counted, now: Counted) -> None:
        since, until = before[0], now[0]
        moved = {way: now[1][way] - before[1].get(way, now[1][way]) for way in now[1]}
        if any(wh < 0 for wh in moved.values()):
            return  # a register that went back tells nothing
        self._latest[device] = (since, until, moved)
        for way, wh in moved.items():
            slots = self.slots.setdefault(device, {}).setdefault(way, {})
            for at in range(since - since % STEP_S, until, STEP_S):
                begin, end = max(at, since), min(at + STEP_S, until)
                share = wh * (end - since) // (until - since) - wh * (begin - since) // (
                    until - since
                )
                slots[at] = slots.get(at, 0) + share


def load(past: Past, wish: Wish) -> dict[int, int]:
    """Wh that the home used by slot, without its stores: where all that takes part was counted."""
    drawn, fed = past.of(wish.grid, IN), past.of(wish.grid, OUT)
    made = past.of(wish.sun, OUT)
    found = {}
    for at, wh in drawn.items():
        if wish.sun is not None and at not in made:
            continue
        found[at] = max(0, wh - fed.get(at, 0) + made.get(at, 0) - _moved(past, wish, at))
    return found


def sun(past: Past, wish: Wish) -> Mapping[int, int]:
    """Wh that the home made by slot; without a meter of it, what was more than it used."""
    if wish.sun is not None:
        return past.of(wish.sun, OUT)
    drawn, fed = past.of(wish.grid, IN), past.of(wish.grid, OUT)
    return {at: max(0, fed.get(at, 0) - wh + _moved(past, wish, at)) for at, wh in drawn.items()}


def _moved(past: Past, wish: Wish, at: int) -> int:
    """Wh that stores took in a slot; minus: gave."""
    names = [one.device for one in wish.stores]
    return sum(past.of(one, IN).get(at, 0) - past.of(one, OUT).get(at, 0) for one in names)


def _counted(sample: Sample) -> Counted:
    found = {_WAYS[one.obis]: _wh(one) for one in sample.registers if one.obis in _WAYS}
    return sample.instant, {way: wh for way, wh in found.items() if wh is not None}


def _wh(register: Register) -> int | None:
    try:
        value = Decimal(register.text)
    except InvalidOperation:
        return None
    return int(value * 1_000) if register.unit == "kWh" else int(value)


def _read(path: Path) -> dict[str, dict[str, dict[int, int]]]:
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(limits.PLAN_BYTES_MAX))
        return {
            device: {
                way: {int(at): int(wh) for at, wh in slots.items()} for way, slots in ways.items()
            }
            for device, ways in told.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError):
        logs.event("past-lost", path=path.name)
        return {}
