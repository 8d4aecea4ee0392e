# SPDX-License-Identifier: Apache-2.0
"""Files as operators make them, for tests: text in, store out."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pedchain_gateway.importing.mapping import Mapping, load
from pedchain_gateway.importing.rows import Rejected
from pedchain_gateway.importing.store import Store, Taken
from pedchain_gateway.importing.taking import take
from pedchain_gateway.importing.telling import tell

NORTH = """
delimiter = ";"
decimal = ","
zone = "Europe/Rome"
time = "%d.%m.%Y %H:%M"
[columns]
point = "Punto"
obis = "Registro"
time = "Inizio"
value = "Energia"
quality = "Stato"
[registers]
Prelievo = "1-0:1.8.0*255"
Immissione = "1-0:2.8.0*255"
[quality]
R = "M"
S = "S"
M = "X"
"""
DRAWN = "1-0:1.8.0*255"
Knots = list[tuple[int, int, str]]


class Desk:
    """Somebody who imports: files of one style into one store."""

    def __init__(self, folder: Path, mapping: str = NORTH) -> None:
        self.folder, self.store = folder, Store(folder / "import.sqlite")
        (folder / "mapping.toml").write_text(mapping)
        self.style: Mapping = load(folder / "mapping.toml")
        self.rejected: list[Rejected] = []

    def take(self, text: str | bytes, name: str = "file.csv") -> Taken:
        path = self.folder / name
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        self.rejected = []
        return take(self.store, path, self.style, self.rejected.append)

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(one.line, one.reason) for one in self.rejected]

    def told(self) -> Iterator[tuple[str, str, Knots]]:
        """(point, register, [instant, millionths, class]) of what has now to be filed."""
        tell(self.store)
        series = self.store.described()
        with self.store.whole():
            for point in {one.point for one, _ in series.values()}:
                self.store.registered(point, [one.obis for one, _ in series.values()])
            found: dict[int, Knots] = {}
            for day in self.store.days_with_news():
                for number, news in self.store.take_news(day):
                    found.setdefault(number, []).extend(tuple(one) for one in news)
        for number in sorted(found):
            yield series[number][0].point, series[number][0].obis, found[number]

    def energies(self) -> list[tuple[int, int]]:
        """(start, Wh) of the only series' news, leaps left out."""
        ((_, _, knots),) = self.told()
        return energies(knots)


def energies(knots: Knots) -> list[tuple[int, int]]:
    """(start, Wh) between neighbouring registers, where no more flowed than can."""
    steps = [(a[0], b[0] - a[0], b[1] - a[1]) for a, b in pairwise(knots)]
    most = 50_000 * 1_000_000
    return [(at, rise // 1_000_000) for at, _, rise in steps if 0 <= rise < most]


def rows(lines: list[str]) -> str:
    return "Punto;Registro;Inizio;Energia;Stato\n" + "".join(f"{one}\n" for one in lines)
