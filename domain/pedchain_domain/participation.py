# SPDX-License-Identifier: Apache-2.0
"""Which share of a site's energy takes part in which district (rules M1, S1).

    participation/1 {schema, site, district, ppm, from, to}

A site is registered once, with the district its connection is in; its shares name that district
and others. At any instant they sum to at most 1,000,000 ppm: no Wh is shared twice. A site without
any takes part wholly where it is registered.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_domain import terms
from pedchain_domain.numbers import PPM
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]


def added(shares: Sequence[Document], share: Document) -> list[Document]:
    """The shares of a site with one more, or with an open one ended.

    DomainError `overlaps` for two shares of one district at once, `shares-exceed` beyond the whole.
    """
    own = [one for one in shares if one["district"] == share["district"]]
    others = [one for one in shares if one["district"] != share["district"]]
    same = [one for one in own if {**one, "to": None} == {**share, "to": None}]
    if same and share["to"] is not None:
        own = terms.ended(own, share["from"], share["to"])
    else:
        own = terms.added(own, share)
    found = sorted([*others, *own], key=lambda one: (int(one["from"]), str(one["district"])))
    if terms.heaviest(found, "ppm") > PPM:
        raise DomainError(Reason.SHARES_EXCEED)
    return found


def factor_ppm(shares: Sequence[Document], district: str, home: str, instant: int) -> int:
    """The share of a site in a district at an instant, ppm; `home` is where it is registered."""
    if not shares:
        return PPM if district == home else 0
    return sum(
        int(one["ppm"])
        for one in shares
        if one["district"] == district and terms.holds(one, instant)
    )
