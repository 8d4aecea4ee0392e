# SPDX-License-Identifier: Apache-2.0
"""A second, independent memory of how far each device has signed.

It lies beside the keys, apart from the outbox. An outbox that knows less than the mark was
restored from a copy (or lost), and signing on would use counters twice. The file is replaced
as a whole and never waits for the disk: after a power cut it may be older than the outbox, which
is harmless; it is never newer, because it is written after the outbox was.

What this cannot see: a whole disk restored, outbox, keys and mark alike. Then the ledger's own
answer `conflict` blocks the device (see `uplink`).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from emsagent import logs
from emsagent.errors import StateRegressed

MARK_BYTES_MAX = 64 * 1024


class Mark:
    """The highest counter each device of one home has reserved."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counters = _read(path)

    def check(self, counters: Mapping[str, int]) -> None:
        """Raise `StateRegressed` if the outbox (`counters` by device) knows less than the mark."""
        for device, reached in self._counters.items():
            held = counters.get(device, 0)
            if held < reached:
                raise StateRegressed(
                    f"{device} has signed counter {reached}, but its outbox ends at {held}: "
                    "a restored or copied state; make a new key and register it"
                )

    def reached(self, device: str) -> int:
        """The highest counter the device has reserved, as far as this file knows."""
        return self._counters.get(device, 0)

    def advance(self, counters: Mapping[str, int]) -> None:
        """Note what the outbox has durably reserved."""
        self._counters = {**self._counters, **counters}
        draft = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps(self._counters))
            os.replace(draft, self._path)
        except OSError as error:  # it may be older than the outbox; that it is, is told
            logs.alarm("mark-not-written", detail=str(error.strerror))


def _read(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    with path.open("rb") as file:
        raw = file.read(MARK_BYTES_MAX)
    try:
        values = json.loads(raw)
    except ValueError as error:
        raise StateRegressed(f"{path} cannot be read: nobody knows what was signed") from error
    if not isinstance(values, dict) or not all(type(value) is int for value in values.values()):
        raise StateRegressed(f"{path} holds no counters: nobody knows what was signed")
    return values
