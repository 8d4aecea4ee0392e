# SPDX-License-Identifier: Apache-2.0
"""Texts of an operator's file as numbers and instants, exactly or not at all.

Values are integers of a millionth of the base unit (Wh, dm3, m): no float ever holds one.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from pedchain_gateway.importing.mapping import Mapping

MICRO = 1_000_000
WH, DM3, METRE = "Wh", "dm3", "m"
# (multiplier, divisor) to the base unit, and which.
UNITS = {
    "Wh": (1, 1, WH), "kWh": (1_000, 1, WH), "MWh": (1_000_000, 1, WH),
    "MJ": (1_000_000, 3_600, WH), "GJ": (1_000_000_000, 3_600, WH),
    "m3": (1_000, 1, DM3), "dm3": (1, 1, DM3),
    "m": (1, 1, METRE), "km": (1_000, 1, METRE),
}  # fmt: skip
POWERS = {"W": 1, "kW": 1_000, "MW": 1_000_000}
"""Mean power of an interval: its energy is power x seconds / 3600."""
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:[.,' \u00a0\u202f][0-9]{3})+(?:[.,][0-9]*)?\Z")
_DECIMAL = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{0,12}))?\Z")


_MIDNIGHT = "24:00"


class RowError(Exception):
    """A row that cannot be taken; `reason` is the slug of the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def quantity(text: str, unit: str, decimal: str, seconds: int) -> tuple[int, str]:
    """(millionths of the base unit, base unit) of a value. `seconds` turn power into energy.

    RowError `no-number`, `negative`, `unknown-unit`.
    """
    match = _DECIMAL.match(_plain(text, decimal))
    if match is None:
        raise RowError("no-number")
    sign, whole, fraction = match.groups()
    fraction = fraction or ""
    if sign and (whole + fraction).strip("0"):
        raise RowError("negative")
    scaled = int(whole + fraction)
    if unit in UNITS:
        times, over, base = UNITS[unit]
    elif unit in POWERS and seconds:
        times, over, base = POWERS[unit] * seconds, 3_600, WH
    else:
        raise RowError("unknown-unit")
    return scaled * times * MICRO // (over * 10 ** len(fraction)), base


def _plain(text: str, decimal: str) -> str:
    """The number with a point and without what groups its thousands. Where the decimal sign is a
    comma, `1.234` is a thousand and some, and `1.23` is no number."""
    found = text.strip()
    if found.isdecimal():
        return found
    if _GROUPED.match(found):
        whole, sign, fraction = found.partition(decimal)
        found = re.sub(r"[^0-9-]", "", whole) + sign + fraction
    if decimal == ",":
        return "" if "." in found else found.replace(",", ".")
    return found


class Clock:
    """Times of one file, by its mapping; the same text is worked out once.

    Local times that come twice (the night summer time ends) are told apart by the order of a
    series' rows: the first is the earlier one.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._format, self._zone = mapping.time, zone_of(mapping.zone)
        self._known: dict[str, tuple[int, int] | str] = {}

    def instant(self, text: str, after: int | None) -> int:
        """Epoch seconds; `after` is the series' instant before, in the file's own order.

        RowError `no-time`, `no-such-local-time`.
        """
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._read(text.strip())
        if isinstance(found, str):
            raise RowError(found)
        early, late = found
        return late if after is not None and after >= early and late > after else early

    def _read(self, text: str) -> tuple[int, int] | str:
        """(earlier, later) of a text: the same but for local times that come twice."""
        ends = _MIDNIGHT in text  # the end of a day, as some write it
        if ends:
            text = text.replace(_MIDNIGHT, "00:00", 1)
        try:
            if self._format == "epoch":
                return (int(text), int(text))
            if self._format == "iso":
                local = datetime.fromisoformat(text)
            else:
                local = datetime.strptime(text, self._format)  # noqa: DTZ007 - zone comes below
            local += timedelta(days=ends)
        except (ValueError, OverflowError):
            return "no-time"
        if local.tzinfo is not None:
            return (int(local.timestamp()),) * 2
        early = local.replace(tzinfo=self._zone, fold=0)
        late = local.replace(tzinfo=self._zone, fold=1)
        back = early.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None)
        if back != local:
            return "no-such-local-time"
        return int(early.timestamp()), int(late.timestamp())


def zone_of(name: str) -> ZoneInfo | timezone:
    """The zone of a mapping: of the database, or a fixed offset."""
    if name[:1] not in "+-":
        return ZoneInfo(name)
    minutes = int(name[1:3]) * 60 + int(name[4:])
    return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))
