# SPDX-License-Identifier: Apache-2.0
"""An order as a district's steps see it."""

from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.metering import adoption
from pedchain_domain import calendar
from pedchain_domain.flexibility import baseline, history
from pedchain_domain.flexibility import order as orders
from pedchain_domain.flexibility.quantity import Direction
from pedchain_fabric.shim import Context, Refusal


class Wanted(NamedTuple):
    """An order as a district sees it: its part of the power, and the days and places it is judged
    by."""

    order: Document
    power_w: int
    is_plant: bool
    framed: history.Frame
    notice_day: str
    rule: baseline.Rule

    @property
    def direction(self) -> Direction:
        """Which way consumption is to go."""
        return Direction(self.order["direction"])

    @property
    def interval_wh(self) -> int:
        """Wh of an interval of the district's part."""
        return orders.energy({**self.order, "power_w": self.power_w})

    def capacity(self, body: Document) -> int:
        """What an enrolment offers in the order's direction, W."""
        return int(body["down_w"] if self.direction is Direction.DOWN else body["up_w"])


async def wanted(ctx: Context, asked: Document) -> Wanted:
    """The order of a call {order, notice, power_w, plant}. Refuses `outside-day`, `unknown-day`,
    `bad-quantity` for a grain that is not the district's."""
    order = asked["order"]
    district = await adoption.newest(ctx)
    rows: list[Any] = await adoption.calendar_rows(ctx, district)
    event = calendar.day_at(rows, order["start"])
    notice = calendar.day_at(rows, asked["notice"])
    if event is None or notice is None:
        raise Refusal("unknown-day")
    if district["grain"] != order["grain"]:
        raise Refusal("bad-quantity", "grain")
    with refusals():
        framed = history.frame(order, asked["notice"], event)
        rule = baseline.rule(order["rule"], Direction(order["direction"]))
    return Wanted(order, asked["power_w"], asked["plant"], framed, notice["day"], rule)
