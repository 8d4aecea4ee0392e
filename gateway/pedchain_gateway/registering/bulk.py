# SPDX-License-Identifier: Apache-2.0
"""Master data in bulk against a district's registry: what is new, what differs, what cannot be.

What differs of a site or a point is revised from a day on; a device is not rewritten (its life has
commands of its own). Each document is looked up by its name, so a run may end anywhere and be
begun again.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.queries import ask, ask_document
from pedchain_gateway.ledger.steps import private, submit_step
from pedchain_gateway.registering import registry
from pedchain_gateway.registering.register import Registration, register

Document = dict[str, Any]
Report = Callable[[str], None]
_NAMES = {"site/1": ("id",), "point/1": ("id", "site", "parent"), "device/1": ("id", "point")}
_QUERIES = {"site/1": "GetSite", "point/1": "GetPoint", "device/1": "GetDevice"}
LOOKED_UP = 8
"""Documents looked up at a time."""


@dataclass(slots=True)
class Changes:
    """What bringing documents onto the ledger would do, in words by name; `fixed` are those that
    differ and cannot be revised."""

    fresh: list[Document] = field(default_factory=list)
    same: int = 0
    revised: list[tuple[Document, dict[str, tuple[Any, Any]]]] = field(default_factory=list)
    fixed: list[tuple[Document, dict[str, tuple[Any, Any]]]] = field(default_factory=list)

    def text(self) -> Iterator[str]:
        """A line for each document that is not there as it is given."""
        for document in self.fresh:
            yield f"new {_about(document)}"
        for document, fields in self.revised:
            yield f"changed {_about(document)}: {_told(fields)}"
        for document, fields in self.fixed:
            yield f"cannot be changed {_about(document)}: {_told(fields)}"
        counts = (len(self.fresh), len(self.revised), len(self.fixed), self.same)
        yield "{} new, {} changed, {} that cannot be changed, {} as they are".format(*counts)


async def compare(ledger: Ledger, district: str, documents: Sequence[Document]) -> Changes:
    """Hold documents against the ledger. Raises any `LedgerError`."""
    found = Changes()
    for start in range(0, len(documents), LOOKED_UP):
        some = documents[start : start + LOOKED_UP]
        held = await asyncio.gather(*(_held(ledger, district, one) for one in some))
        for document, stands in zip(some, held, strict=True):
            _sort(found, document, stands)
    return found


def _sort(found: Changes, document: Document, stands: Document | None) -> None:
    if stands is None:
        found.fresh.append(document)
        return
    fields = _differing(document, stands)
    if not fields:
        found.same += 1
    elif document["schema"] == "device/1" or fields.keys() & {"from", "kind"}:
        found.fixed.append((document, fields))
    else:
        found.revised.append((document, fields))


async def _held(ledger: Ledger, district: str, document: Document) -> Document | None:
    try:
        asked = (_QUERIES[document["schema"]], document["id"])
        found = await ask_document(ledger, definition_of(district), *asked)
    except Refused as error:
        if error.reason != "not-found":
            raise
        return None
    held: Document = found["document"]
    return held


def _differing(document: Document, stands: Document) -> dict[str, tuple[Any, Any]]:
    """Fields that differ, before and after; names stand on the ledger as pseudonyms."""
    names = _NAMES[document["schema"]]
    fields = sorted((document.keys() | stands.keys()) - set(names) - {"schema"})
    return {
        name: (stands.get(name), document.get(name))
        for name in fields
        if stands.get(name) != document.get(name)
    }


async def bring(
    ledger: Ledger, district: str, changes: Changes, since: str | None, report: Report
) -> None:
    """Register what is new and revise what differs, from the day `since` on. Raises any
    `LedgerError`; `Refused` `already-registered` where something differs and no day is named."""
    if changes.fixed or (changes.revised and since is None):
        raise Refused("already-registered", "what differs needs a day from which on it is so")
    if changes.fresh:
        await register(ledger, Registration([], [], [], {district: changes.fresh}), report)
    revisions = [
        {"schema": "revision/1", "document": document, "since": since}
        for document, _ in changes.revised
    ]
    for start in range(0, len(revisions), limits.DOCUMENTS_PER_REGISTER):
        chunk = revisions[start : start + limits.DOCUMENTS_PER_REGISTER]
        sent = private(documents=chunk)
        await submit_step(ledger, definition_of(district), "Revise", "", transient=sent)
        report(f"{district} {start + len(chunk)} of {len(revisions)} documents revised")


async def missing_shares(
    ledger: Ledger, district: str, shares: Sequence[Document]
) -> list[Document]:
    """Those of the participations that the ledger does not have as they are given; all of a site
    that is not registered yet. Raises any `LedgerError`."""
    held: dict[str, list[Document]] = {}
    for site in sorted({one["site"] for one in shares}):
        try:
            asked = (definition_of(district), "membership:GetParticipations", site)
            held[site] = await ask(ledger, *asked)
        except Refused:
            held[site] = []
    return [
        one
        for one in shares
        if not any({**there, "site": one["site"]} == one for there in held[one["site"]])
    ]


async def take_part(
    ledger: Ledger, district: str, shares: Sequence[Document], report: Report
) -> None:
    """Begin or end sites' shares, one transaction each. Raises any `LedgerError`."""
    for at, one in enumerate(shares, start=1):
        sent = private(document=one)
        definition = definition_of(district)
        await submit_step(ledger, definition, "membership:Participate", "", transient=sent)
        report(f"{district} {at} of {len(shares)} participations put")


async def enrol_all(
    ledger: Ledger, district: str, people: Sequence[Document], report: Report, *, dry: bool
) -> None:
    """Admit everybody who is no member yet: each {"membership", "identity", "occupancy"?}, as the
    member signed it. `dry` only tells who would be new. Raises any `LedgerError`."""
    fresh = [one for one in people if not await _is_member(ledger, district, one["membership"])]
    report(f"{district} {len(fresh)} new, {len(people) - len(fresh)} members already")
    for at, one in enumerate([] if dry else fresh, start=1):
        name = await registry.enrol(ledger, district, one["membership"], one["identity"])
        if "occupancy" in one:
            occupancy = one["occupancy"]
            await registry.call(
                ledger, district, "membership:Occupy", argument=True, document=occupancy
            )
        report(f"{district} {at} of {len(fresh)} admitted: {name}")


async def _is_member(ledger: Ledger, district: str, membership: Document) -> bool:
    try:
        spki = str(membership["key"]["spki"])
        await ask(ledger, definition_of(district), "membership:GetMemberOfKey", spki)
    except Refused:
        return False
    return True


def _about(document: Document) -> str:
    return f"{document['schema'].partition('/')[0]} {document['id']}"


def _told(fields: dict[str, tuple[Any, Any]]) -> str:
    return ", ".join(f"{name} {before} -> {after}" for name, (before, after) in fields.items())
