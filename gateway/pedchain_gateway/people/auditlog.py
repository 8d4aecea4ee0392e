# SPDX-License-Identifier: Apache-2.0
"""What people asked and were answered, a line each, every line holding the hash of the one before.

A line is JSON without line breaks {n, at, who, did, about, status, request, transaction, before,
hash}: ids and outcomes, never a payload. Removing or changing a line breaks the chain, which
`ped-gateway audit-log` looks at; the newest hash, kept elsewhere, also shows a cut-off end.

A full file is put aside under the number of its last line (`audit.log.000000012345`), and the chain
goes on in a new one: its first line holds the hash of the last line before it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from pedchain_gateway import limits
from pedchain_gateway.service.problems import Problem, ProblemError

BEGIN = "0" * 64
DIGITS = 12
Entry = Mapping[str, Any]


class BrokenError(Exception):
    """The chain does not hold; the text names the line."""


class AuditLog:
    """The file (or nothing kept, path None)."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[bytes] | None = None
        self._waiting: list[dict[str, Any]] = []
        self._path = path
        self.count, self.last = 0, BEGIN
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for earlier in put_aside(path)[-1:]:
                with earlier.open("rb") as lines:
                    self._after(lines)
            self._file = _opened(path)
            self._resume()

    def note(self, **what: Any) -> None:
        """Keep one entry durably; what the disk does not take waits, see `ready`."""
        self._waiting.append(what)
        self._flush()

    def ready(self) -> None:
        """Raises `ProblemError` where what was done before could not be kept yet."""
        self._flush()
        if self._waiting:
            raise ProblemError(Problem.STORAGE_FULL)

    def close(self) -> None:
        """Close the file; everything is on the disk already."""
        if self._file is not None:
            self._file.close()

    def _flush(self) -> None:
        while self._waiting:
            line = {"n": self.count + 1, **self._waiting[0], "before": self.last}
            line["hash"] = hashed(line)
            if self._file is not None and not _append(self._file, line):
                return
            self._waiting.pop(0)
            self.count, self.last = line["n"], line["hash"]
            self._turn()

    def _turn(self) -> None:
        """Put a full file aside. Where that fails the file grows on, and the next line tries."""
        if self._path is None or self._file is None:
            return
        if self._file.seek(0, os.SEEK_END) < limits.AUDIT_FILE_BYTES_MAX:
            return
        aside = self._path.with_name(f"{self._path.name}.{self.count:0{DIGITS}}")
        try:
            os.rename(self._path, aside)
        except OSError:
            return
        try:
            fresh = _opened(self._path)
        except OSError:
            os.rename(aside, self._path)
            return
        self._file.close()
        self._file = fresh

    def _resume(self) -> None:
        """Go on after the last whole line; one that a crash cut off is taken away."""
        assert self._file is not None
        self._file.seek(0)
        self._file.truncate(self._after(self._file))

    def _after(self, lines: Iterable[bytes]) -> int:
        """Take up the chain after these; bytes of its whole lines."""
        end = 0
        for raw in lines:
            if not raw.endswith(b"\n"):
                break
            end += len(raw)
            line = json.loads(raw)
            self.count, self.last = line["n"], line["hash"]
        return end


def put_aside(path: Path) -> list[Path]:
    """The full files of a log, oldest first."""
    found = path.parent.glob(f"{path.name}.{'[0-9]' * DIGITS}")
    return sorted(found)


def _opened(path: Path) -> IO[bytes]:
    file = path.open("a+b")
    os.chmod(path, 0o600)
    return file


def _append(file: IO[bytes], line: Entry) -> bool:
    end = file.seek(0, os.SEEK_END)
    try:
        file.write(json.dumps(line, sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    except OSError:
        file.truncate(end)
        return False
    return True


def hashed(line: Entry) -> str:
    """A line's hash: SHA-256 of its JSON, keys ascending, without the member `hash`."""
    content = {name: value for name, value in line.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def verify(lines: Iterable[bytes], count: int = 0, last: str = BEGIN) -> tuple[int, str]:
    """How many lines hold, and the newest hash; `count` lines before them ended with hash `last`.

    Raises `BrokenError` naming the first that does not.
    """
    for raw in lines:
        try:
            line = json.loads(raw[: limits.AUDIT_LINE_BYTES_MAX])
            good = (line["n"], line["before"], line["hash"]) == (count + 1, last, hashed(line))
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise BrokenError(f"line {count + 1} is not what was written after line {count}")
        count, last = count + 1, line["hash"]
    return count, last
