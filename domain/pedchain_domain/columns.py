# SPDX-License-Identifier: Apache-2.0
"""Registers of one device in columns: the one form in which records, folds and closes hand them on.

    {"t": [instant], role: [whole | null], "s": [instants that hold a substitute]}

Instants ascend; each role has a value or null at each; `s` is there only if it holds one. Of two
values of a role at one instant the first stands, so that no device rewrites what it said; but a
substitute of the DSO corrects what came before it. Columns of a transaction (rules R7) keep the
order of its readings, and an instant may come twice.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

Columns = dict[str, list[Any]]
Value = tuple[int, str, int]
"""Instant, role, whole units."""

TIMES, SUBSTITUTES = "t", "s"
_NO_ROLES = (TIMES, SUBSTITUTES)


def of(values: Iterable[Value], substitutes: Iterable[Value] = ()) -> Columns:
    """Columns of a record's readings, in any order; substitutes correct the others."""
    given = list(values)
    quick = _ascending(given)
    corrections = list(substitutes)
    if quick is not None and not corrections:
        return quick
    found: dict[int, dict[str, int]] = {}
    for instant, role, whole in given:
        line = found.get(instant)
        if line is None:
            found[instant] = {role: whole}
        else:
            line.setdefault(role, whole)
    corrected: dict[int, None] = {}
    for instant, role, whole in corrections:
        found.setdefault(instant, {})[role] = whole
        corrected[instant] = None
    return _of_lines(found, corrected)


def _ascending(values: Sequence[Value]) -> Columns | None:
    """Columns of readings that ascend, each role having one at each instant: how meters tell them.
    None if these do not."""
    times: list[int] = []
    columns: Columns = {TIMES: times}
    for instant, role, whole in values:
        if not times or times[-1] < instant:
            times.append(instant)
        elif instant < times[-1]:
            return None
        column = columns.get(role)
        if column is None and len(times) == 1:
            columns[role] = [whole]
        elif column is not None and len(column) == len(times) - 1:
            column.append(whole)
        else:
            return None
    complete = all(len(column) == len(times) for column in columns.values())
    return columns if complete else None


def in_order(values: Iterable[Value]) -> Columns:
    """Columns of a transaction's readings as they follow each other."""
    lines: list[tuple[int, dict[str, int]]] = []
    for instant, role, whole in values:
        if not lines or lines[-1][0] != instant or role in lines[-1][1]:
            lines.append((instant, {}))
        lines[-1][1][role] = whole
    names = dict.fromkeys(role for _, line in lines for role in line)
    columns: Columns = {TIMES: [instant for instant, _ in lines]}
    return columns | {role: [line.get(role) for _, line in lines] for role in names}


def roles(columns: Columns) -> list[str]:
    """The roles that have a value."""
    return [name for name in columns if name not in _NO_ROLES]


def knots(columns: Columns, role: str) -> list[list[int]]:
    """[instant, whole] of a role, where it has a value."""
    pairs = zip(columns[TIMES], columns[role], strict=True)
    return [[instant, whole] for instant, whole in pairs if whole is not None]


def part(columns: Columns, first: int, last: int) -> Columns | None:
    """What stands at instants in [first, last]; None if nothing does."""
    times = columns[TIMES]
    low, high = bisect_left(times, first), bisect_right(times, last)
    if low == high:
        return None
    if high - low == len(times):
        return columns
    kept = {name: columns[name][low:high] for name in columns if name != SUBSTITUTES}
    found = {
        name: values
        for name, values in kept.items()
        if name == TIMES or any(value is not None for value in values)
    }
    inside = [at for at in columns.get(SUBSTITUTES, ()) if first <= at <= last]
    return found | {SUBSTITUTES: inside} if inside else found


def join(parts: Sequence[Columns]) -> Columns:
    """One from several, none of them empty, in the order filed."""
    if len(parts) == 1:
        return parts[0]
    if _follow(parts):
        return {name: list(chain.from_iterable(one[name] for one in parts)) for name in parts[0]}
    found: dict[int, dict[str, int]] = {}
    corrected: dict[int, None] = {}
    for one in parts:
        again = dict.fromkeys(one.get(SUBSTITUTES, ()))
        for at, line in _lines(one):
            before = found.get(at, {})
            found[at] = {**before, **line} if at in again else {**line, **before}
        corrected |= again
    return _of_lines(found, corrected)


def outermost(columns: Columns) -> dict[str, list[int]]:
    """{role: [first instant, first value, last instant, last value]}."""
    times, found = columns[TIMES], {}
    for role in roles(columns):
        values = columns[role]
        first, last = 0, len(values) - 1
        while values[first] is None:
            first += 1
        while values[last] is None:
            last -= 1
        found[role] = [times[first], values[first], times[last], values[last]]
    return found


def _follow(parts: Sequence[Columns]) -> bool:
    """Whether each part begins after the one before has ended, all of the same roles."""
    names = parts[0].keys()
    return all(
        two.keys() == names and SUBSTITUTES not in two and one[TIMES][-1] < two[TIMES][0]
        for one, two in pairwise(parts)
    )


def _lines(columns: Columns) -> list[tuple[int, dict[str, int]]]:
    mine = [(role, columns[role]) for role in roles(columns)]
    return [
        (at, {role: values[place] for role, values in mine if values[place] is not None})
        for place, at in enumerate(columns[TIMES])
    ]


def _of_lines(found: Mapping[int, Mapping[str, int]], corrected: Mapping[int, None]) -> Columns:
    if len(found) == 1 and not corrected:
        ((at, line),) = found.items()
        return {TIMES: [at], **{role: [whole] for role, whole in line.items()}}
    times = sorted(found)
    names = dict.fromkeys(role for line in found.values() for role in line)
    columns: Columns = {TIMES: times}
    for role in names:
        columns[role] = [found[at].get(role) for at in times]
    return columns | {SUBSTITUTES: sorted(corrected)} if corrected else columns
