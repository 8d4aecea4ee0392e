# SPDX-License-Identifier: Apache-2.0
"""A data subject's own copy: everything the collection holds about a site, with salts and proofs.

A day's part: intervals with the seed of their leaves and the path from each point's root to the
cell's; folds, draws, prints, trails, and what origin holds. A batch's part: the signed records as
received, each with its salt and its path to the root on the public marker.
"""

from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import days as closing
from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering import names as pseudonyms
from pedchain_chaincode.metering.gather import BUCKETS
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.privacy import batches, persons
from pedchain_domain import erasure, leaves, merkle
from pedchain_domain.erasure import Kept, Subject
from pedchain_domain.text import hex_bytes
from pedchain_fabric.shim import Context, Refusal


async def opened(ctx: Context, site: str) -> tuple[Vault, Subject, int]:
    """The vault, the subject of a site, its cell. Refuses `unknown-site`, `not-found`."""
    name, entry = await site_of(ctx, site)
    vault = await Vault.open(ctx)
    roster = await load(ctx.stub, names.roster(ctx.stub, entry["cell"]))
    if vault is None or roster is None:
        raise Refusal("not-found")
    return vault, erasure.subject(name, roster), int(entry["cell"])


async def site_of(ctx: Context, site: str) -> tuple[str, Document]:
    """A site by its id or by the name it was registered with: its id, its entry in the registry."""
    for identifier in (site, await pseudonyms.resolve(ctx, site)):
        entry = await load(ctx.stub, names.site(ctx.stub, identifier))
        if entry is not None:
            return identifier, entry
    raise Refusal("unknown-site")


async def of_day(ctx: Context, site: str, day: str) -> Document:
    """What stands about the subject in the documents of one day."""
    vault, who, cell = await opened(ctx, site)
    index = await vault.load("day", cell, day)
    periods = list(index["periods"]) if index else []
    folds = await vault.load_many([("fold", cell, day, period) for period in periods])
    trails = await vault.load_many([("trail", cell, period) for period in periods])
    draws = await vault.load("draws", cell, day)
    kinds = ("issue", "claims", "left", "released")
    origin = await vault.load_many([(kind, who.site, day) for kind in kinds])
    return {
        "site": who.site,
        "cell": cell,
        "day": day,
        "periods": periods,
        "intervals": {
            run: await _points(vault, who, cell, day, run) for run in ("", *closing.RUNS)
        },
        "folds": [_part(fold, who, "series") for fold in folds if fold],
        "trails": [_part(trail, who, "devices") for trail in trails if trail],
        "draws": draws["sites"].get(who.site) if draws else None,
        "origin": [document for document in origin if document is not None],
    }


async def of_people(ctx: Context, site: str, first: str, last: str) -> Document:
    """Who lived at the site during the stay."""
    vault, who, cell = await opened(ctx, site)
    during = await persons.stay(ctx, first, last)
    people = await persons.of_stay(ctx, vault, who.site, during)
    return {"site": who.site, "cell": cell, "people": people}


def _part(document: Document, who: Subject, field: str) -> Document:
    held = {name: value for name, value in document[field].items() if who.is_device(name)}
    return {"period": document["period"], field: held}


async def _points(vault: Vault, who: Subject, cell: int, day: str, run: str) -> Any:
    """The subject's points of a day with their proofs; of the newest run if none is named."""
    document = await vault.load("intervals", cell, day, *([run] if run else []))
    if document is None:
        return None
    points = document["points"]
    order = list(points)
    roots = [leaves.root_leaf(hex_bytes(points[name]["root"])) for name in order]
    return {
        name: {**points[name], "proof": _path(roots, order.index(name))}
        for name in who.points
        if name in points
    }


def _path(hashes: list[bytes], at: int) -> list[Any]:
    return [at, len(hashes), [sibling.hex() for sibling in merkle.proof(hashes, at)]]


async def of_batches(ctx: Context, fence: Fence, site: str, period: int, after: str) -> Document:
    """Signed records of the subject in a period's batches; `after` is the bookmark of a page."""
    _, who, _ = await opened(ctx, site)
    transactions = [name for name in await _transactions(ctx, fence, period) if name > after]
    found: list[Any] = []
    chunk = transactions[: limits.SUBJECT_BATCHES]
    for transaction in chunk:
        held = await batches.load(ctx.stub, transaction)
        if held is not None:
            found += _records(transaction, held, who)
    more = len(transactions) > len(chunk)
    return {"records": found, "bookmark": chunk[-1] if more else ""}


def _records(transaction: str, held: batches.Held, who: Subject) -> list[Document]:
    rows, kept = held.rows(), held.positions()
    hashes = [position.leaf for position in kept]
    found = []
    for at, position in enumerate(kept):
        row = rows.get(batches.mark_of(position.record)) if position.record else None
        if row is not None and who.is_device(row[1][0]):
            found.append(_shown(transaction, at, position, row[1], hashes))
    return found


def _shown(
    transaction: str, at: int, position: Kept, row: list[Any], hashes: list[bytes]
) -> Document:
    assert position.salt is not None
    assert position.record is not None
    return {
        "transaction": transaction,
        "device": row[0],
        "counter": row[1],
        "record": position.record.hex(),
        "salt": position.salt.hex(),
        "proof": _path(hashes, at),
    }


async def _transactions(ctx: Context, fence: Fence, period: int) -> list[str]:
    stub = ctx.stub
    found: dict[str, None] = {}
    for shard in (*map(str, range(fence.shards)), "mixed"):
        for bucket in BUCKETS:
            async for item in stub.partial_composite("batch", [str(period), shard, bucket]):
                found[stub.split_composite_key(item.key)[1][-1]] = None
    return sorted(found)
