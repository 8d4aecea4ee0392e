# SPDX-License-Identifier: Apache-2.0
"""Reading logs of processes: the last lines of a file, and those that are still to come."""

import os
import time
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path

from pedchain_network.limits import LOG_FOLLOW_PAUSE_S

_CHUNK = 64 << 10
_MOST = 16 << 20  # of one file's end, if only some lines are wanted

_PANICS = ("panic: ", "fatal error: ")


def tail(path: Path, lines: int | None) -> list[str]:
    """The last `lines` lines, or all. Raises `OSError`."""
    with path.open("rb") as file:
        return _tail(file, lines)


def last_words(lines: Sequence[str], count: int) -> Sequence[str]:
    """The `count` lines that say most of an end: from a Go program's panic on, whose cause stands
    above a long list of calls, or else the last ones."""
    for number in reversed(range(len(lines))):
        if lines[number].startswith(_PANICS):
            return lines[number : number + count]
    return lines[-count:]


def read(path: Path, lines: int | None, *, follow: bool) -> Iterator[str]:
    """The same, and with `follow` each further line as it is written, for ever.

    A file that got shorter was begun anew and is read from its start. Raises `OSError`.
    """
    with path.open("rb") as file:
        yield from _tail(file, lines)
        rest = b""
        while follow:
            if os.fstat(file.fileno()).st_size < file.tell():
                file.seek(0)
            new = file.read(_CHUNK)
            if not new:
                time.sleep(LOG_FOLLOW_PAUSE_S)
            *whole, rest = (rest + new).split(b"\n")
            yield from map(_text, whole)


def _tail(file: BufferedReader, lines: int | None) -> list[str]:
    """Reads backwards as far as needed; leaves the position at the end."""
    end = file.seek(0, os.SEEK_END)
    least = 0 if lines is None else max(0, end - _MOST)
    start = end
    data = b""
    while start > least and (lines is None or data.count(b"\n") <= lines):
        start = max(least, start - _CHUNK)
        file.seek(start)
        data = file.read(min(_CHUNK, end - start - len(data))) + data
    file.seek(end)
    found = data.split(b"\n")
    if not found[-1]:
        found.pop()
    wanted = found if lines is None else found[-lines:] if lines else []
    return list(map(_text, wanted))


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
