# SPDX-License-Identifier: Apache-2.0
"""The public certificate of a district's day (blueprint 5, rules C, I, V).

    certificate/1 {schema, district, day, run, grain, boundary, factors, k_exp, rule, sites,
      coverage: {energy_ppm, profile_ppm}, classes: {M, G, S, X},
      electricity: {import_wh, ... }, indicators: {...}, emissions: {...}, primary: {...},
      detail: {"HP.I": n}, root, batches, window: {...}, verdict: {...}, notes: {name: reason}}

No household data. A number that may not be printed, or cannot be computed, is null, and `notes`
holds the reason under its path. Anyone can redo the arithmetic of the window from the days'
certificates, as long as no day hides a number.
"""

from collections.abc import Callable
from math import isqrt
from typing import Any

from pedchain_domain import publication, verdict
from pedchain_domain import window as windows
from pedchain_domain.calendar import Day
from pedchain_domain.documents import RULES, Parameters, parameters
from pedchain_domain.numbers import PPM, ppm
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
RUNS = ("P", "F", "FINAL")
_WINDOW = "window."
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


def build(
    district: Document,
    day: Day,
    run: str,
    totals: Document,
    window: Document,
    batches: str,
) -> Document:
    """The certificate of a day and run.

    `totals` are the day's, marked by `publication.marked`; `window` is the run's, ending with the
    day; `batches` is the hash of the list of batches the run rests on (C1).
    """
    setting = parameters(district)
    notes: dict[str, str] = {}
    judged = verdict.judge(window, district)
    one_day = _single(totals)
    shown = _shown(one_day, setting, notes, "")
    return {
        "schema": "certificate/1",
        "district": district["id"],
        "day": day["day"],
        "start": day["start"],
        "end": day["end"],
        "run": run,
        "grain": district["grain"],
        "boundary": district["boundary"],
        "factors": totals["factors"],
        "k_exp": setting.k_exp,
        "rule": RULES[district["rule"]],
        "sites": totals["sites"],
        "scope": totals["scope"],
        "soc_bound_wh": totals["battery_wh"],
        "unmetered_generation_w": totals["unmetered_w"],
        "classes": {
            letter: totals["additive"].get(f"class.{letter}", 0) for letter in ("M", "G", "S", "X")
        },
        **shown,
        "detail": _detail(totals, setting, notes),
        "findings": len(totals["findings"]),
        "true_up_wh": totals.get("true_up", {}),
        "root": totals["root"],
        "batches": batches,
        "window": _window(window, setting, notes),
        "verdict": _verdict(judged, window, notes),
        "notes": dict(sorted(notes.items())),
    }


def _single(totals: Document) -> Document:
    """A window of just this day, so that day and window are printed by the same code."""
    return windows.advance(windows.empty(1), totals)


def _window(window: Document, setting: Parameters, notes: dict[str, str]) -> Document:
    return {
        "first": window["first"],
        "last": window["last"],
        "days": window["days"],
        **_shown(window, setting, notes, _WINDOW),
    }


def _verdict(judged: verdict.Judgement, window: Document, notes: dict[str, str]) -> Document:
    """The verdict, the worst case it rests on if that tells of no single home, and before a year
    only the balance to date (V5)."""
    printer = _Printer(window, notes, "verdict.")
    secret = printer.against("worst_case")
    for name in judged.figures if secret else ():
        printer.known(f"worst_case.{name}", None, secret)
    drawn, given = printer.number("to_date.drawn_wh", "X"), printer.number("to_date.given_wh", "Y")
    balance = None if drawn is None or given is None else given - drawn
    sufficient = judged.verdict in (verdict.POSITIVE, verdict.NOT_POSITIVE)
    return {
        "verdict": judged.verdict,
        "rule": judged.rule,
        "claim": judged.claim,
        "reasons": judged.reasons,
        "worst_case": None if secret else judged.figures,
        "to_date": None if sufficient else {"days": window["days"], "surplus_wh": balance},
    }


def _shown(window: Document, setting: Parameters, notes: dict[str, str], path: str) -> Document:
    printer = _Printer(window, notes, path)
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
    }


class _Printer:
    """Prints numbers of a window, or null with the reason in the notes."""

    def __init__(self, window: Document, notes: dict[str, str], path: str) -> None:
        self.window, self.notes, self.path = window, notes, path
        additive = window["additive"]
        # A day's hidden number would follow from two windows, so it hides theirs too (C3).
        why = Reason.DIFFERENCING if path == _WINDOW else Reason.GROUP_TOO_SMALL
        self.hidden = {
            name.removeprefix("hidden."): why for name in additive if name.startswith("hidden.")
        }

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


def _indicators(printer: _Printer, setting: Parameters) -> Document:
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


def _mismatch(printer: _Printer, low: Reason | None) -> Document:
    window = printer.window
    additive = window["additive"]
    counted, hours = additive.get("hours_counted", 0), additive.get("hours", 0)
    mhs, mhs_wh, mhd, mhd_wh, largest = windows.maxima(window)
    on_demand = low or printer.against("hmr")
    on_net = low or printer.against("X")
    known: Callable[[str, int | None, Reason | None], int | None] = printer.known
    mean = additive.get("hmr", 0) // counted if counted else None
    index = grid_interaction(hours, additive.get("s1", 0), additive.get("s2", 0), largest)
    return {
        "amr_ppm": known("indicators.amr_ppm", mean, on_demand),
        "amr_hours": counted,
        "hours_without_demand": hours - counted,
        "mhs_ppm": known("indicators.mhs_ppm", mhs, on_demand),
        "mhs_wh": known("indicators.mhs_wh", mhs_wh, on_net),
        "mhd_ppm": known("indicators.mhd_ppm", mhd, on_demand),
        "mhd_wh": known("indicators.mhd_wh", mhd_wh, on_net),
        "gii_ppm": known("indicators.gii_ppm", index, on_net),
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


def _detail(totals: Document, setting: Parameters, notes: dict[str, str]) -> Document:
    against = publication.hidden(totals, setting)
    shown: Document = {}
    for name in sorted(totals["contributions"]):
        if f"detail.{name}" not in totals["additive"]:
            continue
        reason = against.get(name)
        shown[name] = None if reason else totals["additive"][f"detail.{name}"]
        if reason:
            notes[f"detail.{name}"] = str(reason)
    return shown
