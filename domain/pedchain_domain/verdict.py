# SPDX-License-Identifier: Apache-2.0
"""Whether a district was positive over its window (rules V1 to V5).

Tests in order: enough history, enough coverage, then the rule the certificate names. The rule
must hold with the worst that silence could hide: missing draws, bridged profiles, and bridges
that cross the window's two ends. Equality is not a surplus. Before a full window there is only a
balance to date, never the word positive.
"""

from typing import Any, NamedTuple

from pedchain_domain import window as windows
from pedchain_domain.bounds import plus
from pedchain_domain.documents import RULES, parameters
from pedchain_domain.numbers import ppm
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
POSITIVE, NOT_POSITIVE = "positive", "not_positive"
INSUFFICIENT_HISTORY, INSUFFICIENT_COVERAGE = "insufficient_history", "insufficient_coverage"


class Judgement(NamedTuple):
    """`rule` is what was judged (R1 where the scope refuses R3, V4), `claim` how it may be
    called, `figures` the worst-case balances the verdict rests on."""

    verdict: str
    rule: str
    claim: str
    reasons: list[str]
    figures: Document


def judge(window: Document, district: Document) -> Judgement:
    """The verdict of a window."""
    rule, reasons = _rule(window, district)
    figures = worst_balances(window)
    claim = "electricity" if rule == "R1" else RULES[rule]
    verdict = _sufficient(window, district)
    if verdict is None:
        holds = _holds(rule, figures)
        if holds is None:
            reasons.append(str(Reason.MISSING_FACTOR))
        verdict = POSITIVE if holds else NOT_POSITIVE
    return Judgement(verdict, rule, claim, reasons, figures)


def worst_balances(window: Document) -> Document:
    """{electric_wh: surplus, nren: Wh x 1000, ghg: ug} with all bounds against the district.

    electric_wh > 0 is a surplus; nren and ghg below 0 are one. None where a factor is missing.
    """
    start = window["daily"][0][2] if window["daily"] else window["end"]
    end = window["end"]
    additive = window["additive"]
    surplus = additive.get("E", 0) - additive.get("I", 0) - additive.get("draw", 0)
    return {
        "electric_wh": surplus - start["wh"] - end["wh"],
        "nren": plus(windows.number(window, "nren_worst"), plus(start["nren"], end["nren"])),
        "ghg": plus(windows.number(window, "ghg_worst"), plus(start["ghg"], end["ghg"])),
    }


def energy_coverage(window: Document) -> int | None:
    """Known register-seconds of those required, ppm (R9)."""
    additive = window["additive"]
    return ppm(additive.get("known_s", 0), additive.get("required_s", 0))


def profile_coverage(window: Document) -> int | None:
    """Register-seconds with a measured or substituted profile, ppm (R9)."""
    additive = window["additive"]
    return ppm(additive.get("profile_s", 0), additive.get("required_s", 0))


def _rule(window: Document, district: Document) -> tuple[str, list[str]]:
    """The rule to judge by: R3 is refused where heat or mobility of too many sites is unknown."""
    rule: str = district["rule"]
    scope = window["scope"]
    percent = parameters(district).unknown_scope_percent
    for carrier in ("heating", "vehicles"):
        sites = sum(count for name, count in scope.items() if name.startswith(f"{carrier}."))
        if rule == "R3" and scope.get(f"{carrier}.unknown", 0) * 100 > sites * percent:
            return "R1", [str(Reason.SCOPE_UNKNOWN)]
    return rule, []


def _sufficient(window: Document, district: Document) -> str | None:
    setting = parameters(district)
    if window["days"] < setting.window_days:
        return INSUFFICIENT_HISTORY
    if (energy_coverage(window) or 0) < setting.coverage_window_ppm:
        return INSUFFICIENT_COVERAGE
    for known, required in window["months"].values():
        if (ppm(known, required) or 0) < setting.coverage_month_ppm:
            return INSUFFICIENT_COVERAGE
    return None


def _holds(rule: str, figures: Document) -> bool | None:
    electric, nren, ghg = figures["electric_wh"], figures["nren"], figures["ghg"]
    if rule == "R1":
        return bool(electric > 0)
    if nren is None or (rule == "R3" and ghg is None):
        return None
    return bool(nren < 0 and (rule == "R2" or ghg <= 0))
