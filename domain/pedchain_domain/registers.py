# SPDX-License-Identifier: Apache-2.0
"""Register text to whole units, and what a register may do between two readings (rules R3, R4, R6).

Wh for electricity and heat, dm3 for gas, m for distance. The register is floored, never the
difference, so that rounding can shift a watt-hour between neighbours and never lose one.
"""

from pedchain_domain import limits
from pedchain_domain.reasons import DomainError, Reason

_DIGITS = 18  # before the point, and behind it
# (multiplier, divisor) to the whole unit; the first two are OCMF's, the rest travel in its vendor
# field (rules M2). MJ and GJ convert exactly: x 10^6 or 10^9 joules / 3600.
OCMF_UNITS = {"Wh": (1, 1), "kWh": (1_000, 1)}
EXTENSION_UNITS = {
    "MJ": (1_000_000, 3_600),
    "GJ": (1_000_000_000, 3_600),
    "m3": (1_000, 1),
    "dm3": (1, 1),
    "m": (1, 1),
    "km": (1_000, 1),
}
CAP_MARGIN_PERCENT = 102


def to_whole(register: str, unit: tuple[int, int], num: int = 1, den: int = 1) -> int:
    """floor(text x unit x num / den) of a decimal register text (rules R3).

    `num` / `den` is the transformer ratio of the registration. DomainError `malformed-register`.

    >>> to_whole("1.0008", OCMF_UNITS["kWh"]), to_whole("12.345", OCMF_UNITS["kWh"], 50)
    (1000, 617250)
    """
    whole, point, fraction = register.partition(".")
    digits = whole + fraction
    if (
        not (digits.isascii() and digits.isdecimal())
        or not 0 < len(whole) <= _DIGITS
        or not bool(point) <= len(fraction) <= _DIGITS
    ):
        raise DomainError(Reason.MALFORMED_REGISTER)
    value: int = int(digits) * unit[0] * num // (10 ** len(fraction) * unit[1] * den)
    if value > limits.REGISTER_WH:
        raise DomainError(Reason.MALFORMED_REGISTER)
    return value


def to_text(wh: int) -> str:
    """The kWh text of a Wh register, three decimals: `to_whole` gives the same Wh back."""
    return f"{wh // 1_000}.{wh % 1_000:03d}"


def cap(power_w: int, seconds: int, grain: int) -> int:
    """Most a register may rise in `seconds` at `power_w` (rules R4).

    For one interval the rule's number: P x dt x 102 // 360000 + 1. Over several, one Wh of
    rounding each, so that joining intervals never makes a plausible sum implausible.

    >>> cap(20_000, 900, 900)
    5101
    """
    return power_w * seconds * CAP_MARGIN_PERCENT // 360_000 + max(1, -(-seconds // grain))


def rise(before: int, after: int, most: int, modulus: int | None) -> int | Reason:
    """Energy between two registers, or why there is none: `spike`, `decrease` (rules R6).

    A decrease is a rollover if the modulus is known, the register was above 9/10 of it and is
    below 1/10, and the energy is within the cap.

    >>> rise(999_999_800, 300, 5_100, 10**9), rise(52_000, 40, 5_101, 10**9)
    (500, <Reason.DECREASE: 'decrease'>)
    """
    delta = after - before
    if delta >= 0:
        return delta if delta <= most else Reason.SPIKE
    if modulus is None or before * 10 <= modulus * 9 or after * 10 >= modulus:
        return Reason.DECREASE
    return delta + modulus if delta + modulus <= most else Reason.DECREASE
