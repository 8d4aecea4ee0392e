# SPDX-License-Identifier: Apache-2.0
"""Queries: bounded, public ones over public state, members' ones over the collection."""

from collections.abc import Callable

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, found, identifier, load, refusals
from pedchain_chaincode.metering import keys, names
from pedchain_chaincode.state import restore
from pedchain_domain import canonical, lifecycle
from pedchain_fabric.shim import Context, Refusal, Stub


async def registered(ctx: Context, key: Callable[[Stub, str], str], name: str) -> Document:
    """The entry of a site, point or device by its id or by the operator's name for it."""
    stub = ctx.stub
    direct = await load(stub, key(stub, identifier(name)))
    return direct or await found(ctx, key(stub, await names.resolve(ctx, name)))


async def device(ctx: Context, device_id: str, shards: int) -> Document:
    """A device: its document, site, shard, keys by counter, revocation."""
    entry = await registered(ctx, keys.device, device_id)
    now = entry["document"]
    generations = [*now.get("former", []), now]
    return {
        "document": now.get("registered", now),
        "site": entry["site"],
        "shard": entry["cell"] % shards,
        "state": lifecycle.state_of(now),
        "suspended": now.get("suspended", []),
        "to": now["to"],
        "keys": [
            {"from_counter": g["first_counter"], "alg": g["key"]["alg"], "spki": g["key"]["spki"]}
            for g in generations
        ],
        "revoked": _revoked(entry),
    }


async def cells(ctx: Context, argument: bytes) -> list[int | None]:
    """The cells of up to `limits.CELLS_ASKED` devices, by names or ids."""
    with refusals():
        wanted = canonical.decode(argument)
    if not isinstance(wanted, list):
        raise Refusal("malformed-document")
    if len(wanted) > limits.CELLS_ASKED:
        raise Refusal("too-large")
    return await names.cells(ctx, [identifier(name) for name in wanted])


def _revoked(entry: Document) -> Document | None:
    if "revoked" not in entry["document"]:
        return None
    return {
        "from_counter": entry["document"]["revoked"],
        "compromised_since": entry.get("compromised_since"),
    }


async def certificates(ctx: Context, from_day: str, bookmark: str) -> Document:
    """A page of certificates from a day on, ascending; `bookmark` is the day to go on from."""
    start = keys.certificate(ctx.stub, identifier(bookmark or from_day))
    return await _page(ctx, "certificate", start)


async def months(ctx: Context, from_month: str, bookmark: str) -> Document:
    """A page of months' certificates from a month on, ascending."""
    start = keys.monthly(ctx.stub, identifier(bookmark or from_month))
    return await _page(ctx, "monthly", start)


async def _page(ctx: Context, kind: str, start: str) -> Document:
    stub = ctx.stub
    page = await stub.partial_composite_page(kind, [], limits.PAGE, start)
    following = stub.split_composite_key(page.bookmark)[1][0] if page.bookmark else ""
    listed = [restore(item.value) for item in page.items]
    return {"certificates": listed, "bookmark": following}


async def samples(ctx: Context, from_day: str, bookmark: str) -> Document:
    """A page of samples by day and auditor, ascending; `bookmark` is `day/auditor`."""
    stub = ctx.stub
    start = stub.create_composite_key("sample", [identifier(from_day)])
    if bookmark:
        day, _, auditor = bookmark.partition("/")
        start = keys.sample(stub, identifier(day), identifier(auditor))
    page = await stub.partial_composite_page("sample", [], limits.PAGE, start)
    following = "/".join(stub.split_composite_key(page.bookmark)[1]) if page.bookmark else ""
    return {"samples": [restore(item.value) for item in page.items], "bookmark": following}


async def history(ctx: Context, key: str) -> list[Document]:
    """The versions of a certificate, the newest first."""
    versions: list[Document] = []
    async with ctx.stub.history(key) as results:
        async for item in results:
            if len(versions) == limits.HISTORY:
                break
            versions.append(
                {"transaction": item.transaction_id, "certificate": restore(item.value)}
            )
    return versions
