# SPDX-License-Identifier: Apache-2.0
"""Months of a district as bars, SVG."""

from collections.abc import Iterator, Mapping

from pedchain_gateway.firstday.preview import Shared
from pedchain_gateway.plot import HEIGHT, MARGIN, WIDTH, framed, words

_COLOURS = ("#1d4ed8", "#b45309", "#15803d")
_LABELLED = 14
"""So many months have room for their names."""


def months(found: Mapping[str, Shared]) -> str:
    """What was drawn, fed in, and could be shared, by month."""
    sums = {
        month: {"drawn": one.drawn, "fed in": one.fed_in, "shared": one.received}
        for month, one in sorted(found.items())
    }
    return bars(sums)


def bars(sums: Mapping[str, Mapping[str, int]]) -> str:
    """Energies (Wh) by month and name; up to three names."""
    names = list(dict.fromkeys(name for one in sums.values() for name in one))
    most = max((wh for one in sums.values() for wh in one.values()), default=0) or 1
    return framed(_parts(sums, dict(zip(names, _COLOURS, strict=False)), most))


def _parts(
    sums: Mapping[str, Mapping[str, int]], colours: Mapping[str, str], most: int
) -> Iterator[str]:
    place = (WIDTH - 2 * MARGIN) // max(1, len(sums))
    wide = max(1, place // (len(colours) + 1))
    for at, (month, one) in enumerate(sums.items()):
        left = MARGIN + at * place
        for bar, (name, wh) in enumerate(one.items()):
            high = wh * (HEIGHT - 2 * MARGIN) // most
            yield (
                f'<rect x="{left + bar * wide}" y="{HEIGHT - MARGIN - high}" width="{wide}" '
                f'height="{high}" fill="{colours[name]}"><title>{month} {name} {wh} Wh</title>'
                "</rect>"
            )
        if len(sums) <= _LABELLED:
            yield words(left, HEIGHT - MARGIN + 15, month)
    yield words(MARGIN, MARGIN - 10, f"up to {most // 1_000} kWh")
    for at, (name, colour) in enumerate(colours.items()):
        yield words(MARGIN + 90 * at, HEIGHT - 8, name, colour)
