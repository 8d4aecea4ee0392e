# SPDX-License-Identifier: Apache-2.0
"""Orders as people write them: `electricity:1:2026-03-29T12:00Z:500:0.15`, or rows of a CSV file.

side,carrier,zone,hour,wh,price        hour: UTC, price: currency per kWh, at most 3 decimals
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pedchain_domain.instants import parse_day
from pedchain_domain.market.following import ENERGY_ONLY
from pedchain_domain.market.orders import LINES, Kind
from pedchain_domain.market.tokenid import HOUR, Carrier, Product, to_hex
from pedchain_domain.reasons import DomainError

COLUMNS = ["side", "carrier", "zone", "hour", "wh", "price"]
MICRO = 1_000_000
_HOUR = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})T(?P<hour>\d{2}):00Z\Z", re.ASCII)
_PRICE = re.compile(r"\d{1,6}(\.\d{1,3})?\Z", re.ASCII)


class OrderError(Exception):
    """An order that cannot be read; the text says where and why."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A product, Wh and a limit in µcur per kWh."""

    product: Product
    wh: int
    price: int


def line(text: str) -> OrderLine:
    """A line as on the command line. Raises `OrderError`."""
    parts = text.split(":")
    if len(parts) != 6:  # the hour itself holds a colon
        raise OrderError(f"{text}: not CARRIER:ZONE:HOUR:WH:PRICE")
    carrier, zone, date, minute, wh, price = parts
    return _line(carrier, zone, f"{date}:{minute}", wh, price)


def rows(lines: Iterable[str]) -> list[tuple[Kind, OrderLine]]:
    """The rows of a CSV file. Raises `OrderError` with the number of the line."""
    reader = csv.DictReader(lines)
    if reader.fieldnames != COLUMNS:
        raise OrderError(f"the first line must be {','.join(COLUMNS)}")
    found = []
    for row in reader:
        if None in row or None in row.values():
            raise OrderError(f"line {reader.line_num}: {len(COLUMNS)} columns are wanted")
        try:
            terms = [row[name].strip() for name in COLUMNS]
            found.append((Kind(terms[0].upper()), _line(*terms[1:])))
        except (OrderError, ValueError) as error:
            raise OrderError(f"line {reader.line_num}: {error}") from error
    return found


def body(side: Kind, lines: Iterable[OrderLine], *, energy_only: bool = False) -> dict[str, Any]:
    """The body of an order's debit; certificates of origin go along unless it is `energy_only`."""
    listed = list(lines)
    return {
        **({"origin": ENERGY_ONLY} if energy_only else {}),
        "side": str(side),
        "tokens": [to_hex(one.product.token) for one in listed],
        "quantities": [one.wh for one in listed],
        "prices": [one.price for one in listed],
    }


def orders(found: Iterable[tuple[Kind, OrderLine]]) -> Iterator[tuple[Kind, list[OrderLine]]]:
    """Rows as orders: by side, as many lines in one as the market takes, no product twice."""
    waiting: dict[Kind, list[OrderLine]] = {}
    for side, one in found:
        lines = waiting.setdefault(side, [])
        if len(lines) == LINES or any(other.product == one.product for other in lines):
            yield side, lines
            lines = waiting[side] = []
        lines.append(one)
    yield from waiting.items()


def hour(text: str) -> int:
    """A UTC hour as `2026-03-29T12:00Z`. Raises `OrderError`."""
    found = _HOUR.match(text)
    if found is None or int(found["hour"]) > 23:
        raise OrderError(f"{text!r} is no UTC hour such as 2026-03-29T12:00Z")
    try:
        return parse_day(found["day"]) * 24 * HOUR + int(found["hour"]) * HOUR
    except DomainError as error:
        raise OrderError(f"{text!r} is no day there is") from error


def money(amount: int) -> str:
    """µcur as people read them."""
    return f"{Decimal(amount) / MICRO:.6f}"


def price(amount: int) -> str:
    """µcur per kWh as people read them."""
    return f"{Decimal(amount) / MICRO:.3f}"


def _line(carrier: str, zone: str, at: str, wh: str, limit: str) -> OrderLine:
    if carrier not in list(Carrier):
        raise OrderError(f"{carrier!r} is no carrier: {', '.join(Carrier)}")
    if not zone.isascii() or not zone.isdigit() or not wh.isascii() or not wh.isdigit():
        raise OrderError(f"zone {zone!r} and Wh {wh!r} must be whole numbers")
    if not _PRICE.match(limit):
        raise OrderError(f"{limit!r} is no price per kWh with at most 3 decimals")
    product = Product(Carrier(carrier), int(zone), hour(at))
    try:
        _ = product.token
    except DomainError as error:
        raise OrderError(f"zone {zone} there cannot be") from error
    return OrderLine(product, int(wh), int(Decimal(limit) * MICRO))
