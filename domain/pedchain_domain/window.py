# SPDX-License-Identifier: Apache-2.0
"""The rolling window of 365 local days: one day in, one day out, exact (rules V1, I12).

    window/1 {schema, salt, length, first, last, days,
              additive: {name: integer}, months: {"2026-11": [known, required] register-seconds},
              daily: [[day, [maxima], {start edge}, [joined], [hidden]]], end: {end edge of the last
              day}, open: {name: block that goes on}, scope}

Each run (P, F, FINAL) has a window of its own, over totals of the same run, so that a later run
of a day changes no window that was printed before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_domain import calendar
from pedchain_domain.readings import derive_salt
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]


def empty(length: int) -> Document:
    """A window before its first day."""
    return {
        "schema": "window/1",
        "salt": derive_salt("window", []),
        "length": length,
        "first": None,
        "last": None,
        "days": 0,
        "additive": {},
        "months": {},
        "daily": [],
        "end": {"wh": 0, "ghg": 0, "nren": 0},
        "open": {},
        "scope": {},
    }


def leaving(window: Document) -> str | None:
    """The day whose totals must leave when the next one enters, or None while there is room."""
    day: str | None = window["first"] if window["days"] == window["length"] else None
    return day


def advance(window: Document, incoming: Document, outgoing: Document | None = None) -> Document:
    """The window with the next day in and, once it is full, its first day out.

    DomainError `not-consecutive` if `incoming` is not the day after `last`, or `outgoing` not
    what `leaving` names.
    """
    last = window["last"]
    if last is not None and calendar.shifted(last, 1) != incoming["day"]:
        raise DomainError(Reason.NOT_CONSECUTIVE, "incoming")
    if leaving(window) != (None if outgoing is None else outgoing["day"]):
        raise DomainError(Reason.NOT_CONSECUTIVE, "outgoing")
    additive = _sum(window["additive"], incoming["additive"], 1)
    months = _months(window["months"], incoming, 1)
    entry = [
        incoming["day"],
        incoming["maxima"],
        incoming["edges"]["start"],
        incoming.get("joined", []),
        sorted(incoming.get("hidden", {})),
    ]
    daily = [*window["daily"], entry]
    if outgoing is not None:
        additive = _sum(additive, outgoing["additive"], -1)
        months = _months(months, outgoing, -1)
        daily = daily[1:]
    return {
        "schema": "window/1",
        "salt": derive_salt("window", [window["salt"], incoming["salt"]]),
        "length": window["length"],
        "first": daily[0][0],
        "last": incoming["day"],
        "days": len(daily),
        "additive": additive,
        "months": months,
        "daily": daily,
        "end": incoming["edges"]["end"],
        "open": incoming.get("open", {}),
        "scope": incoming["scope"],
    }


def number(window: Document, name: str) -> int | None:
    """A sum over the window; None if some day could not give it."""
    if window["additive"].get(f"missing.{name}"):
        return None
    value: int = window["additive"].get(name, 0)
    return value


def unprintable(window: Document) -> dict[str, Reason]:
    """Numbers whose sum over the window does not consist of whole blocks (ADR 18): one goes on
    after the last day or began before the first; or that are never told in blocks."""
    found = dict.fromkeys(window["open"], Reason.DIFFERENCING)
    if window["daily"]:
        found |= dict.fromkeys(window["daily"][0][3], Reason.DIFFERENCING)
    if window["additive"].get("hidden.draw"):
        found["draw"] = Reason.GROUP_TOO_SMALL
    return found


def maxima(window: Document) -> list[int]:
    """The largest of the daily maxima: MHS ppm and Wh, MHD ppm and Wh, |net| (I12)."""
    columns = [entry[1] for entry in window["daily"]]
    return [max(column) for column in zip(*columns, strict=True)] if columns else [0] * 5


def attained(window: Document, column: int, sources: Sequence[str]) -> bool:
    """Whether a day that hides none of the sources attains the column's maximum: only then it may
    be printed, since of the hidden days it tells no more than a bound."""
    largest = maxima(window)[column]
    return any(
        entry[1][column] == largest and not any(name in entry[4] for name in sources)
        for entry in window["daily"]
    )


def mean(window: Document | None) -> tuple[int, int]:
    """(consumption, hours) so far, which a day's ratios are measured against (I5)."""
    if window is None:
        return 0, 0
    return window["additive"].get("C", 0), window["additive"].get("hours", 0)


def _sum(first: Mapping[str, int], second: Mapping[str, int], sign: int) -> dict[str, int]:
    merged = dict(first)
    for name, value in second.items():
        merged[name] = merged.get(name, 0) + sign * value
    return {name: value for name, value in merged.items() if value}


def _months(months: Document, totals: Document, sign: int) -> Document:
    month = totals["day"][:7]
    known, required = months.get(month, [0, 0])
    known += sign * totals["additive"].get("known_s", 0)
    required += sign * totals["additive"].get("required_s", 0)
    rest = {name: value for name, value in months.items() if name != month}
    return {**rest, month: [known, required]} if known or required else rest
