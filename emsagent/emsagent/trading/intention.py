# SPDX-License-Identifier: Apache-2.0
"""What a home would have in the market now: pure, from what it measured and what it plans.

An hour's offer is at most the 30 % quantile of what was fed in at that hour (rules K9: what is not
delivered is paid for), what the plan in force feeds in then, and the owner's cap. Lines are taken
hour by hour while their deposits fit into what the owner may lose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emsagent.planner import forecast
from emsagent.planner.problem import Plan, Problem
from emsagent.trading.mandate import Mandate
from pedchain_domain.market import deposit
from pedchain_domain.market.orders import LINES, Kind
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Carrier

QUANTILE_PERCENT = 30
HOUR = 3_600
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: its id, hour, the reference price no limit passes, its least Wh."""

    id: str
    hour: int
    ceiling: int
    lot: int


@dataclass(frozen=True, slots=True)
class Line:
    """Wh of an hour at a limit, ucur/kWh, and the deposit it locks, ucur."""

    session: str
    hour: int
    wh: int
    limit: int
    deposit: int


@dataclass(frozen=True, slots=True)
class Order:
    """Lines of one side. `most_lost_ucur` is what its owner can lose at most."""

    side: Kind
    lines: tuple[Line, ...]

    @property
    def most_lost_ucur(self) -> int:
        """The deposits of all lines."""
        return sum(one.deposit for one in self.lines)

    def body(self) -> Document:
        """The body of the debit that places it."""
        return {
            "side": str(self.side),
            "tokens": [one.session for one in self.lines],
            "quantities": [one.wh for one in self.lines],
            "prices": [one.limit for one in self.lines],
        }


def session_of(zone: int, hour: int) -> str:
    """The id of an hour's session, which is its token's."""
    return session_id(Carrier.ELECTRICITY, zone, hour)


def hourly(slots: Mapping[int, int]) -> dict[int, int]:
    """Wh by whole hour, of hours all of whose quarters are known."""
    hours = {at - at % HOUR for at in slots}
    parts = {hour: [slots.get(hour + at) for at in range(0, HOUR, 900)] for hour in hours}
    return {hour: sum(found) for hour, found in parts.items() if None not in found}  # type: ignore[arg-type] # none is None


def planned(problem: Problem, plan: Plan) -> dict[int, int]:
    """Wh drawn (minus: fed in) by hour, as a plan has it."""
    nets = {
        problem.start + slot * problem.step_s: plan.net_wh(problem, slot)
        for slot in range(problem.slots)
    }
    return hourly(nets)


def intended(
    mandate: Mandate,
    sessions: Sequence[Session],
    fed: Mapping[int, int],
    drawn: Mapping[int, int],
    nets: Mapping[int, int],
    now: int,
) -> list[Order]:
    """The orders a home would have, an offer and a bid at most; `fed` and `drawn` are Wh by hour
    of the past, `nets` Wh by hour as planned."""
    left, found = mandate.loss_max_ucur, []
    taken: set[int] = set()
    for side, price, past in (
        (Kind.OFFER, mandate.offer_price, fed),
        (Kind.BID, mandate.bid_price, drawn),
    ):
        lines: list[Line] = []
        for one in sorted(sessions, key=lambda session: session.hour):
            if price is None or price > one.ceiling or one.hour in taken or len(lines) == LINES:
                continue
            sign = -1 if side == Kind.OFFER else 1
            sure = forecast.quantile(past, one.hour, now, QUANTILE_PERCENT)
            wh = min(sure, sign * nets.get(one.hour, sign * sure), mandate.hour_max_wh)
            locked = _deposit(side, wh, price, one.ceiling)
            if wh >= one.lot and locked <= left:
                lines.append(Line(one.id, one.hour, wh, price, locked))
                taken.add(one.hour)  # nobody stands on both sides of an hour
                left -= locked
        if lines:
            found.append(Order(side, tuple(lines)))
    return found


def differs(order: Order, held: Document) -> bool:
    """Whether an order on the ledger is another than intended, by a tenth of a line or more."""
    wanted = {one.session: one for one in order.lines}
    there = {one["session"]: one for one in held["lines"]}
    if wanted.keys() != there.keys():
        return True
    return any(
        line.limit != there[name]["limit"]
        or abs(line.wh - there[name]["quantity"]) * 10 > there[name]["quantity"]
        for name, line in wanted.items()
    )


def _deposit(side: Kind, wh: int, price: int, ceiling: int) -> int:
    if side == Kind.OFFER:
        return deposit.of_offer(wh, price, ceiling)
    return deposit.of_bid(wh, price)
