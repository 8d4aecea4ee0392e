# SPDX-License-Identifier: Apache-2.0
"""What may be asked of origin: a public day, and for members an account and its certificates."""

from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, found, identifier, load
from pedchain_chaincode.metering import adoption
from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.origin import keys, totals
from pedchain_chaincode.state import restore
from pedchain_fabric.shim import Context, Refusal


async def issued(ctx: Context, day: str) -> Document:
    """A day's public totals; `not-found` before they stand."""
    return await found(ctx, keys.issued(ctx.stub, identifier(day)))


async def account(ctx: Context, name: str) -> Document:
    """An account as it stands."""
    document = await (await _vault(ctx)).load("account", identifier(name))
    if document is None:
        raise Refusal("not-found")
    return document


async def certificates(ctx: Context, name: str, after: str) -> Document:
    """Certificates of an account, or cancelled for it, by id; `after` is the last one seen."""
    stub, vault = ctx.stub, await _vault(ctx)
    owner = keys.owner(vault.secret, identifier(name))
    listed: list[Any] = []
    async with stub.private_partial_composite(
        names.COLLECTION, keys.CERTIFICATE, [owner]
    ) as results:
        async for item in results:
            if stub.split_composite_key(item.key)[1][1] <= after:
                continue
            if len(listed) == limits.PAGE:
                return {"certificates": listed, "bookmark": listed[-1]["id"]}
            listed.append(restore(item.value[limits.SALT_BYTES :]))
    return {"certificates": listed, "bookmark": ""}


async def exported(ctx: Context, day: str) -> Document:
    """`origin_exported_wh` of a day, null where rule C2 hides it."""
    kept = await (await _vault(ctx)).load("exported", identifier(day))
    district = await adoption.in_force(ctx, day)
    return totals.exported(district, day, {} if kept is None else kept["parts"])


async def followed(ctx: Context, day: str) -> Document:
    """{cells, done}: how many cells there are, and those whose certificates of a day went with the
    energy."""
    split = ctx.stub.split_composite_key
    rows = ctx.stub.partial_composite("origin-followed", [day])
    layout = await load(ctx.stub, names.layout(ctx.stub))
    done = sorted([int(split(row.key)[1][1]) async for row in rows])
    return {"cells": len(layout["cells"]) if layout else 0, "done": done}


async def pools(ctx: Context, day: str) -> Document:
    """What went with the energy of a day, by hour and pool, Wh."""
    kept = await (await _vault(ctx)).load("pools", day)
    return {} if kept is None else dict(kept["hours"])


async def _vault(ctx: Context) -> Vault:
    vault = await Vault.open(ctx)
    if vault is None:
        raise Refusal("not-found")
    return vault
