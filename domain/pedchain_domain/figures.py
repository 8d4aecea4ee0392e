# SPDX-License-Identifier: Apache-2.0
"""The numbers of a certificate, of a day as of a month or a year (rules I1 to I9, V1, C2).

One code prints them all: a day is a window of one. A number that may not be printed, or cannot be
computed, is null, and the notes hold the reason under its path.
"""

from collections.abc import Callable, Mapping
from math import isqrt
from typing import Any

from pedchain_domain import publication, verdict
from pedchain_domain import window as windows
from pedchain_domain.documents import Parameters
from pedchain_domain.numbers import PPM, ppm
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
_DETAIL = "detail."
_ELECTRICITY = {
    "import_wh": "I",
    "export_wh": "E",
    "generation_wh": "G",
    "consumption_wh": "C",
    "charged_wh": "Ch",
    "discharged_wh": "D",
    "demand_wh": "L",
    "shared_wh": "shared",
    "drawn_wh": "X",
    "given_wh": "Y",
    "residual_wh": "residual",
}
_EMISSIONS = {
    "avoided_electricity_ug": "co2_electricity",
    "avoided_heat_ug": "co2_heat",
    "avoided_mobility_ug": "co2_mobility",
    "export_credit_ug": "co2_export_credit",
    "ghg_balance_ug": "ghg",
}
_PRIMARY = {
    "renewable": "primary_ren",
    "non_renewable": "primary_nren",
    "co2": "primary_co2",
}
_SUMS = {
    "covered_wh": "covered",
    "covered_site_wh": "covered_site",
    "hmr_ppm": "hmr",
    "net_wh": "s1",
    "net_wh_squared": "s2",
}
# Counts that tell nothing of a home.
_PLAIN = ("hours", "hours_counted", "known_s", "profile_s", "required_s")


class Printer:
    """Prints numbers of a window, or null with the reason in the notes."""

    def __init__(
        self,
        window: Document,
        notes: dict[str, str],
        path: str,
        hidden: Mapping[str, Reason],
    ) -> None:
        self.window, self.notes, self.path, self.hidden = window, notes, path, hidden

    def against(self, name: str) -> Reason | None:
        """Why `name` may not be printed, or None."""
        return publication.reason_for(name, self.hidden)

    def number(self, place: str, name: str) -> int | None:
        """The sum `name`, printed at `place`."""
        reason = self.against(name)
        value = windows.number(self.window, name)
        if reason is None and value is None:
            reason = Reason.MISSING_FACTOR
        return self.known(place, value, reason)

    def known(self, place: str, value: int | None, reason: Reason | None) -> int | None:
        """`value`, unless there is a reason against it."""
        if reason is None and value is None:
            reason = Reason.ZERO_DENOMINATOR
        if reason is None:
            return value
        self.notes[f"{self.path}{place}"] = str(reason)
        return None

    def group(self, place: str, names: Document) -> Document:
        """{printed name: number}."""
        return {shown: self.number(f"{place}.{shown}", name) for shown, name in names.items()}

    def ratio(self, place: str, top: str, bottom: str, against: Reason | None) -> int | None:
        """ppm of two sums."""
        for name in (top, bottom):
            against = against or self.against(name)
        above, below = (windows.number(self.window, name) for name in (top, bottom))
        value = None if above is None or below is None else ppm(above, below)
        return self.known(place, value, against)


def shown(
    window: Document,
    setting: Parameters,
    notes: dict[str, str],
    path: str,
    hidden: Mapping[str, Reason],
) -> Document:
    """All sections of a window (of one day, a month, a year); notes under `path`."""
    printer = Printer(window, notes, path, hidden)
    return {
        "coverage": {
            "energy_ppm": verdict.energy_coverage(window),
            "profile_ppm": verdict.profile_coverage(window),
        },
        "electricity": printer.group("electricity", _ELECTRICITY),
        "indicators": _indicators(printer, setting),
        "emissions": {
            **printer.group("emissions", _EMISSIONS),
            "ci_fallback_hours": window["additive"].get("ci_fallback_hours", 0),
        },
        "primary_wh_milli": printer.group("primary", _PRIMARY),
        "origin_exported_wh": _exported(printer),
        "detail": _detail(printer),
        "sums": _sums(printer),
    }


