# SPDX-License-Identifier: Apache-2.0
"""Numbers as people read them, and where they stand in a chart of 640 by 200."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

WIDTH, HEIGHT = 640, 200
#: Places for bars at the least: two days are not two walls.
BARS_MIN = 14
HIDDEN = "not published"
Document = dict[str, Any]


class Bar(NamedTuple):
    """A bar from the line of nought, up or down; `text` says what it shows."""

    x: float
    y: float
    width: float
    height: float
    below: bool
    text: str


class Chart(NamedTuple):
    """Bars, the height of the line of nought, and the same as rows of a table."""

    zero: float
    bars: tuple[Bar, ...]
    rows: tuple[tuple[str, str], ...]


def kwh(wh: int | None) -> str:
    """Energy; None is a number that may not be published or cannot be computed."""
    return HIDDEN if wh is None else f"{wh / 1_000:,.1f} kWh"


def cubic_metres(litres: int | None) -> str:
    """A volume of gas, of dm³."""
    return HIDDEN if litres is None else f"{litres / 1_000:,.1f} m³"


def kilometres(metres: int | None) -> str:
    """A distance."""
    return HIDDEN if metres is None else f"{metres / 1_000:,.1f} km"


def ratio(ppm: int | None) -> str:
    """A ratio of parts per million, to two digits."""
    return HIDDEN if ppm is None else f"{ppm / 1_000_000:.2f}"


def percent(ppm: int | None) -> str:
    """The same as percent."""
    return HIDDEN if ppm is None else f"{ppm / 10_000:.1f} %"


def kg(micrograms: int | None) -> str:
    """A mass of CO2."""
    return HIDDEN if micrograms is None else f"{micrograms / 1_000_000_000:,.1f} kg"


def at(seconds: int | None) -> str:
    """An instant, UTC."""
    if seconds is None:
        return "unknown"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def price(microcurrency: int | None) -> str:
    """µcur per kWh as currency per kWh."""
    return HIDDEN if microcurrency is None else f"{microcurrency / 1_000_000:.4f} per kWh"


def reason(document: Document, path: str) -> str:
    """Why a number of a certificate is not published, in words; empty where it is."""
    found = str(document.get("notes", {}).get(path, ""))
    return found.replace("-", " ")


def chart(values: Sequence[tuple[str, int | None]]) -> Chart:
    """Bars of named values in Wh; one that is not published leaves its place empty."""
    known = [wh for _, wh in values if wh is not None]
    top, bottom = max(0, *known, 0), min(0, *known, 0)
    span = (top - bottom) or 1
    zero = HEIGHT * top / span
    step = WIDTH / max(len(values), BARS_MIN)
    bars = tuple(
        Bar(
            round(place * step + step * 0.1, 2),
            round(zero if wh < 0 else zero - HEIGHT * wh / span, 2),
            round(step * 0.8, 2),
            round(abs(wh) * HEIGHT / span, 2),
            wh < 0,
            f"{name}: {kwh(wh)}",
        )
        for place, (name, wh) in enumerate(values)
        if wh is not None
    )
    return Chart(round(zero, 2), bars, tuple((name, kwh(wh)) for name, wh in values))


def currency(microcurrency: int | None) -> str:
    """An amount of µcur."""
    return "" if microcurrency is None else f"{microcurrency / 1_000_000:,.6f}"


class SharedHour(NamedTuple):
    """An account's hour as it is read: energies, then money, then what run FINAL did."""

    at: str
    energies: tuple[str, ...]
    money: tuple[str, str]
    note: str


def shared_hour(row: Document) -> SharedHour:
    """A row of the contract's `GetHours`: fed in, drawn, sold, bought, shared out and in (Wh), paid
    and received (µcur). A correction stands in place of what it corrects."""
    position = row["position"] or {}
    names = ("sold", "bought", "shared_out", "shared_in")
    parts = [row["fed_in"], row["drawn"], *(position.get(name, 0) for name in names)]
    energies = tuple("not measured" if wh is None else kwh(wh) for wh in parts)
    corrected = row.get("corrected")
    _, _, pays, receives = corrected or row.get("shared") or (None,) * 4
    note = "corrected by run FINAL" if corrected else ""
    return SharedHour(at(row["hour"]), energies, (currency(pays), currency(receives)), note)
