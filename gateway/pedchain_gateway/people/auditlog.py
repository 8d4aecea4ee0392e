# SPDX-License-Identifier: Apache-2.0
"""What people asked and were answered, a line each, every line holding the hash of the one before.

A line is JSON without line breaks {n, at, who, did, about, status, request, transaction, before,
hash}: ids and outcomes, never a payload. Removing or changing a line breaks the chain, which
`ped-gateway audit-log` looks at; the newest hash, kept elsewhere, also shows a cut-off end.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from pedchain_gateway import limits
from pedchain_gateway.service.problems import Problem, ProblemError

BEGIN = "0" * 64
Entry = Mapping[str, Any]


class BrokenError(Exception):
    """The chain does not hold; the text names the line."""


class AuditLog:
    """The file (or nothing kept, path None)."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[bytes] | None = None
        self._waiting: list[dict[str, Any]] = []
        self.count, self.last = 0, BEGIN
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = path.open("a+b")
            os.chmod(path, 0o600)
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

    def _resume(self) -> None:
        """Go on after the last whole line; one that a crash cut off is taken away."""
        assert self._file is not None
        self._file.seek(0)
        end = 0
        for raw in self._file:
            if not raw.endswith(b"\n"):
                break
            end += len(raw)
            line = json.loads(raw)
            self.count, self.last = line["n"], line["hash"]
        self._file.truncate(end)


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


def verify(lines: Iterator[bytes]) -> tuple[int, str]:
    """How many lines hold, and the newest hash. Raises `BrokenError` naming the first that does
    not."""
    count, last = 0, BEGIN
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
