# SPDX-License-Identifier: Apache-2.0
"""From values to the DSO's signed records: registers first, then a record per point and day.

Every point has one device on the ledger, of the DSO's authority and key, named `device_of(point)`.
Measured registers and substitutes travel in records apart, for OCMF tells the status of a whole
list once. All is in the store before anything is sent, so that what is sent twice is the same.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pedchain_domain import ocmf
from pedchain_domain.instants import DAY
from pedchain_domain.limits import ID_LENGTH
from pedchain_domain.ocmf import PrivateKey
from pedchain_gateway.importing import virtual
from pedchain_gateway.importing.store import Held, Store
from pedchain_gateway.importing.values import MICRO, WH
from pedchain_gateway.importing.virtual import Interval, Knot

SUFFIX = "@dso"
READINGS = 600
"""Readings of one record: below the 64 KiB a record may have."""
SERIES = 100
"""Series whose records are made in one go."""
STATUSES = {"M": "G", "S": "S"}


class Signer(NamedTuple):
    """With what records are signed, and for which ledger."""

    key: PrivateKey
    network: str
    channel: str


def device_of(point: str) -> str:
    """The device by which the DSO speaks for a point."""
    return f"{point[: ID_LENGTH - len(SUFFIX)]}{SUFFIX}"


def tell(store: Store) -> int:
    """Bring the registers of everything that changed up to date; how many are news."""
    count = 0
    with store.whole():
        for number, (_, seconds) in store.described().items():
            count += _Telling(store, number, is_interval=bool(seconds)).all()
    return count


class _Telling:
    """One series."""

    def __init__(self, store: Store, number: int, *, is_interval: bool) -> None:
        self._store, self._number, self._is_interval = store, number, is_interval
        self.count = 0

    def all(self) -> int:
        waiting = self._store.dirty(self._number)
        while waiting:
            day = waiting.pop(0)
            held, _ = self._store.held(self._number, day)
            if self._is_interval:
                following = self._intervals(day, held)
                if following and (not waiting or waiting[0] != day + 1):
                    waiting.insert(0, day + 1)
            else:
                knots = [Knot(at, held[at][1], held[at][2]) for at in sorted(held)]
                self._put(day, knots, self._store.told(self._number, day))
        return self.count

    def _put(self, day: int, knots: Sequence[Knot], stands: dict[int, int]) -> None:
        found = virtual.news(knots, stands)
        self.count += len(found)
        self._store.tell(self._number, day, {k.instant: k.micro for k in knots}, found)

    def _intervals(self, day: int, held: Held) -> bool:
        """A day's registers; whether the next day's have to follow, because they count on."""
        store, number = self._store, self._number
        found = virtual.runs(_intervals(held))
        before, own, after = (store.told(number, day + at) for at in (-1, 0, 1))
        # What stands at the day's end is told by this day, or as the beginning of the next.
        stands = {**after, **own}
        knots: list[Knot] = []
        for at, run in enumerate(found):
            carried = before.get(run[0].start) if at == 0 else None
            begin = carried if carried is not None else self._begin(day, run)
            counted = virtual.count(run, begin)
            knots += counted if carried is None else counted[1:]
        end = knots[-1]
        former = stands.get(end.instant)
        self._put(day, knots, stands)
        return former is not None and former != end.micro and end.instant // DAY == day + 1

    def _begin(self, day: int, run: Sequence[Interval]) -> int:
        """What a run begins with: so that it meets the first register that stands in it or at its
        end, if any does."""
        begin, total = run[0].start, 0
        while run:
            stands = self._store.told(self._number, day)
            for one in run:
                if one.start in stands:
                    return stands[one.start] - total
                total += one.micro
            end, day = run[-1].end, day + 1
            if end in stands:
                return stands[end] - total
            held, _ = self._store.held(self._number, day)
            following = virtual.runs(_intervals(held))
            run = following[0] if following and following[0][0].start == end else []
        return virtual.beginning(begin)


def _intervals(held: Held) -> list[Interval]:
    return [Interval(at, *held[at]) for at in sorted(held)]


def sign(store: Store, signer: Signer, day: int) -> bool:
    """Make some of a day's records; whether there may be more to make."""
    with store.whole():
        news = store.take_news(day, SERIES)
        for point, status, entries in _entries(store, news):
            for start in range(0, len(entries), READINGS):
                some = entries[start : start + READINGS]
                counter = store.counter(point, "F")
                store.put(point, day, _record(signer, point, counter, status, some), len(some))
        sessions = [] if news else store.take_sessions(day)
        for point, session in sessions:
            record = _transaction(signer, point, store.counter(point, "T"), session)
            store.put(point, day, record, len(session))
    return bool(news)


Entry = tuple[int, str, str, str]
"""Instant, register, text, unit: as records take them."""


def _entries(
    store: Store, news: Sequence[tuple[int, list[Any]]]
) -> Iterator[tuple[str, str, list[Entry]]]:
    """(point, status, readings) of what has to be filed."""
    series = store.described()
    found: dict[tuple[str, str], list[Entry]] = {}
    for number, knots in news:
        about = series[number][0]
        for instant, micro, mark in knots:
            mine = found.setdefault((about.point, STATUSES[mark]), [])
            mine.append((instant, about.obis, text(micro), about.unit))
    for (point, status), entries in sorted(found.items()):
        yield point, status, sorted(entries)


def text(micro: int) -> str:
    """Millionths as a decimal text without zeros at its end.

    >>> text(1_500_000), text(2_000_000)
    ('1.5', '2')
    """
    whole, rest = divmod(micro, MICRO)
    return f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole)


def _record(
    signer: Signer, point: str, counter: int, status: str, entries: Sequence[Entry]
) -> bytes:
    payload = ocmf.build(
        device=device_of(point),
        counter=counter,
        readings=[one for one in entries if one[3] == WH],
        extensions=[one for one in entries if one[3] != WH],
        network=signer.network,
        channel=signer.channel,
        status=status,
    )
    return ocmf.sign(payload, signer.key)


def _transaction(
    signer: Signer, point: str, counter: int, session: Sequence[tuple[int, str, int, str]]
) -> bytes:
    """A charging session; between its ends it is read where the file says so."""
    first, last = session[0][0], session[-1][0]
    reasons = {at: "C" for at, *_ in session} | {first: "B", last: "E"}
    payload = ocmf.build(
        device=device_of(point),
        counter=counter,
        readings=[(at, obis, text(micro), unit) for at, obis, micro, unit in session],
        network=signer.network,
        channel=signer.channel,
        reasons=reasons,
    )
    return ocmf.sign(payload, signer.key)
