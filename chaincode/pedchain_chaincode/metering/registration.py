# SPDX-License-Identifier: Apache-2.0
"""Registering sites, points and devices, and the cells that hold them.

A cell is the unit of folding and closing: a few sites with all that hangs on them, small enough
for one step. Sites fill a cell up to `limits.CELL_SITES`; then the next one opens. A cell's roster
repeats what the single entries say, so that a step needs one read instead of many.

Entries: {"cell", "site", "document"}, a device's also {"p_max_w"} of its point; its document
carries former keys, revocation and end, as domain.roster keeps them.
"""

from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load, load_many, refusals, save
from pedchain_chaincode.metering import adoption, keys, names
from pedchain_domain import documents as schemas
from pedchain_domain import pseudonyms
from pedchain_domain import roster as rosters
from pedchain_fabric.shim import Context, Refusal

ORDER = ("site/1", "point/1", "device/1")
BOUNDARIES = ("feeder", "substation", "zone", "heat_network")
"""Kinds of boundary a site's own document tells; others (a virtual district's) nobody can check."""
PARENT = {"point/1": ("site", "unknown-site"), "device/1": ("point", "unknown-point")}


async def register(ctx: Context, documents: list[Document], *, named: bool = False) -> None:
    """Register documents in any order; the same one again changes nothing.

    Names in `named` documents become pseudonyms; a site must lie within the district's boundary.
    """
    checked = [_checked(document) for document in documents]
    if named:
        await names.begin(ctx)
        vault = await names.vault(ctx)
        checked = [vault.translated(document) for document in checked]
    elif await names.named(ctx):
        _pseudonymous(checked)
    await inside(ctx, checked)
    checked.sort(key=lambda document: ORDER.index(document["schema"]))
    register = await _Register.load(ctx, checked)
    for document in checked:
        await register.add(document)
    await register.save()


def _pseudonymous(documents: list[Document]) -> None:
    """Refuse a name where only pseudonyms may stand."""
    for document in documents:
        if not pseudonyms.is_pseudonym(document["id"]):
            raise Refusal("not-a-pseudonym")


async def inside(ctx: Context, documents: list[Document]) -> None:
    """Refuse a site of another feeder, substation, zone or heat network than the district's."""
    sites = [document for document in documents if document["schema"] == "site/1"]
    if not sites:
        return
    boundary = (await adoption.newest(ctx))["boundary"]
    kind = boundary["kind"]
    if kind in BOUNDARIES and any(site.get(kind) != boundary["id"] for site in sites):
        raise Refusal("outside-boundary", kind)


def _checked(document: Document) -> Document:
    if document.get("schema") not in ORDER:
        raise Refusal("malformed-document", "schema")
    with refusals():
        return schemas.check(document)


class _Register:
    """The entries and rosters one call touches, kept in memory: reads do not see own writes."""

    def __init__(self, ctx: Context, entries: dict[str, Document], layout: Document) -> None:
        self._ctx, self._entries, self._layout = ctx, entries, layout
        self._rosters: dict[int, Any] = {}
        self._new: dict[str, Document] = {}

    @classmethod
    async def load(cls, ctx: Context, documents: list[Document]) -> "_Register":
        """Read every entry the documents are or name, and the layout."""
        wanted = {key: None for document in documents for key in _keys(ctx, document)}
        found = await load_many(ctx.stub, list(wanted))
        entries = {k: v for k, v in zip(wanted, found, strict=True) if v is not None}
        return cls(ctx, entries, await load(ctx.stub, keys.layout(ctx.stub)) or {"cells": []})

    async def add(self, document: Document) -> None:
        key = _key(self._ctx, document["schema"], document["id"])
        known = self._entries.get(key)
        if known is not None:
            if _as_registered(known["document"]) != document:
                raise Refusal("already-registered")
            return
        entry = {"document": document, **self._place(document)}
        self._entries[key] = self._new[key] = entry
        roster = await self._roster(entry["cell"])
        with refusals():
            self._rosters[entry["cell"]] = rosters.add(roster, document)

    def _place(self, document: Document) -> Document:
        """The cell and site of a document: its parent's, or for a site the filling cell."""
        if document["schema"] == "site/1":
            return {"cell": self._open_cell(), "site": document["id"]}
        field, missing = PARENT[document["schema"]]
        parent = self._entries.get(_key(self._ctx, f"{field}/1", document[field]))
        if parent is None:
            raise Refusal(missing)
        place = {"cell": parent["cell"], "site": parent["site"]}
        if document["schema"] == "device/1":
            place["p_max_w"] = parent["document"]["p_max_w"]
        return place

    def _open_cell(self) -> int:
        """The cell a new site goes to; it counts the site."""
        cells = self._layout["cells"]
        if not cells or cells[-1] >= limits.CELL_SITES:
            cells.append(0)
        cells[-1] += 1
        return len(cells) - 1

    async def _roster(self, cell: int) -> Any:
        if cell not in self._rosters:
            found = await load(self._ctx.stub, keys.roster(self._ctx.stub, cell))
            self._rosters[cell] = found or rosters.empty(cell)
        return self._rosters[cell]

    async def save(self) -> None:
        if not self._new:
            return
        stub = self._ctx.stub
        stub.start_write_batch()
        for key, entry in self._new.items():
            await save(stub, key, entry)
        for cell, roster in self._rosters.items():
            await save(stub, keys.roster(stub, cell), roster)
        await save(stub, keys.layout(stub), self._layout)
        await stub.finish_write_batch()


def _as_registered(document: Document) -> Document:
    """A device's document before it was rotated, revoked or exchanged."""
    first: Document = document.get("registered", document)
    return first


def _key(ctx: Context, schema: str, identifier: str) -> str:
    make = {"site/1": keys.site, "point/1": keys.point, "device/1": keys.device}[schema]
    return make(ctx.stub, identifier)


def _keys(ctx: Context, document: Document) -> list[str]:
    """The keys of a document and of the parent it names."""
    schema = document["schema"]
    found = [_key(ctx, schema, document["id"])]
    if schema in PARENT:
        field, _ = PARENT[schema]
        found.append(_key(ctx, f"{field}/1", document[field]))
    return found
