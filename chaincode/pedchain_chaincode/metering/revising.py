# SPDX-License-Identifier: Apache-2.0
"""Revising sites and points from a day on that is not closed yet.

What a certificate was made with stays: the cell's roster keeps each former document with the day
until which it stood (domain.roster), and later runs of earlier days are closed by it. The single
entries hold the newest document; a device's entry holds the `p_max_w` of its point, by which new
records are judged.
"""

from typing import Any

from pedchain_chaincode.documents import Document, checked, load_many, refusals, save
from pedchain_chaincode.metering import keys, names, registration
from pedchain_domain import pseudonyms
from pedchain_domain import roster as rosters
from pedchain_fabric.shim import Context, Refusal

_KEYS = {"site/1": keys.site, "point/1": keys.point}
_UNKNOWN = {"site/1": "unknown-site", "point/1": "unknown-point"}


async def revise(
    ctx: Context, closing: Document, documents: list[Document], *, named: bool
) -> None:
    """Apply revisions in their order; the same ones again change nothing.

    Refuses `day-closed` for one from a day that some run has closed."""
    revisions = [checked(one, "revision/1") for one in documents]
    if named:
        vault = await names.vault(ctx)
        revisions = [{**one, "document": vault.translated(one["document"])} for one in revisions]
    for one in revisions:
        _open(closing, one["since"])
        if await names.named(ctx) and not pseudonyms.is_pseudonym(one["document"]["id"]):
            raise Refusal("not-a-pseudonym")
    await registration.inside(ctx, [one["document"] for one in revisions])
    await _apply(ctx, revisions)


def _open(closing: Document, since: str) -> None:
    """Refuse a day that is closed: its certificate would not follow from what it names."""
    if "P" in closing and since <= closing["P"]["last"]:
        raise Refusal("day-closed")


async def _apply(ctx: Context, revisions: list[Document]) -> None:
    stub = ctx.stub
    schemas = [one["document"]["schema"] for one in revisions]
    places = [
        _KEYS[schema](stub, one["document"]["id"])
        for schema, one in zip(schemas, revisions, strict=True)
    ]
    entries: dict[str, Any] = {}
    for key, schema, entry in zip(places, schemas, await load_many(stub, places), strict=True):
        if entry is None:
            raise Refusal(_UNKNOWN[schema])
        entries[key] = entry
    cells = sorted({int(entry["cell"]) for entry in entries.values()})
    found = await load_many(stub, [keys.roster(stub, cell) for cell in cells])
    before: dict[int, Any] = dict(zip(cells, found, strict=True))
    after = dict(before)
    for key, one in zip(places, revisions, strict=True):
        cell = int(entries[key]["cell"])
        with refusals():
            after[cell] = rosters.revise(after[cell], one)
        entries[key] = {**entries[key], "document": one["document"]}
    changed = [cell for cell in cells if after[cell] != before[cell]]
    written = {key: entry for key, entry in entries.items() if int(entry["cell"]) in changed}
    written |= await _devices(ctx, [after[cell] for cell in changed], revisions)
    stub.start_write_batch()
    for key, entry in written.items():
        await save(stub, key, entry)
    for cell in changed:
        await save(stub, keys.roster(stub, cell), after[cell])
    await stub.finish_write_batch()


async def _devices(
    ctx: Context, changed: list[Any], revisions: list[Document]
) -> dict[str, Document]:
    """Entries of the devices at revised points, with the points' new capacity."""
    points = {
        one["document"]["id"]: one["document"]["p_max_w"]
        for one in revisions
        if one["document"]["schema"] == "point/1"
    }
    wanted = {
        keys.device(ctx.stub, name): points[device["point"]]
        for roster in changed
        for name, device in sorted(roster["devices"].items())
        if device["point"] in points
    }
    entries = await load_many(ctx.stub, list(wanted))
    return {
        key: {**entry, "p_max_w": power}
        for (key, power), entry in zip(wanted.items(), entries, strict=True)
        if entry is not None
    }