def _exported(printer: Printer) -> int | None:
    """What of certificates of origin left the district (P2); not known before run FINAL."""
    value = windows.number(printer.window, publication.EXPORTED)
    early = Reason.TOO_EARLY if value is None else None
    return printer.known(
        "origin_exported_wh", value, printer.against(publication.EXPORTED) or early
    )


def _detail(printer: Printer) -> Document:
    """What stands below the grid connections, by "kind.role"."""
    names = [name for name in printer.window["additive"] if name.startswith(_DETAIL)]
    return {
        name.removeprefix(_DETAIL): printer.known(
            name,
            windows.number(printer.window, name),
            printer.against(name.removeprefix(_DETAIL)),
        )
        for name in sorted(names)
    }


def _sums(printer: Printer) -> Document:
    """What the indicators are made of, so that anyone may redo them and add days up (I12)."""
    additive = printer.window["additive"]
    plain = {name: additive.get(name, 0) for name in _PLAIN}
    return {**plain, **printer.group("sums", _SUMS)}


def _indicators(printer: Printer, setting: Parameters) -> Document:
    """OER and the profile-dependent indices, null below the profile coverage (V1, I3 to I6)."""
    profile = verdict.profile_coverage(printer.window)
    low = None
    if profile is None or profile < setting.profile_coverage_ppm:
        low = Reason.LOW_PROFILE_COVERAGE
    clipped: list[str] = []

    def share(place: str, top: str, bottom: str) -> int | None:
        value = printer.ratio(f"indicators.{place}", top, bottom, low)
        if value is not None and not 0 <= value <= PPM:
            clipped.append(place)
            value = min(PPM, max(0, value))
        return value

    shares = {
        "self_consumption_site_ppm": share("self_consumption_site_ppm", "covered_site", "G"),
        "self_consumption_ppm": share("self_consumption_ppm", "covered", "G"),
        "self_sufficiency_site_ppm": share("self_sufficiency_site_ppm", "covered_site", "C"),
        "self_sufficiency_ppm": share("self_sufficiency_ppm", "covered", "C"),
    }
    return {
        "oer_ppm": printer.ratio("indicators.oer_ppm", "G", "L", None),
        **shares,
        "clipped": clipped,
        **_mismatch(printer, low),
    }


def _mismatch(printer: Printer, low: Reason | None) -> Document:
    window = printer.window
    additive = window["additive"]
    counted, hours = additive.get("hours_counted", 0), additive.get("hours", 0)
    mhs, mhs_wh, mhd, mhd_wh, largest = windows.maxima(window)
    on_demand = low or printer.against("hmr")
    on_net = low or printer.against("X")
    known: Callable[[str, int | None, Reason | None], int | None] = printer.known

    def of(column: int, name: str, against: Reason | None) -> Reason | None:
        """A maximum is printed only if a printed day attains it."""
        told = windows.attained(window, column, publication.SOURCES[name])
        return against or (None if told else Reason.DIFFERENCING)

    mean = additive.get("hmr", 0) // counted if counted else None
    index = grid_interaction(hours, additive.get("s1", 0), additive.get("s2", 0), largest)
    return {
        "amr_ppm": known("indicators.amr_ppm", mean, on_demand),
        "amr_hours": counted,
        "hours_without_demand": hours - counted,
        "mhs_ppm": known("indicators.mhs_ppm", mhs, of(0, "hmr", on_demand)),
        "mhs_wh": known("indicators.mhs_wh", mhs_wh, of(1, "X", on_net)),
        "mhd_ppm": known("indicators.mhd_ppm", mhd, of(2, "hmr", on_demand)),
        "mhd_wh": known("indicators.mhd_wh", mhd_wh, of(3, "X", on_net)),
        "gii_ppm": known("indicators.gii_ppm", index, of(4, "X", on_net)),
    }


def grid_interaction(hours: int, s1: int, s2: int, largest: int) -> int | None:
    """Grid interaction index, ppm: standard deviation of the net export over its largest
    magnitude, from additive sums (I6); None if nothing ever crossed the boundary. The variance is
    not below 0, except where a correction outlives the day it corrects (C3): then it is 0.

    >>> grid_interaction(4, -2750, 10_000 + 360_000 + 2_402_500 + 490_000, 1550)
    377829
    """
    if hours == 0 or largest == 0:
        return None
    variance = max(0, hours * s2 - s1 * s1)
    return isqrt(PPM * PPM * variance // (hours * hours * largest * largest))
