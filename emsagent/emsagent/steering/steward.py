# SPDX-License-Identifier: Apache-2.0
"""One home's plan while the agent runs: made anew as time goes on, carried out, explained.

    <state>/plan/<home>.json    {problem, plan, figures, unmanaged, made}   the plan in force
    <state>/plan/<home>.paused  the occupant wants none of it: devices are left to themselves

The owner's word wins: a paused home's devices follow their own rule, whatever a plan or an order
says. An order that is followed bounds the plan. Without a plan that is fresh, without a store's
level, without history nothing is told, and a device nobody talks to goes on alone (`acting`).
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from emsagent import limits, logs
from emsagent.config import Config
from emsagent.drivers import Storing
from emsagent.errors import DriverFault
from emsagent.following import Follower
from emsagent.home import Home
from emsagent.planner import greedy, planning, tracking
from emsagent.planner.problem import Plan, Problem, figures
from emsagent.promises import replaced
from emsagent.steering import foresight
from emsagent.steering.foresight import Asked
from emsagent.steering.past import Past
from emsagent.steering.places import pause_path, plan_path
from emsagent.steering.signal import surplus
from emsagent.steering.wishes import PPM, StoreWish, Wish
from emsagent.uplink import Uplink


class Steward:
    """Plans for one home."""

    def __init__(
        self,
        config: Config,
        wish: Wish,
        home: Home,
        follower: Follower | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.wish, self._home, self._follower, self._clock = wish, home, follower, clock
        self.past = Past(config.state / "plan" / f"{wish.home}.past.json")
        self._path, self._pause = plan_path(config, wish.home), pause_path(config, wish.home)
        self.made: tuple[int, Problem, Plan] | None = None
        self._orders: list[Asked] = []
        home.listeners.append(self.past.hear)

    @property
    def is_paused(self) -> bool:
        """Whether the occupant wants none of it."""
        return self._pause.exists()

    async def serve(self, uplink: Uplink, turn: asyncio.Semaphore) -> None:
        """Plan when it is due, until cancelled; `turn` is for one process at a time."""
        while True:
            if self.is_due():
                async with turn:
                    await self.plan(uplink)
            await asyncio.sleep(limits.ACT_S)

    def is_due(self) -> bool:
        """Whether there is something to plan now, and the plan in force is of another time."""
        if self.is_paused or not foresight.is_known(self.past, self.wish):
            return False
        if self.made is None:
            return True
        is_old = int(self._clock()) >= self.made[0] + self.wish.every_s
        return is_old or self._asked() != self._orders

    async def plan(self, uplink: Uplink) -> None:
        """Make the plan in force. Never raises for what network, solver or disk do."""
        now = int(self._clock())
        told = {}
        if self.wish.local_value:
            told = await surplus(uplink, now, now + foresight.AHEAD_S)
        self._orders = self._asked()
        asked = foresight.problem(self.wish, self.past, self.levels(), now, self._orders, told)
        found = await planning.plan(asked)
        self.made = (now, asked, found)
        self.past.keep()
        self._keep()
        saved = (
            figures(asked, greedy.unmanaged(asked))["cost_ucur"]
            - figures(asked, found)["cost_ucur"]
        )
        logs.event(
            "plan",
            home=self.wish.home,
            method=found.method,
            stores=len(asked.stores),
            surplus_hours=len(told),
            orders=len(self._orders),
            saves_ucur=saved,
        )

    def levels(self) -> dict[str, int]:
        """Wh in each store that says how full it is."""
        found = {}
        for store in self.wish.stores:
            level = self._level(store)
            if level is not None:
                found[store.device] = level
        return found

    def setpoint(self, device: str, now: int) -> int | None:
        """W that a device should draw now (give, when negative), or None: its own rule."""
        if self.is_paused:
            return None
        moves = self._moves(now)
        if moves is not None and device in moves:
            return moves[device]
        follower = self._follower
        if follower is not None and follower.consent.acts == device:
            return follower.setpoint(now)
        return None

    def devices(self) -> list[str]:
        """Whom this plan tells something."""
        found = [one.device for one in self.wish.stores]
        return [*found, self.wish.sun] if self.wish.curtails and self.wish.sun else found

    def _moves(self, now: int) -> dict[str, int] | None:
        """W by device in the slot of now, as the plan in force has it and what is measured allows;
        None without a plan."""
        if self.made is None or now > self.made[0] + self.wish.every_s + limits.PLAN_LATE_S:
            return None
        _, asked, plan = self.made
        slot = (now - asked.start) // asked.step_s
        if not 0 <= slot < asked.slots:
            return None
        wh, curtailed = self._carried_out(asked, plan, slot, now)
        moves = {name: move * 3_600 // asked.step_s for name, move in wh.items()}
        by_name = {one.device: one for one in self.wish.stores}
        moves = {name: watts for name, watts in moves.items() if not by_name[name].is_away(now)}
        if self.wish.curtails and self.wish.sun and curtailed:
            made = max(0, asked.sun_wh[slot] - curtailed)
            moves[self.wish.sun] = -made * 3_600 // asked.step_s
        return moves

    def _carried_out(
        self, asked: Problem, plan: Plan, slot: int, now: int
    ) -> tuple[dict[str, int], int]:
        planned = {name: moves[slot] for name, moves in plan.moves.items()}
        real, levels = self._real(asked, slot, now), self.levels()
        if real is None or levels.keys() < planned.keys():
            return planned, plan.curtailed_wh[slot]
        return tracking.carried_out(real, 0, levels, asked, plan, slot)

    def _real(self, asked: Problem, slot: int, now: int) -> Problem | None:
        """The slot of now as the meters' last short interval has it, or None where that is old."""
        grid, made = self.past.power(self.wish.grid, now), 0
        if self.wish.sun is not None:
            sun = self.past.power(self.wish.sun, now)
            if sun is None:
                return None
            made = sun[1]
        stores = [self.past.power(one.device, now) for one in self.wish.stores]
        if grid is None or None in stores:
            return None
        moved = sum(one[0] - one[1] for one in stores if one is not None)
        used = max(0, grid[0] - grid[1] + made - moved)
        return replace(
            asked,
            load_wh=[asked.wh(used)],
            sun_wh=[asked.wh(made)],
            stores=[
                replace(
                    one,
                    drain_wh=one.drain_wh[slot : slot + 1],
                    least_wh=one.least_wh[slot : slot + 1],
                    connected=one.connected[slot : slot + 1],
                )
                for one in asked.stores
            ],
        )

    def _level(self, store: StoreWish) -> int | None:
        driver = self._home.meters[store.device].driver
        if not isinstance(driver, Storing):
            return None
        try:
            return store.capacity_wh * driver.level_ppm() // PPM
        except DriverFault as error:
            logs.event("no-level", device=store.device, reason=error.reason)
            return None

    def _asked(self) -> list[Asked]:
        if self._follower is None:
            return []
        now = int(self._clock())
        found = [one for one in self._follower.promises.values() if one.is_followed]
        return sorted(
            (Asked(one.start, one.until, one.watts) for one in found if one.until > now),
            key=lambda one: one.start,
        )

    def _keep(self) -> None:
        assert self.made is not None
        made, asked, plan = self.made
        told: dict[str, Any] = {
            "made": made,
            "problem": asdict(asked),
            "plan": asdict(plan),
            "figures": figures(asked, plan),
            "unmanaged": figures(asked, greedy.unmanaged(asked)),
        }
        try:
            replaced(self._path, json.dumps(told))
        except OSError as error:
            logs.event("plan-not-kept", home=self.wish.home, why=str(error.strerror))
