# SPDX-License-Identifier: Apache-2.0
"""Which numbers may be printed, and what a later run may change (rules C2, C3, ADR 18).

A number needs at least 15 contributing sites and none above 15 %. Numbers are tied by identities
(G - L = E - I and L = C + Ch - D), so hiding one alone would hide nothing: a second one of the
identity is hidden with it.

A day's number that may not be printed would follow from two sums that both are: one with the day,
one without. So it is published in a block: the days after it hide it too, until the block's own
sum rests on enough sites. From then on sums over whole blocks (a month, a year) are printed; the
days inside stay hidden. `open` holds, of each number whose block goes on, [days, most sites on a
day, sum of each day's largest site, sum]: a bound from above for what one site holds of the block.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedchain_domain.documents import Parameters
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
_TIED = ("I", "E", "G", "L")
_IDENTITIES = (_TIED, ("L", "C", "Ch", "D"), ("I", "E", "G", "C", "Ch", "D"))
_CARRIERS = ("HEAT_IN.Q", "HEAT_OUT.Q", "GAS.V")
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
    "co2_heat": ("HEAT_IN.Q", "HEAT_GEN.Q", "HP.Q", "HP.I"),
    "co2_mobility": ("MOB.m", "EVSE.Ch", "EVSE.I"),
    "co2_export_credit": ("I", "E"),
    "ghg": ("I", "E", *_CARRIERS, "MOB.declared"),
    "s1": ("I", "E"),
    "s2": ("I", "E"),
    "worst_case": ("draw", "I", "E"),
    "primary_ren": ("I", "E", "G", *_CARRIERS),
    "primary_nren": ("I", "E", *_CARRIERS),
    "primary_co2": ("I", "E", *_CARRIERS),
}
EXPORTED = "origin_exported"
_NOT_ISSUED = f"missing.{EXPORTED}"
# How much of a silent home is assumed is never told in blocks: mended days do not heal it.
_ALONE = ("draw",)


def hidden(totals: Document, setting: Parameters, also: Iterable[str] = ()) -> dict[str, Reason]:
    """Numbers of a day that may not be printed, each with its reason; `also` are others that for
    this day's sake or another's must not be."""
    found: dict[str, Reason] = {}
    for name in totals["contributions"]:
        sites, largest, whole = _share(totals, name)
        if not _fits(sites, largest, whole, setting):
            found[name] = Reason.GROUP_TOO_SMALL
    for name in also:
        found.setdefault(name, Reason.COMPLEMENTARY)
    _tie(found)
    return found


def _share(totals: Document, name: str) -> tuple[int, int, int]:
    """Contributing sites, the largest one's part, and the number itself."""
    sites, largest = totals["contributions"].get(name, (0, 0))
    additive = totals["additive"]
    return sites, largest, abs(additive.get(name, additive.get(f"detail.{name}", 0)))


def _fits(sites: int, largest: int, whole: int, setting: Parameters) -> bool:
    enough = sites == 0 or sites >= setting.group_sites
    return enough and largest * 100 <= whole * setting.group_share_percent


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


def marked(
    totals: Document,
    setting: Parameters,
    before: Mapping[str, Sequence[int]] | None = None,
    former: Document | None = None,
) -> Document:
    """The totals with what of them is hidden: `hidden` {name: reason}, `joined` names whose block
    began earlier, `open` blocks that go on; in the sums `hidden.<name>` counts the days.

    `before` are the blocks open before the day. `former` are the totals of the run in print: what
    it hid stays hidden, and a block ends only where the former run's does, so that the runs cannot
    be held against each other.
    """
    earlier = before or {}
    shown_before: Mapping[str, str] = {} if former is None else former.get("hidden", {})
    open_there: Mapping[str, Any] = {} if former is None else former.get("open", {})
    found = hidden(totals, setting, [*earlier, *shown_before])
    blocks = {
        name: _longer(earlier.get(name, (0, 0, 0, 0)), _share(totals, name))
        for name in sorted(found)
        if name not in _ALONE
    }
    still = {
        name: None
        for name, block in blocks.items()
        if name not in earlier or name in open_there or not _fits(*block[1:], setting)
    }
    _keep_tied(still, blocks)
    kept = {k: v for k, v in totals["additive"].items() if not k.startswith("hidden.")}
    return {
        **totals,
        "additive": {**kept, **{f"hidden.{name}": 1 for name in sorted(found)}},
        "hidden": {name: str(found[name]) for name in sorted(found)},
        "joined": sorted(name for name in found if name in earlier),
        "open": {name: list(block) for name, block in blocks.items() if name in still},
    }


def _keep_tied(still: dict[str, None], blocks: Mapping[str, Any]) -> None:
    """Of no identity may all blocks but one end: the sums of the others would tell that one."""
    for _ in _IDENTITIES:
        for identity in _IDENTITIES:
            if sum(1 for name in identity if name in still) == 1:
                still.update(dict.fromkeys(name for name in identity if name in blocks))


def _longer(block: Sequence[int], share: tuple[int, int, int]) -> tuple[int, int, int, int]:
    days, sites, largest, whole = block
    return days + 1, max(sites, share[0]), largest + share[1], whole + share[2]


def held(sites_changed: int, setting: Parameters) -> bool:
    """Whether a later run changes too few sites to be printed for its day (C3)."""
    return 0 < sites_changed < setting.group_sites


def true_up(before: Document | None, former: Document, totals: Document) -> Document:
    """The month's correction with one more held run: true-up/1 {schema, month, additive}.

    The day keeps `former` in print and in the window; the difference waits for the month's last
    day. Marks of what is hidden are not differences, and exports are as they are.
    """
    month = totals["day"][:7]
    additive = {} if before is None or before["month"] != month else dict(before["additive"])
    names = dict.fromkeys([*former["additive"], *totals["additive"]])
    for name in names:
        if not name.startswith("hidden.") and name not in (EXPORTED, _NOT_ISSUED):
            change = totals["additive"].get(name, 0) - former["additive"].get(name, 0)
            additive[name] = additive.get(name, 0) + change
    return {
        "schema": "true-up/1",
        "salt": totals["salt"],
        "month": month,
        "additive": {name: value for name, value in additive.items() if value},
    }


def with_exported(totals: Document, parts: Mapping[str, int] | None) -> Document:
    """The totals with what of the day's certificates of origin left the district, Wh by account
    (rules P2); None while they have not been issued. The energy stays in every other sum; the
    accounts are its contributors (C2)."""
    additive = {k: v for k, v in totals["additive"].items() if k != _NOT_ISSUED}
    if parts is None:
        return {**totals, "additive": {**additive, _NOT_ISSUED: 1}}
    if not parts:
        return {**totals, "additive": additive}
    share = [len(parts), max(parts.values())]
    return {
        **totals,
        "additive": {**additive, EXPORTED: sum(parts.values())},
        "contributions": {**totals["contributions"], EXPORTED: share},
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
