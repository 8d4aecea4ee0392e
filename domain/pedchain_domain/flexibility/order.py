# SPDX-License-Identifier: Apache-2.0
"""An order of the system operator for more or less consumption (rules D2, D16).

    order/1  {schema, id, issuer, provider, districts, direction, product, start, count, grain,
              power_w, price, penalty, notice_s, rule, availability, toe_price, supplier,
              low_accuracy}

`start` is the first of `count` intervals of `grain` seconds, all within one local day, so that like
days can be compared by the clock. Prices are µcur per kWh, `availability` µcur per kW and hour.
A `firm` order's provider pays for what is missing, and locks the most that can be; a `best-effort`
one is paid for what it delivers, and neither has a penalty nor locks anything for one (our rule on
D2). A `test` is dispatched and paid as a firm order, at most once a month and provider (rules D11).
`toe_price` is always said, with the `supplier` account it goes to, or null for none; `low_accuracy`
is the issuer's word that it takes a weak baseline.
"""

from collections.abc import Mapping
from typing import Any

from pedchain_domain import fields
from pedchain_domain.calendar import Day
from pedchain_domain.flexibility.baseline import RULES, rule
from pedchain_domain.flexibility.ownday import METER, MOST_NOTICE_S
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
BEST_EFFORT, TEST = "best-effort", "test"
PRODUCTS = ("firm", BEST_EFFORT, TEST)
LEAST_INTERVALS, MOST_INTERVALS = 2, 100
LEAST_SITE_W, LEAST_SITES = 100, 15
PRICE_STEP = 1_000
MOST_PENALTY_PRICES = 2
MOST_POWER_W = 10**12

SHAPE: fields.Shape = {
    "schema": fields.one_of("order/1"),
    "id": fields.identifier,
    "issuer": fields.identifier,
    "provider": fields.identifier,
    "districts": fields.identifiers,
    "direction": fields.one_of(*Direction),
    "product": fields.one_of(*PRODUCTS),
    "start": fields.count,
    "count": fields.up_to(MOST_INTERVALS),
    "grain": fields.one_of(900, 3600),
    "power_w": fields.up_to(MOST_POWER_W),
    "price": fields.count,
    "penalty": fields.count,
    "notice_s": fields.count,
    "rule": fields.one_of(*RULES),
    "availability": fields.count,
    "toe_price": fields.count,
    "supplier": fields.identifier_or_none,
    "low_accuracy": fields.flag,
}


def check(order: Mapping[str, Any]) -> None:
    """Refuse an order that could not be settled as it is written; DomainError with the rule's
    reason."""
    fields.check(order, SHAPE)
    check_intervals(order)
    energy(order)
    check_prices(order)
    check_product(order)
    check_rule(order)


def check_intervals(order: Mapping[str, Any]) -> None:
    """At least two intervals, on the grain; DomainError `bad-quantity`."""
    if order["count"] < LEAST_INTERVALS or order["start"] % order["grain"]:
        raise DomainError(Reason.BAD_QUANTITY, "intervals")


def energy(order: Mapping[str, Any]) -> int:
    """Wh of each interval; DomainError `bad-quantity` for none, `indivisible-power` for a power
    that is no whole Wh per interval."""
    if order["power_w"] == 0:
        raise DomainError(Reason.BAD_QUANTITY, "power")
    if order["power_w"] * order["grain"] % 3_600:
        raise DomainError(Reason.INDIVISIBLE_POWER)
    return int(order["power_w"] * order["grain"] // 3_600)


def check_prices(order: Mapping[str, Any]) -> None:
    """Prices in whole µcur per Wh, a penalty of at most twice the price; DomainError `bad-price`,
    `penalty-too-high`."""
    names = ("price", "penalty", "toe_price")
    if order["price"] == 0 or any(order[name] % PRICE_STEP for name in names):
        raise DomainError(Reason.BAD_PRICE)
    if order["toe_price"] and order["supplier"] is None:
        raise DomainError(Reason.BAD_PRICE, "supplier")
    if order["penalty"] > MOST_PENALTY_PRICES * order["price"]:
        raise DomainError(Reason.PENALTY_TOO_HIGH)


def is_firm(order: Mapping[str, Any]) -> bool:
    """Whether what is missing is charged: of every product but best effort."""
    return bool(order["product"] != BEST_EFFORT)


def check_product(order: Mapping[str, Any]) -> None:
    """No penalty for what was promised as best effort; DomainError `penalty-too-high`."""
    if not is_firm(order) and order["penalty"]:
        raise DomainError(Reason.PENALTY_TOO_HIGH, BEST_EFFORT)


def check_rule(order: Mapping[str, Any]) -> None:
    """A baseline that may serve this direction and notice; DomainError `direction-refused`,
    `notice-too-long`."""
    rule(order["rule"], Direction(order["direction"]))
    check_notice(order, order["notice_s"])


def check_notice(order: Mapping[str, Any], seconds: int) -> None:
    """Whether a notice so long before the start serves the rule; DomainError `notice-too-long`."""
    if order["rule"] == METER and seconds > MOST_NOTICE_S:
        raise DomainError(Reason.NOTICE_TOO_LONG)


def check_time(order: Mapping[str, Any], clock: int) -> None:
    """Whether the notice that was promised can still be kept, by the ledger's clock; DomainError
    `past-hour`, `too-late`."""
    if order["start"] <= clock:
        raise DomainError(Reason.PAST_HOUR)
    if order["start"] - clock < order["notice_s"]:
        raise DomainError(Reason.TOO_LATE)


def check_day(order: Mapping[str, Any], day: Day) -> None:
    """Whether the order lies within one local day; DomainError `outside-day`."""
    if order["start"] < day["start"] or end(order) > day["end"]:
        raise DomainError(Reason.OUTSIDE_DAY)


def check_size(order: Mapping[str, Any], capacities: Mapping[str, int], is_plant: bool) -> None:
    """Whether the sites (capacity in W) are enough of them, and together strong enough; DomainError
    `group-too-small`, `beyond-capacity`. A single plant its provider declares is one site."""
    able = [watts for watts in capacities.values() if watts >= LEAST_SITE_W]
    if len(able) < (1 if is_plant else LEAST_SITES):
        raise DomainError(Reason.GROUP_TOO_SMALL)
    if sum(able) < order["power_w"]:
        raise DomainError(Reason.BEYOND_CAPACITY)


def end(order: Mapping[str, Any]) -> int:
    """The instant at which the last interval ends."""
    return int(order["start"] + order["count"] * order["grain"])


def overlaps(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two orders want the same instant: a site follows one at a time."""
    return bool(one["start"] < end(other) and other["start"] < end(one))
