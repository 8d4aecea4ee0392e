# SPDX-License-Identifier: Apache-2.0
"""A metering definition's public registry, read from the replayed state."""

from functools import lru_cache
from typing import Any

from pedchain_audit.world import World
from pedchain_domain import canonical
from pedchain_domain.calendar import Day
from pedchain_fabric.wire import compositekey

Document = dict[str, Any]


class Registry:
    """What `metering-<district>` keeps in public: devices, rosters, adopted versions, the fence."""

    def __init__(self, world: World, namespace: str) -> None:
        self._world = world
        self._namespace = namespace

    def get(self, kind: str, *attributes: str) -> Document | None:
        """The document under a composite key."""
        key = compositekey.create(kind, list(attributes))
        value = self._world.value(self._namespace, key)
        return None if value is None else decoded(value)

    def must(self, kind: str, *attributes: str) -> Document:
        """The same where there has to be one. KeyError where there is none."""
        found = self.get(kind, *attributes)
        if found is None:
            raise KeyError(f"{kind} {' '.join(attributes)}")
        return found

    def device(self, name: str) -> Document | None:
        """A device's entry: document, cell, site."""
        return self.get("device", name)

    def district(self, day: str) -> Document:
        """The district's document in force on a day; versions never reach backwards (V6)."""
        versions = self.must("adoption")["versions"]
        held = [version for version in versions if version["from"] <= day]
        return self.must("adopted", str(held[-1]["version"]))

    def calendar(self, district: Document) -> list[Day]:
        """All rows of the district's calendars in time order."""
        found = [self.get("calendar", name) for name in district["calendar"]]
        rows = [row for calendar in found if calendar for row in calendar["rows"]]
        return sorted(rows, key=lambda row: int(row["start"]))

    def factors(self, district: Document) -> Document:
        """The district's factor version."""
        return self.must("factors", district["factors"])

    def roster(self, cell: int) -> Document:
        """Sites, points, devices and exchanges of a cell."""
        return self.must("roster", str(cell))

    def cells(self) -> int:
        """How many cells there are."""
        layout = self.get("layout")
        return len(layout["cells"]) if layout else 0


#: Documents kept as read; most are asked for again with each record of a device.
DOCUMENTS_KEPT = 4_096


@lru_cache(DOCUMENTS_KEPT)
def decoded(value: bytes) -> Document:
    """A registry document, read once per version; nobody writes into it."""
    return decode(value)


def decode(value: bytes) -> Document:
    """A ledger document."""
    document = canonical.decode(value, canonical.Limits(size=len(value)))
    assert isinstance(document, dict)
    return document
