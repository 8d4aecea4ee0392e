# SPDX-License-Identifier: Apache-2.0
"""A metering definition's public registry, read from the replayed state."""

import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pedchain_audit.errors import Broken
from pedchain_audit.world import World
from pedchain_domain import canonical, onboarding, pseudonyms, signed, terms
from pedchain_domain import roster as rosters
from pedchain_domain.calendar import Day
from pedchain_domain.numbers import PPM
from pedchain_domain.reasons import DomainError
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import hash_key

Document = dict[str, Any]
SALT_BYTES = 16


class Registry:
    """What `metering-<district>` keeps in public: devices, rosters, adopted versions, the fence."""

    def __init__(
        self,
        world: World,
        namespace: str,
        secret: bytes | None = None,
        exchanged: Mapping[str, Document] | None = None,
    ) -> None:
        """`secret` is the district's, if the archive holds it: names then lead to pseudonyms;
        `exchanged` what meters read at their exchange, by the old device."""
        self.world = world
        self.namespace = namespace
        self._exchanged = exchanged or {}
        self._secret = secret
        self._naming = None if secret is None else pseudonyms.naming_key(secret)

    def get(self, kind: str, *attributes: str) -> Document | None:
        """The document under a composite key."""
        key = compositekey.create(kind, list(attributes))
        value = self.world.value(self.namespace, key)
        return None if value is None else decoded(value)

    def must(self, kind: str, *attributes: str) -> Document:
        """The same where there has to be one. KeyError where there is none."""
        found = self.get(kind, *attributes)
        if found is None:
            raise KeyError(f"{kind} {' '.join(attributes)}")
        return found

    def device(self, name: str) -> Document | None:
        """A device's entry: document, cell, site; by its id or by the name its records carry."""
        entry = self.get("device", name)
        if entry is not None or self._naming is None:
            return entry
        derived = self.get("device", pseudonyms.pseudonym(self._naming, name))
        if derived is None:
            return None
        return {**derived, "document": {**derived["document"], "name": name}}

    @property
    def naming(self) -> bytes | None:
        """The key of the district's pseudonyms, if the archive holds its secret."""
        return self._naming

    def devices(self, names: Iterable[str]) -> dict[str, Document]:
        """Entries of devices by their ids: document, cell, site; of those there are."""
        found = {name: self.get("device", name) for name in names}
        return {name: entry for name, entry in found.items() if entry is not None}

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

    def roster(self, cell: int, day: str | None = None) -> Document:
        """Sites, points, devices and exchanges of a cell: now, or as they stood on a day."""
        found = rosters.exchanged(self.must("roster", str(cell)), self._exchanged)
        return found if day is None else rosters.on(found, day)

    def every(self, kind: str) -> list[Document]:
        """All documents of a kind, by their keys."""
        start, end = compositekey.prefix_range(kind, [])
        space = self.world.space(self.namespace)
        return [decoded(cell.value) for _, cell in space.between(start, end, include_end=False)]

    def private(self, shown: Mapping[bytes, bytes], *name: str) -> Document | None:
        """The private document that a transaction writes under a name; None if it does not, or it
        is not here any more."""
        if self._secret is None:
            return None
        hidden = hmac.digest(self._secret, "\x00".join(name).encode(), "sha256").hex()
        value = shown.get(hash_key(compositekey.create("h", [hidden])))
        return decode(value[SALT_BYTES:]) if value else None

    def exchanges(self, roster: Document, shown: Mapping[bytes, bytes]) -> dict[str, Document]:
        """What meters read at exchanges that a transaction writes, by the old device."""
        found = {
            one["old"]: self.private(shown, "exchange", one["old"]) for one in roster["exchanges"]
        }
        return {old: rosters.exchange_registers(told) for old, told in found.items() if told}

    def cells(self) -> int:
        """How many cells there are."""
        layout = self.get("layout")
        return len(layout["cells"]) if layout else 0


class RegistryError(Broken):
    """A registered document lacks what it must rest on; the text tells which."""

    check = "registry"


def membership(document: Document, fence: Document, creator: str, channel: str) -> None:
    """Raises `RegistryError` unless the member's key and the district's operator both signed."""
    if creator != fence["operator"]:
        raise RegistryError("a member was not enrolled by the district's operator")
    body = signed.unsigned(document)
    if body["district"] != fence["district"]:
        raise RegistryError("a membership is of another district")
    message = signed.message(
        body, network=fence["network"], channel=channel, contract=onboarding.CONTRACT
    )
    try:
        signed.verify(body["key"]["spki"], message, document["signature"])
    except DomainError as error:
        raise RegistryError(f"a membership is not the member's: {error.reason}") from error


def shares(roster: Document) -> None:
    """Raises `RegistryError` if some site's shares exceed the whole at any instant."""
    for held in roster.get("participations", {}).values():
        if terms.heaviest(held, "ppm") > PPM:
            raise RegistryError("a site takes part by more than the whole of it")


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
