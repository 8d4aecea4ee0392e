# SPDX-License-Identifier: Apache-2.0
"""256-bit token ids: what a token is, readable from its number (rules K1, paper B section 3).

Bits from the most significant, 255, down; all that is not named is 0:

    255        money             the one money token
    254        energy            every energy token
    241        heat              one bit per carrier
    240        electricity
    216..239   hour of day, UTC  one-hot: hour h is bit 216 + h
    212..215   quarter           one-hot: quarter q is bit 212 + q; a whole hour has all four
    96..127    date              days since 1970-01-01, UTC
    64..95     zone              number of the market zone
    16..63     producer          number of the account that minted it; 0 in products and orders
    0..15      version           of this layout

Every property is a bit that is set, never one that is 0, so `id & mask == mask` selects exactly
the tokens that have all the mask's properties; with a binary code of the hour it would not (hour 3
has all the bits of hour 1). A mask finds a market; the whole id of a product finds its book.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from pedchain_domain.instants import DAY, format_day
from pedchain_domain.reasons import DomainError, Reason

HOUR: Final = 3_600
QUARTER: Final = 900
VERSION: Final = 1
MONEY_BIT: Final = 1 << 255
ENERGY_BIT: Final = 1 << 254
_HOUR_AT, _QUARTER_AT = 216, 212
_DATE_AT, _ZONE_AT, _PRODUCER_AT = 96, 64, 16
_WHOLE_HOUR = 0b1111
_BITS_32, _BITS_48, _BITS_16 = (1 << 32) - 1, (1 << 48) - 1, (1 << 16) - 1
_HEX = re.compile(r"[0-9a-f]{64}\Z")


class Carrier(StrEnum):
    """What kind of energy a token promises."""

    ELECTRICITY = "electricity"
    HEAT = "heat"


_CARRIER_BITS = {Carrier.ELECTRICITY: 1 << 240, Carrier.HEAT: 1 << 241}
MONEY: Final = MONEY_BIT | VERSION
"""The id of the money token."""


@dataclass(frozen=True, slots=True)
class Product:
    """What an energy token promises: a carrier in a zone from `start`, UTC s, for a whole hour or,
    with `quarter` 0..3, for that quarter of it. `producer` 0 is the product, not yet anyone's."""

    carrier: Carrier
    zone: int
    start: int
    quarter: int | None = None
    producer: int = 0

    @property
    def token(self) -> int:
        """The id. DomainError `unknown-token` for what no id can say."""
        self._check()
        hour = self.start % DAY // HOUR
        quarters = _WHOLE_HOUR if self.quarter is None else 1 << self.quarter
        upper = ENERGY_BIT | _CARRIER_BITS[self.carrier] | 1 << (_HOUR_AT + hour)
        lower = (self.start // DAY) << _DATE_AT | self.zone << _ZONE_AT
        return upper | quarters << _QUARTER_AT | lower | self.producer << _PRODUCER_AT | VERSION

    @property
    def begins(self) -> int:
        """When delivery begins, UTC s."""
        return self.start + QUARTER * (self.quarter or 0)

    @property
    def ends(self) -> int:
        """When delivery ends, UTC s, exclusive."""
        return self.start + HOUR if self.quarter is None else self.begins + QUARTER

    @property
    def name(self) -> str:
        """What people read beside the number, as `electricity 2026-03-29 13:00Z zone 7`."""
        second = self.begins % DAY
        clock = f"{second // HOUR:02d}:{second % HOUR // 60:02d}Z"
        length = "" if self.quarter is None else " 15 min"
        maker = f" producer {self.producer}" if self.producer else ""
        day = format_day(self.start // DAY)
        return f"{self.carrier} {day} {clock}{length} zone {self.zone}{maker}"

    def minted_by(self, producer: int) -> "Product":
        """The product as this producer's promise."""
        return replace(self, producer=producer)

    def _check(self) -> None:
        fits = 0 < self.zone <= _BITS_32 and 0 <= self.producer <= _BITS_48
        dated = self.start % HOUR == 0 and 0 <= self.start // DAY <= _BITS_32
        if not fits or not dated or self.quarter not in (None, 0, 1, 2, 3):
            raise DomainError(Reason.UNKNOWN_TOKEN)


def product_of(token: int) -> Product:
    """What an energy token promises; DomainError `unknown-token` for any other number."""
    carriers = [name for name, bit in _CARRIER_BITS.items() if token & bit]
    hours = token >> _HOUR_AT & ((1 << 24) - 1)
    quarters = token >> _QUARTER_AT & _WHOLE_HOUR
    if len(carriers) != 1 or hours.bit_count() != 1:
        raise DomainError(Reason.UNKNOWN_TOKEN)
    if quarters != _WHOLE_HOUR and quarters.bit_count() != 1:
        raise DomainError(Reason.UNKNOWN_TOKEN)
    start = (token >> _DATE_AT & _BITS_32) * DAY + (hours.bit_length() - 1) * HOUR
    quarter = None if quarters == _WHOLE_HOUR else quarters.bit_length() - 1
    zone, producer = token >> _ZONE_AT & _BITS_32, token >> _PRODUCER_AT & _BITS_48
    found = Product(carriers[0], zone, start, quarter, producer)
    if found.token != token:  # what is not named must be 0, and the version known
        raise DomainError(Reason.UNKNOWN_TOKEN)
    return found


def mask(
    *, carrier: Carrier | None = None, hour: int | None = None, quarter: int | None = None
) -> int:
    """The bits of energy tokens with these properties: a carrier, an hour of day 0..23, a quarter
    0..3. DomainError `unknown-token` for an hour or quarter that is none."""
    if hour not in (None, *range(24)) or quarter not in (None, *range(4)):
        raise DomainError(Reason.UNKNOWN_TOKEN)
    found = ENERGY_BIT
    if carrier is not None:
        found |= _CARRIER_BITS[carrier]
    if hour is not None:
        found |= 1 << (_HOUR_AT + hour)
    if quarter is not None:
        found |= 1 << (_QUARTER_AT + quarter)
    return found


def matches(token: int, wanted: int) -> bool:
    """Whether a token has every property of a mask."""
    return token & wanted == wanted


def name_of(token: int) -> str:
    """What people read beside the number."""
    return "money" if token == MONEY else product_of(token).name


def to_hex(token: int) -> str:
    """An id as documents spell it: 64 hex digits, so that no reader loses its low bits."""
    return f"{token:064x}"


def from_hex(text: object) -> int:
    """The id of 64 lower-case hex digits that is money or energy; DomainError `unknown-token`."""
    if not isinstance(text, str) or not _HEX.match(text):
        raise DomainError(Reason.UNKNOWN_TOKEN)
    token = int(text, 16)
    if token != MONEY:
        product_of(token)
    return token
