# SPDX-License-Identifier: Apache-2.0
"""Which cells of a district its devices belong to, remembered: what a large batch is told.

The contract then reads a roster per cell instead of an entry per device. A device never changes its
cell, and what is told is no claim, so nothing has to be asked twice or forgotten.
"""

import json
from collections.abc import Mapping, Sequence

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, LedgerError


class Cells:
    """Cells by district and device. `definitions` names each district's chaincode definition."""

    def __init__(self, ledger: Ledger, definitions: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._definitions = definitions
        self._known: dict[tuple[str, str], int] = {}

    async def told(self, district: str, devices: Sequence[str]) -> dict[str, bytes]:
        """The transient `cells` of a batch of these devices; nothing for a small batch, and where
        the ledger does not say."""
        names = list(dict.fromkeys(devices))
        if len(names) < limits.DEVICES_TOLD_MIN:
            return {}
        unknown = [name for name in names if (district, name) not in self._known]
        if unknown:
            await self._ask(district, unknown[: limits.CELLS_ASKED_MAX])
        found = {self._known[district, name] for name in names if (district, name) in self._known}
        return {"cells": text(sorted(found))} if 0 < len(found) <= limits.CELLS_TOLD_MAX else {}

    async def _ask(self, district: str, names: Sequence[str]) -> None:
        try:
            answer = await self._ledger.evaluate(
                self._definitions[district], "GetCells", json.dumps(names)
            )
            cells = canonical.decode(answer)
        except (LedgerError, canonical.CanonicalError):
            return  # the batch goes without
        if len(self._known) > limits.DEVICES_REMEMBERED_MAX:
            self._known.clear()
        for name, cell in zip(names, cells if isinstance(cells, list) else (), strict=False):
            if type(cell) is int:
                self._known[district, name] = cell


def text(cells: Sequence[int]) -> bytes:
    """Ascending cells as the contract reads them."""
    return ",".join(map(str, cells)).encode()
