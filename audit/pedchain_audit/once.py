# SPDX-License-Identifier: Apache-2.0
"""Step 9, last: what was sold or shared although its certificate of origin left the district (P1).

The contracts refuse it, each by what the other says (ADR 32); who holds both collections adds it
up here without them.
"""

from collections.abc import Callable, Mapping

#: District, site or point, hour.
Place = tuple[str, str, int]


def twice(
    given: Mapping[Place, int],
    exported: Mapping[Place, int],
    site: Callable[[str, str], str | None],
    fed_in: Callable[[Place], int | None],
) -> int:
    """Wh beyond what was fed in: `given` sold and shared by point, `exported` by site; `site` of a
    point, what a point fed in. Hours that the audit has not closed are left out."""
    beyond = 0
    for place, wh in given.items():
        district, point, hour = place
        home = site(district, point)
        out = 0 if home is None else exported.get((district, home, hour), 0)
        fed = fed_in(place) if out else None
        if fed is not None:
            beyond += max(0, wh + out - fed)
    return beyond
