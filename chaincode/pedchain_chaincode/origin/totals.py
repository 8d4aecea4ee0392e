# SPDX-License-Identifier: Apache-2.0
"""A day's issued energy as it may be printed: rule C2 for the day, its stricter form for hours.

    origin/1 {schema, district, day, issued_wh, own_wh, sites, hours: {start: Wh} | null,
              notes: {number: reason}}

A series finer than a day needs 100 contributing sites, none above 10 %. Numbers are printed all or
none: the certificate prints the district's generation, so the part without accounts would follow
from the two sums here, and of a day's sum and all but one hour the missing one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_domain.documents import parameters
from pedchain_domain.reasons import Reason

HOUR_SITES, HOUR_SHARE_PERCENT = 100, 10
NUMBERS = {"issued_wh": "grid", "own_wh": "own"}
Sum = list[int]


def empty() -> Document:
    """Nothing issued yet; `rest` is certified generation of sites without an account."""
    return {"grid": [0, 0, 0], "own": [0, 0, 0], "rest": [0, 0, 0], "hours": {}}


def add(sums: Document, rows: Sequence[Sequence[Any]]) -> None:
    """Add one site's rows [point, hour, grid, own, account] into sums of [Wh, sites, largest]."""
    held = [row for row in rows if row[4] is not None]
    hours: dict[str, int] = {}
    for _, hour, grid, _, _ in held:
        hours[str(hour)] = hours.get(str(hour), 0) + grid
    _into(sums["grid"], sum(row[2] for row in held))
    _into(sums["own"], sum(row[3] for row in held))
    _into(sums["rest"], sum(row[2] + row[3] for row in rows if row[4] is None))
    for hour, energy in hours.items():
        _into(sums["hours"].setdefault(hour, [0, 0, 0]), energy)


def _into(total: Sum, energy: int) -> None:
    total[0] += energy
    total[1] += energy > 0
    total[2] = max(total[2], energy)


def published(day: str, sums: Document, district: Document) -> Document:
    """What of a day may be printed; what may not is null and has its reason."""
    setting = parameters(district)
    group = (setting.group_sites, setting.group_share_percent)
    whole = all(_large(sums[name], *group) for name in ("grid", "own", "rest"))
    fine = whole and all(
        _large(one, HOUR_SITES, HOUR_SHARE_PERCENT) for one in sums["hours"].values()
    )
    hidden = [*(() if whole else NUMBERS), *(() if fine else ("hours",))]
    return {
        "schema": "origin/1",
        "district": district["id"],
        "day": day,
        **{name: sums[key][0] if whole else None for name, key in NUMBERS.items()},
        "sites": sums["grid"][1],
        "hours": {h: one[0] for h, one in sums["hours"].items() if one[0]} if fine else None,
        "notes": {name: str(Reason.GROUP_TOO_SMALL) for name in hidden},
    }


def _large(total: Sum, sites: int, share_percent: int) -> bool:
    """Whether enough sites contribute and none too much; nothing at all is no secret."""
    return total[0] == 0 or (total[1] >= sites and total[2] * 100 <= total[0] * share_percent)


def exported(district: Document, day: str, parts: Mapping[str, int]) -> Document:
    """What left the district of a day's certificates, by owners {account: Wh} (rules P2, C2):
    {day, origin_exported_wh: Wh | null, notes}."""
    setting = parameters(district)
    total = [sum(parts.values()), len(parts), max(parts.values(), default=0)]
    large = _large(total, setting.group_sites, setting.group_share_percent)
    notes = {} if large else {"origin_exported_wh": str(Reason.GROUP_TOO_SMALL)}
    return {"day": day, "origin_exported_wh": total[0] if large else None, "notes": notes}
