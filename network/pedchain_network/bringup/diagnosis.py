# SPDX-License-Identifier: Apache-2.0
"""From a failed part's words to what can be done; most are the operating system's own words."""

import re
from dataclasses import dataclass

from pedchain_network.errors import PartError


@dataclass(frozen=True, slots=True)
class Cause:
    """Words that give a cause away, what it is called, and its remedy."""

    words: re.Pattern[str]
    name: str
    remedy: str


def _cause(words: str, name: str, remedy: str) -> Cause:
    return Cause(re.compile(words, re.IGNORECASE), name, remedy)


CAUSES = (
    _cause(
        r"no space left|disk is full|disk I/O error|file too large|quota exceeded",
        "the disk is full",
        "free some space on the state directory's file system, then up again",
    ),
    _cause(
        r"address already in use",
        "somebody took the port meanwhile",
        "end it, or choose other ports in the topology; then up again",
    ),
    _cause(
        r"certificate has expired|identity expired|certificate is not yet valid",
        "a certificate is not valid now",
        "ped-network doctor names it, ped-network cert renew replaces it; then up again",
    ),
    _cause(
        r"too many open files",
        "the limit on open files is too low",
        "ulimit -n 65536, then down and up again",
    ),
    _cause(
        r"cannot allocate memory|out of memory|oom-kill",
        "memory ran out",
        "give this host more memory (1 GB is enough for the reference), then up again",
    ),
    _cause(
        r"permission denied|operation not permitted",
        "a file belongs to somebody else",
        "run it as the owner of the state directory, then up again",
    ),
)


def explained(error: PartError) -> PartError:
    """The same error with the remedy its words and its log give away, if it has none yet."""
    if error.fix:
        return error
    said = f"{error.what}\n{error.log}"
    for cause in CAUSES:
        if cause.words.search(said):
            what = f"{error.what} ({cause.name})"
            return PartError(error.part, what, error.log, cause.remedy)
    fix = f"ped-network logs {error.part} has more; up again goes on from here"
    return PartError(error.part, error.what, error.log, fix)
