# SPDX-License-Identifier: Apache-2.0
"""What of an account's month went and came with its origin (rules P2)."""

from collections.abc import Awaitable, Callable
from typing import Any

from pedchain_domain.market.following import received
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_gateway.ledger.port import Refused, Unavailable, definition_of

Ask = Callable[..., Awaitable[Any]]
Origin = dict[str, int | None]


async def of(ask: Ask, account: str, month: str) -> Origin:
    """{given_wh, came_wh, certified_wh}: the last is null where the district's certificates cannot
    be read. What is past its retention counts no more. Raises `Refused`, `Unavailable`."""
    holder = await ask("tokens:GetAccount", account)
    given, came, certified = 0, 0, [0]
    if str(Carrier.ELECTRICITY) not in holder["places"]:
        return {"given_wh": 0, "came_wh": 0, "certified_wh": 0}
    for day in await ask("sharing:GetDays", month):
        found = await _day(ask, account, day)
        given += sum(wh for _, _, wh, _ in found["given"])
        came += sum(wh for _, _, wh, _ in found["taken"])
        if found["taken"] and certified:
            certified = await _certified(ask, holder["district"], day["day"], found, certified)
    return {"given_wh": given, "came_wh": came, "certified_wh": certified[0] if certified else None}


async def _day(ask: Ask, account: str, day: dict[str, Any]) -> dict[str, list[Any]]:
    """Rows [hour, pool, Wh, whole], given and taken; hours still open count nothing yet."""
    try:
        told = await ask("sharing:GetOrigin", account, str(day["start"]))
    except Refused as error:
        if error.reason != "too-late":
            raise
        told = {"given": [], "taken": []}
    return {
        way: [
            [day["start"] + at * HOUR, *row]
            for at, rows in enumerate(told[way])
            if isinstance(rows, list) and day["start"] + at * HOUR < day["end"]
            for row in rows
        ]
        for way in ("given", "taken")
    }


async def _certified(
    ask: Ask, district: str, day: str, found: dict[str, list[Any]], before: list[int]
) -> list[int]:
    """What certificates stood behind what came, with those of the days before; nothing where they
    cannot be read."""
    try:
        pools = await ask("origin:GetPools", day, definition=definition_of(district))
    except (Refused, Unavailable):
        return []
    rows = [
        received(pools.get(str(hour), {}).get(pool, 0), mine=wh, whole=whole)
        for hour, pool, wh, whole in found["taken"]
    ]
    return [before[0] + sum(rows)]
