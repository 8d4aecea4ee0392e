# SPDX-License-Identifier: Apache-2.0
"""Names outside, pseudonyms inside: how what an operator calls its meters stays off the ledger.

A district whose first documents came in the transient map is registered by names: they stand on the
ledger under pseudonyms (domain.pseudonyms), and since what a transaction reads is as public as what
it writes, no name is ever looked up as it is. Otherwise the district is open: its operator gives
ids that are pseudonyms of its own making. A district stays what it was first.
"""

from collections.abc import Sequence

from pedchain_chaincode.documents import Document, checked, load, load_many, read, save
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import pseudonyms
from pedchain_fabric.shim import Context, PeerError, Refusal


async def named(ctx: Context) -> bool:
    """Whether the district is registered by names."""
    return await load(ctx.stub, keys.naming(ctx.stub)) is not None


async def begin(ctx: Context) -> None:
    """From now on the district is registered by names, unless it is open already."""
    if await named(ctx):
        return
    if await load(ctx.stub, keys.layout(ctx.stub)) is not None:
        raise Refusal("open-district")
    await save(ctx.stub, keys.naming(ctx.stub), {"named": True})


async def vault(ctx: Context) -> Vault:
    """The district's vault; made from the transient `salt` by whoever needs it first."""
    opened = await Vault.open(ctx)
    return opened or await Vault.create(ctx, salt(ctx))


def salt(ctx: Context) -> bytes:
    """The transient salt, 16 bytes: every private value written now is led by one made of it."""
    found = ctx.stub.transient.get("salt", b"")
    if len(found) != SALT_BYTES:
        raise Refusal("salt-missing")
    return found


async def translated(ctx: Context, document: Document) -> Document:
    """A checked document of the transient map, by ids."""
    return (await vault(ctx)).translated(document) if await named(ctx) else document


async def document(ctx: Context, argument: bytes, schema: str) -> Document:
    """A document by ids: the argument as it is, or the transient one translated."""
    sent = ctx.stub.transient.get("document")
    body = checked(read(argument if sent is None else sent), schema)
    return body if sent is None else await translated(ctx, body)


async def resolve(ctx: Context, name: str) -> str:
    """The id that is meant by a name: its pseudonym, if the district has them and this peer can
    derive it; else the name itself."""
    if pseudonyms.is_pseudonym(name) or not await named(ctx):
        return name
    try:
        opened = await Vault.open(ctx)
    except PeerError:  # not of the collection: it knows ids only
        return name
    return name if opened is None else opened.pseudonym(name)


async def devices(ctx: Context, names: Sequence[str]) -> dict[str, Document]:
    """The devices' entries by the name their records give.

    An entry found under a pseudonym carries the name, so that a record may be held against it.
    """
    stub = ctx.stub
    opened = await Vault.open(ctx) if await named(ctx) else None
    ids = list(names) if opened is None else [opened.pseudonym(name) for name in names]
    entries = await load_many(stub, [keys.device(stub, identifier) for identifier in ids])
    return {
        name: {**entry, "document": {**entry["document"], "name": name}} if opened else entry
        for name, entry in zip(names, entries, strict=True)
        if entry is not None
    }
