# SPDX-License-Identifier: Apache-2.0
"""Reference prices: what the grid charges and pays (rules K11).

    reference/1 {schema, carrier, start, classes: {class: {retail: [µcur/kWh], feed_in: [...]}}}

One table for one carrier and local day, a price per hour from `start` (UTC s) and supplier class,
retail net of fees and taxes. The system operator and a district publish it together at least a day
ahead; no price moves by more than 20 % from the day before, so that one wrong feed cannot move the
deposits and payments that rest on it. Prices of the peer-to-peer market never feed it. Where a day
has none, the newest one before it stands in, and what used it says so.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pedchain_domain import fields
from pedchain_domain.instants import DAY
from pedchain_domain.market.clearing import TICK
from pedchain_domain.market.delivery import Prices
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_domain.reasons import DomainError, Reason

CHANGE_PERCENT: Final = 20
HOURS: Final = (23, 24, 25)
CLASSES: Final = 16
AHEAD: Final = DAY
HIGHEST: Final = 10**9
Table = dict[str, Any]


class Quote(NamedTuple):
    """The references of an hour for one supplier class, µcur per kWh."""

    retail: int
    feed_in: int


def check(table: Mapping[str, Any], former: Table | None, clock: int) -> Table:
    """A table fit to be published at a time, after the day before's.

    DomainError `malformed-document`, `bad-price` (off the tick, feed-in above retail),
    `too-late` (not a day ahead), `price-jump`.
    """
    fields.check(table, _SHAPE)
    lengths = {len(prices): None for rows in table["classes"].values() for prices in rows.values()}
    if len(lengths) != 1 or next(iter(lengths)) not in HOURS:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "hours")
    for rows in table["classes"].values():
        for retail, feed_in in zip(rows["retail"], rows["feed_in"], strict=True):
            if feed_in > retail:
                raise DomainError(Reason.BAD_PRICE)
    if table["start"] - clock < AHEAD:
        raise DomainError(Reason.TOO_LATE)
    if former is not None:
        _steady(table["classes"], former["classes"])
    return dict(table)


def _steady(new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    """Hour by hour against the day before; an hour that day lacked against its last."""
    for name in sorted(new):
        for kind, prices in sorted(new[name].items()):
            before = old[name][kind] if name in old else prices
            for at, price in enumerate(prices):
                base = before[min(at, len(before) - 1)]
                if abs(price - base) * 100 > base * CHANGE_PERCENT:
                    raise DomainError(Reason.PRICE_JUMP)


def quote(table: Table, supplier: str, hour: int) -> Quote:
    """The references of an hour; a table of an earlier day stands in by the position in the day.

    DomainError `unknown-day` for an hour before the table, `missing-factor` for a class it lacks.
    """
    rows = table["classes"].get(supplier)
    if rows is None:
        raise DomainError(Reason.MISSING_FACTOR)
    at = _position(table, hour)
    return Quote(rows["retail"][at], rows["feed_in"][at])


def ceiling(table: Table, hour: int) -> int:
    """The highest retail reference of any class: what limits may not exceed, and what deposits of
    sellers reckon with, whoever will buy."""
    at = _position(table, hour)
    return max(int(rows["retail"][at]) for rows in table["classes"].values())


def stands_in(table: Table, hour: int) -> bool:
    """Whether the table is an earlier day's."""
    return bool(hour >= table["start"] + HOUR * _hours(table))


def prices(table: Table, agreed: int, hour: int, *, buyer: str, seller: str) -> Prices:
    """What a trade settles at: the buyer's class retail, the seller's class feed-in."""
    return Prices(agreed, quote(table, buyer, hour).retail, quote(table, seller, hour).feed_in)


def _position(table: Table, hour: int) -> int:
    if hour < table["start"]:
        raise DomainError(Reason.UNKNOWN_DAY)
    if not stands_in(table, hour):
        return int(hour - table["start"]) // HOUR
    return min(int(hour - table["start"]) % DAY // HOUR, _hours(table) - 1)


def _hours(table: Table) -> int:
    return len(next(iter(table["classes"].values()))["retail"])


def _prices(value: object) -> bool:
    return isinstance(value, list) and all(
        type(price) is int and 0 <= price <= HIGHEST and price % TICK == 0 for price in value
    )


def _class(name: object, rows: object) -> bool:
    if not fields.identifier(name) or not isinstance(rows, dict):
        return False
    return sorted(rows) == ["feed_in", "retail"] and all(map(_prices, rows.values()))


def _classes(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= CLASSES
        and all(_class(name, rows) for name, rows in value.items())
    )


_SHAPE: fields.Shape = {
    "schema": fields.one_of("reference/1"),
    "carrier": fields.one_of(*[str(carrier) for carrier in Carrier]),
    "start": lambda value: fields.count(value) and value % HOUR == 0,
    "classes": _classes,
}
