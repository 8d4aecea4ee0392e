# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway import`: files into the store, the store's news onto the ledger.

    <state>/import.sqlite    what was taken, told and sent
    <state>/rejected.csv     every row not taken, by file and line

A file that cannot be read is named and leaves nothing; the others are taken. A run that ends early
is continued by the next one with the same state.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pedchain_gateway.importing.mapping import Mapping
from pedchain_gateway.importing.rows import Rejected, TableError
from pedchain_gateway.importing.sending import Sender, Sent
from pedchain_gateway.importing.store import Store, Taken
from pedchain_gateway.importing.taking import take
from pedchain_gateway.importing.telling import Signer, device_of, tell
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.queries import ask_document

Report = Callable[[str], None]
STORE, REJECTED = "import.sqlite", "rejected.csv"


@dataclass(slots=True)
class Summary:
    """What a run did. `broken` are files that could not be read, with the reason."""

    files: list[Taken] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    unregistered: dict[str, list[str]] = field(default_factory=dict)
    sent: Sent = field(default_factory=Sent)

    @property
    def whole(self) -> bool:
        """Whether every row of every file was taken and is on the ledger."""
        rejected = sum(one.rejected for one in self.files) + self.sent.rejected
        return not (rejected or self.broken or self.unregistered)

    def add(self, other: "Summary") -> None:
        """Take over what became of further files."""
        self.files += other.files
        self.broken += other.broken

    def text(self) -> str:
        """One JSON line."""
        return json.dumps(
            {
                "files": [one._asdict() for one in self.files],
                "broken": dict(self.broken),
                "unregistered": self.unregistered,
                "records": self.sent.records,
                "readings": self.sent.readings,
                "refused": self.sent.rejected,
            },
            sort_keys=True,
        )


def collect(
    store: Store,
    files: Sequence[Path],
    style: Mapping,
    report: Report,
    rejected: Path | None,
    *,
    keep: bool = True,
) -> Summary:
    """Take files one after the other. Without `keep`, only find out how they would go."""
    summary = Summary()
    lines: list[tuple[Path, Rejected]] = []
    for path in files:
        found: list[Rejected] = []
        try:
            done = take(store, path, style, found.append, keep=keep)
        except TableError as error:
            summary.broken.append((path.name, str(error)))
            report(f"{path.name}: cannot be read, nothing of it is taken: {error}")
            continue
        lines += [(path, row) for row in found]
        summary.files.append(done)
        report(
            f"{path.name}: {done.taken} taken, {done.repeated} repeated, "
            f"{done.corrected} correcting, {done.rejected} rejected"
        )
    if rejected is not None:
        _write(rejected, lines)
    return summary


def _write(path: Path, lines: Sequence[tuple[Path, Rejected]]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "line", "reason", "row"])
        writer.writerows([at.name, row.line, row.reason, row.text] for at, row in lines)


async def file(
    ledger: Ledger, district: str, store: Store, signer: Signer, report: Report
) -> tuple[dict[str, list[str]], Sent]:
    """Bring all that was taken onto the ledger; registers it does not have, and what was sent."""
    lacking = await _lacking(ledger, district, store)
    news = tell(store)
    report(f"{district} {news} registers to file")
    return lacking, await Sender(ledger, district, store, signer, report).send()


async def _lacking(ledger: Ledger, district: str, store: Store) -> dict[str, list[str]]:
    """Registers of points that are not on the ledger: their values wait in the store."""
    lacking = {}
    for point, wanted in store.unregistered().items():
        found = await _registers(ledger, district, device_of(point))
        store.registered(point, [obis for obis in wanted if obis in found])
        missing = [obis for obis in wanted if obis not in found]
        if missing:
            lacking[point] = missing
    return lacking


async def _registers(ledger: Ledger, district: str, device: str) -> list[str]:
    try:
        found = await ask_document(ledger, definition_of(district), "GetDevice", device)
    except Refused:
        return []
    return list(found["document"]["registers"])
