# SPDX-License-Identifier: Apache-2.0
"""The logs of all parts as one: each line led by its part's name, in the order of their times."""

import json
import queue
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pedchain_network.errors import NetworkError
from pedchain_network.runtimes.part import Part

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_TIME: Final = re.compile(
    r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_ENGINE: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
_SPAN: Final = re.compile(r"(\d+)\s*([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
EVER: Final = datetime.min.replace(tzinfo=UTC)


class NoSuchPartError(NetworkError):
    """A name that no part has."""


class NoTimeError(NetworkError):
    """What is neither a time nor a span."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line; a line without a time of its own has that of the one before it."""

    time: datetime
    part: str
    text: str


def since(text: str, now: datetime) -> datetime:
    """`90s`, `15m`, `2h`, `1d` ago, or a time such as `2026-11-22 14:00` (UTC unless it says).

    Raises `NoTimeError`.
    """
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NoTimeError(
            f"{text!r} is no time", "say 90s, 15m, 2h, 1d or 2026-11-22 14:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def stamped(part: str, lines: Iterable[str], before: datetime = EVER) -> Iterator[Line]:
    """The lines with their times, without colours and without the time an engine puts before."""
    time = before
    for raw in lines:
        text = _COLOUR.sub("", raw)
        time = _time(text) or time
        yield Line(time, part, _ENGINE.sub("", text))


def chosen(parts: Sequence[Part], names: Sequence[str]) -> list[Part]:
    """The parts of those names, or that serve nodes of those names; all if there are none.

    Raises `NoSuchPartError`.
    """
    found = [
        part
        for part in parts
        if not names or part.name in names or any(name in part.listens for name in names)
    ]
    for name in names:
        if not any(name == part.name or name in part.listens for part in found):
            known = ", ".join(part.name for part in parts) or "nothing runs"
            raise NoSuchPartError(f"no part {name!r}", f"known: {known}")
    return found


def last(parts: Sequence[Part], lines: int | None, begin: datetime = EVER) -> list[Line]:
    """The last `lines` lines of all parts together, none from before `begin`."""
    own = [line for part in parts for line in _own(part, lines) if line.time >= begin]
    merged = sorted(own, key=lambda line: line.time)  # stable: lines of one time stay together
    return merged if lines is None else merged[-lines:] if lines else []


def follow(parts: Sequence[Part]) -> Iterator[Line]:
    """Lines that parts write from now on, as they come, for ever."""
    lines: queue.SimpleQueue[Line] = queue.SimpleQueue()

    def read(part: Part) -> None:
        with suppress(OSError):
            for line in stamped(part.name, part.read_log(0, follow=True), datetime.now(UTC)):
                lines.put(line)

    for part in parts:
        threading.Thread(target=read, args=(part,), daemon=True).start()
    while True:
        yield lines.get()


def formatted(lines: Iterable[Line], width: int) -> Iterator[str]:
    """Each led by its part's name, in a column of this width."""
    for line in lines:
        yield f"{line.part:{width}} | {line.text}"


def documents(lines: Iterable[Line]) -> Iterator[str]:
    """Each as a JSON document; `time` is UTC, null before the first line that tells one."""
    for line in lines:
        time = None if line.time == EVER else line.time.isoformat()
        yield json.dumps({"time": time, "part": line.part, "text": line.text})


def _own(part: Part, lines: int | None) -> list[Line]:
    try:
        return list(stamped(part.name, part.read_log(lines, follow=False)))
    except OSError:
        return []


def _time(text: str) -> datetime | None:
    found = _TIME.search(text[:80])
    if found is None:
        return None
    zone = (found["zone"] or "").replace("Z", "+00:00")
    zone = f"{zone[:3]}:{zone[3:]}" if len(zone) == 5 else zone
    fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
    date = found["date"].replace("/", "-")
    try:
        # Without a zone it is this host's own time, as loggers write it.
        return datetime.fromisoformat(f"{date}T{found['time']}.{fraction}{zone}").astimezone(UTC)
    except ValueError:
        return None
