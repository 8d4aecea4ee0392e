# SPDX-License-Identifier: Apache-2.0
"""A home's orders on the ledger, as the owner's mandate has them: placed, amended, withdrawn.

    <state>/market/<home>.json    {at, orders: [{side, most_lost_ucur, lines}]}   what it wants now

Each is a debit the account's own key signs; the gateway carries it and can change nothing. What is
already on the ledger is asked first, so that an order is not placed twice: a lost answer leaves a
counter or an order that the next turn sees. A paused home leaves its orders as they are.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from emsagent import limits, logs
from emsagent.config import Config
from emsagent.errors import ConfigError, UplinkError
from emsagent.promises import replaced
from emsagent.steering.past import IN, OUT
from emsagent.steering.places import market_path
from emsagent.steering.steward import Steward
from emsagent.trading import intention
from emsagent.trading.intention import Order, Session
from emsagent.trading.mandate import Mandate
from emsagent.uplink import Uplink
from pedchain_domain import debit
from pedchain_domain.market.orders import Kind
from pedchain_domain.market.session import State

Document = dict[str, Any]
HOUR, AHEAD_H = 3_600, 48


class Broker:
    """Acts for one account. Raises `ConfigError` for a key that is none."""

    def __init__(
        self,
        config: Config,
        mandate: Mandate,
        steward: Steward,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.mandate, self._steward, self._clock = mandate, steward, clock
        self._domain = debit.Domain(config.network, config.channel, "settlement:market")
        self._key = _key(mandate)
        self._path = market_path(config, mandate.home)
        self._due = 0.0

    async def serve(self, uplink: Uplink) -> None:
        """Look at the orders when it is due, until cancelled."""
        while True:
            if self._clock() >= self._due and self._steward.made and not self._steward.is_paused:
                self._due = self._clock() + await self._turned(uplink)
            await asyncio.sleep(limits.ACT_S)

    async def _turned(self, uplink: Uplink) -> float:
        try:
            await self.turn(uplink)
        except UplinkError as error:
            logs.event("no-market", home=self.mandate.home, why=str(error))
            return min(limits.MARKET_AGAIN_S, self.mandate.every_s)
        return self.mandate.every_s

    async def turn(self, uplink: Uplink) -> None:
        """Have on the ledger what is intended now. Raises `UplinkError`, `Declined`."""
        now = int(self._clock())
        sessions = await self._sessions(uplink, now)
        wanted = self._intended(sessions, now)
        self._keep(now, wanted)
        if not sessions:
            return
        open_ids = {one.id for one in sessions}
        held = await self._held(uplink, open_ids)
        for side in Kind:
            order = next((one for one in wanted if one.side == side), None)
            mine = {name: one for name, one in held.items() if one["kind"] == side}
            await self._settle(uplink, order, mine)

    async def _settle(self, uplink: Uplink, order: Order | None, mine: dict[str, Document]) -> None:
        """One side: what is there becomes what is wanted."""
        first = min(mine, default=None)
        for name in sorted(mine):
            if order is None or name != first:
                await self._spend(uplink, "cancel-order", {"order": name}, None)
        if order is None:
            return
        if first is None:
            await self._spend(uplink, "register-order", order.body(), order)
        elif intention.differs(order, mine[first]):
            await self._spend(uplink, "amend-order", {**order.body(), "order": first}, order)

    async def _spend(
        self, uplink: Uplink, action: str, body: Document, order: Order | None
    ) -> None:
        account = self.mandate.account
        counter = (await self._ask(uplink, f"/v1/accounts/{account}"))["counter"]
        made = debit.Debit(self._domain, account, counter + 1, action, body)
        sent = json.loads(debit.sign(made, self._key).encode())
        told = await uplink.request("POST", f"/v1/accounts/{account}/debits", sent, self._token())
        logs.event(
            action,
            home=self.mandate.home,
            status=told.get("status"),
            lines=len(order.lines) if order else 0,
            most_lost_ucur=order.most_lost_ucur if order else 0,
        )

    async def _sessions(self, uplink: Uplink, now: int) -> list[Session]:
        """Open sessions of the coming hours."""
        found = []
        for at in range(1, AHEAD_H + 1):
            hour = now - now % HOUR + at * HOUR
            name = intention.session_of(self.mandate.zone, hour)
            try:
                told = await uplink.request("GET", f"/v1/market/sessions/{name}")
            except UplinkError:
                continue  # there is none, or it is asked again with the next turn
            if told.get("state") == State.OPEN:
                found.append(Session(name, hour, int(told["ceiling"]), int(told["lot"])))
        return found

    async def _held(self, uplink: Uplink, open_ids: set[str]) -> dict[str, Document]:
        """The account's orders of sessions that are all open: others are firm."""
        found: dict[str, Document] = {}
        after = ""
        while True:
            path = f"/v1/accounts/{self.mandate.account}/orders?after={after}"
            page = await self._ask(uplink, path)
            found |= page["orders"]
            after = page.get("cursor") or ""
            if not after:
                break
        return {
            name: one
            for name, one in found.items()
            if {line["session"] for line in one["lines"]} <= open_ids
        }

    def _intended(self, sessions: list[Session], now: int) -> list[Order]:
        steward = self._steward
        grid = steward.wish.grid
        nets = intention.planned(*steward.made[1:]) if steward.made else {}
        return intention.intended(
            self.mandate,
            sessions,
            intention.hourly(steward.past.of(grid, OUT)),
            intention.hourly(steward.past.of(grid, IN)),
            nets,
            now,
        )

    async def _ask(self, uplink: Uplink, path: str) -> Document:
        return await uplink.request("GET", path, None, self._token())

    def _token(self) -> str:
        try:
            return self.mandate.token_file.read_text().strip()
        except OSError as error:
            raise UplinkError(f"the person's token: {error.strerror}") from error

    def _keep(self, now: int, wanted: list[Order]) -> None:
        told = [
            {
                "side": str(one.side),
                "most_lost_ucur": one.most_lost_ucur,
                "lines": [asdict(line) for line in one.lines],
            }
            for one in wanted
        ]
        try:
            replaced(self._path, json.dumps({"at": now, "orders": told}))
        except OSError as error:
            logs.event("market-not-kept", home=self.mandate.home, why=str(error.strerror))


def _key(mandate: Mandate) -> debit.PrivateKey:
    try:
        return debit.private_key(mandate.key_file.read_bytes())
    except OSError as error:
        raise ConfigError("market.key_file", f"{mandate.key_file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError("market.key_file", str(error)) from error
