# SPDX-License-Identifier: Apache-2.0
"""What sharing would have brought each site, from the operator's own values (rules S1 to S3).

Dynamic keys, every site taking part whole; nothing of it is on the ledger. A site's interval counts
where both registers of its grid connection are known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pedchain_domain.instants import format_day
from pedchain_domain.market.sharing import Dynamic, share
from pedchain_gateway.importing.store import Store
from pedchain_gateway.importing.values import MICRO
from pedchain_gateway.importing.virtual import LEAP_PER_S

Document = dict[str, Any]


@dataclass(slots=True)
class Shared:
    """Wh of a site over a time: drawn, of that shared; fed in, of that shared."""

    drawn: int = 0
    received: int = 0
    fed_in: int = 0
    given: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """By site, and of all by month (UTC)."""

    sites: Mapping[str, Shared]
    months: Mapping[str, Shared]


def preview(store: Store, documents: Sequence[Document], grain: int) -> Preview:
    """Share every interval of all that was taken. `documents` are the registered ones."""
    flows = _flows(store, documents)
    sites: dict[str, Shared] = {}
    months: dict[str, Shared] = {}
    before: dict[int, dict[int, int]] = {}
    for day in store.days():
        drawn: dict[int, dict[str, int]] = {}
        fed: dict[int, dict[str, int]] = {}
        for number, (site, role) in flows.items():
            told = store.told(number, day)
            for instant, wh in _energies(before.get(number, {}), told, grain):
                side = drawn if role == "I" else fed
                side.setdefault(instant, {})[site] = wh
            before[number] = told
        month = months.setdefault(format_day(day)[:7], Shared())
        for instant in sorted(drawn.keys() | fed.keys()):
            _interval(fed.get(instant, {}), drawn.get(instant, {}), sites, month)
    return Preview(sites, months)


def _flows(store: Store, documents: Sequence[Document]) -> dict[int, tuple[str, str]]:
    """Site and role of the series at grid connections."""
    points = {one["id"]: one for one in documents if one["schema"] == "point/1"}
    roles = {
        (one["point"], obis): register["role"]
        for one in documents
        if one["schema"] == "device/1"
        for obis, register in one["registers"].items()
    }
    found = {}
    for number, (series, _) in store.described().items():
        point = points.get(series.point)
        role = roles.get((series.point, series.obis))
        if point is not None and point["kind"] == "GCP" and role in ("I", "E"):
            found[number] = (str(point["site"]), str(role))
    return found


def _energies(
    before: Mapping[int, int], told: Mapping[int, int], grain: int
) -> Iterator[tuple[int, int]]:
    """(start, Wh) of whole intervals, with the day's opening register from the day before."""
    knots = dict(told)
    if knots:
        first = min(knots)
        knots |= {at: micro for at, micro in before.items() if first - grain <= at < first}
    boundaries = sorted(at for at in knots if at % grain == 0)
    for one, two in pairwise(boundaries):
        rise = knots[two] // MICRO - knots[one] // MICRO
        if two - one == grain and 0 <= rise < grain * LEAP_PER_S // MICRO:
            yield one, rise


def _interval(
    fed: Mapping[str, int], drawn: Mapping[str, int], sites: dict[str, Shared], month: Shared
) -> None:
    found = share(fed, drawn, Dynamic())
    for site in fed.keys() | drawn.keys():
        one = sites.setdefault(site, Shared())
        for sums in (one, month):
            sums.drawn += drawn.get(site, 0)
            sums.received += found.received.get(site, 0)
            sums.fed_in += fed.get(site, 0)
            sums.given += found.given.get(site, 0)
