# SPDX-License-Identifier: Apache-2.0
"""Step 7, first half: periods folded anew from the records themselves.

What the contract keeps in private folds is not believed: rows come from the batches of step 6 and
are folded here by the same pure rules (domain.fold), cell by cell, period by period.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from pedchain_audit.batches import Rows
from pedchain_domain import fold as folds
from pedchain_domain.calendar import Day

Document = dict[str, Any]
#: Earlier periods looked into for counters that come again (as the contract does).
TRAILS_KNOWN = 4
#: The shard of a batch whose records belong to several.
MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as its marker files it: transaction, shard (or `mixed`), rows by cell."""

    transaction: str
    shard: str
    rows: Rows


class Filing:
    """Batches by period, and what folding them gave: folds and edges by cell and day."""

    def __init__(self) -> None:
        self.batches: dict[int, list[Batch]] = {}
        self.heads: dict[int, Document] = {}
        self.trails: dict[tuple[int, int], Document] = {}
        self.folds: dict[tuple[int, str], list[tuple[int, Document]]] = {}
        self.edges: dict[tuple[int, str], Document] = {}
        self.chains: dict[int, str] = {}

    def add(self, period: int, batch: Batch) -> None:
        """A batch, under the period its marker names."""
        self.batches.setdefault(period, []).append(batch)

    def fold(
        self, period: int, shard: int, shards: int, calendar: Sequence[Day], grain: int
    ) -> str:
        """Folds a shard's period; returns the hash of the list of all its batches so far (C1)."""
        by_cell: Rows = {}
        chain = self.chains.get(shard, "")
        # Batches count in the order of their transaction ids, those of several shards in each.
        for batch in sorted(self.batches.get(period, []), key=attrgetter("transaction")):
            if batch.shard not in (str(shard), MIXED):
                continue
            chain = hashlib.sha256(f"{chain}{batch.transaction}".encode()).hexdigest()
            for cell, rows in sorted(batch.rows.items()):
                if cell % shards == shard:
                    by_cell.setdefault(cell, []).extend(rows)
        for cell in sorted(by_cell):
            self._fold_cell(cell, period, by_cell[cell], calendar, grain)
        self.chains[shard] = chain
        return chain

    def _fold_cell(
        self, cell: int, period: int, rows: list[Any], calendar: Sequence[Day], grain: int
    ) -> None:
        head = self.heads.get(cell) or folds.empty_head(cell)
        ordered = sorted(rows, key=lambda row: row[:4])
        earlier = folds.late(ordered, head)[-TRAILS_KNOWN:]
        trails = [self.trails[cell, each] for each in earlier if (cell, each) in self.trails]
        folded = folds.fold(
            ordered,
            head,
            calendar,
            period=period,
            shard=cell,
            grain=grain,
            known=folds.known(trails),
        )
        self.heads[cell] = folded.head
        self.trails[cell, period] = folded.trail
        for day, document in folded.folds.items():
            self.folds.setdefault((cell, day), []).append((period, document))
            before = [self.edges[cell, day]] if (cell, day) in self.edges else []
            self.edges[cell, day] = folds.merge_edges([*before, folded.edges[day]])

    def merged(self, cell: int, day: str, through: int) -> Document | None:
        """All that was filed for a day in periods up to `through`."""
        held = [fold for period, fold in self.folds.get((cell, day), []) if period <= through]
        return folds.merge(held) if held else None
