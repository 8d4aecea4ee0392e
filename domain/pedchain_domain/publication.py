# SPDX-License-Identifier: Apache-2.0
"""Which numbers of a day may be printed, and what a later run may change (rules C2, C3).

A number needs at least 15 contributing sites and none above 15 %. Numbers are tied by identities
(G - L = E - I and L = C + Ch - D), so hiding one alone would hide nothing: a second one of the
identity is hidden with it.
"""

from collections.abc import Mapping
from typing import Any

from pedchain_domain.documents import Parameters
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
_TIED = ("I", "E", "G", "L")
# What each printed number is computed from.
SOURCES: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("I", "E", "G", "L", "C", "Ch", "D")},
    "shared": ("I", "E"),
    "X": ("I", "E"),
    "Y": ("I", "E"),
    "covered": ("C", "I", "E"),
    "covered_site": ("C", "I"),
    "residual": ("C",),
    "hmr": ("C", "I", "E"),
    "co2_electricity": ("C", "I", "E"),
    "co2_heat": ("HEAT_IN.Q", "HEAT_GEN.Q", "HP.I"),
    "co2_mobility": ("MOB.m", "EVSE.Ch", "EVSE.I"),
    "co2_export_credit": ("I", "E"),
    "ghg": ("I", "E"),
    "worst_case": ("draw", "I", "E"),
    "primary_ren": ("I", "E", "G"),
    "primary_nren": ("I", "E"),
    "primary_co2": ("I", "E"),
}


def hidden(totals: Document, setting: Parameters) -> dict[str, Reason]:
    """Numbers of a day that may not be printed, each with its reason."""
    additive, contributions = totals["additive"], totals["contributions"]
    found: dict[str, Reason] = {}
    for name, (sites, largest) in contributions.items():
        whole = abs(additive.get(name, additive.get(f"detail.{name}", 0)))
        small = 0 < sites < setting.group_sites
        if small or largest * 100 > whole * setting.group_share_percent:
            found[name] = Reason.GROUP_TOO_SMALL
    _tie(found)
    return found


def _tie(found: dict[str, Reason]) -> None:
    if "Ch" in found or "D" in found:
        found.setdefault("C", Reason.COMPLEMENTARY)
    elif "C" in found:
        found.setdefault("L", Reason.COMPLEMENTARY)
    if sum(1 for name in _TIED if name in found) == 1:
        found.setdefault("L" if "L" not in found else "G", Reason.COMPLEMENTARY)
    if "L" in found:
        found.setdefault("C", Reason.COMPLEMENTARY)


def reason_for(name: str, found: Mapping[str, Reason]) -> Reason | None:
    """Why a number may not be printed, given what is hidden; None if it may."""
    for source in SOURCES.get(name, (name,)):
        if source in found:
            return found[source]
    return None


def marked(totals: Document, setting: Parameters) -> Document:
    """The totals with `hidden.<name>` set, so that a window knows which of its sums would let a
    hidden day be computed by difference."""
    found = hidden(totals, setting)
    marks = {f"hidden.{name}": 1 for name in sorted(found)}
    kept = {k: v for k, v in totals["additive"].items() if not k.startswith("hidden.")}
    return {**totals, "additive": {**kept, **marks}}


def held(sites_changed: int, setting: Parameters) -> bool:
    """Whether a later run changes too few sites to be printed for its day (C3)."""
    return 0 < sites_changed < setting.group_sites


def true_up(before: Document | None, former: Document, totals: Document) -> Document:
    """The month's correction with one more held run: true-up/1 {schema, month, additive}.

    The day keeps `former` in print and in the window; the difference waits for the month's last
    day. Marks of what is hidden are not differences.
    """
    month = totals["day"][:7]
    additive = {} if before is None or before["month"] != month else dict(before["additive"])
    names = dict.fromkeys([*former["additive"], *totals["additive"]])
    for name in names:
        if not name.startswith("hidden."):
            change = totals["additive"].get(name, 0) - former["additive"].get(name, 0)
            additive[name] = additive.get(name, 0) + change
    return {
        "schema": "true-up/1",
        "salt": totals["salt"],
        "month": month,
        "additive": {name: value for name, value in additive.items() if value},
    }


def with_true_up(totals: Document, correction: Document) -> Document:
    """The month's last day with the month's correction: it enters and leaves windows with it."""
    additive = dict(totals["additive"])
    for name, value in correction["additive"].items():
        additive[name] = additive.get(name, 0) + value
    return {
        **totals,
        "additive": {name: value for name, value in additive.items() if value},
        "true_up": {name: correction["additive"].get(name, 0) for name in ("I", "E", "G", "C")},
    }
