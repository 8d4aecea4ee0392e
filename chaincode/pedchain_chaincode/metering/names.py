# SPDX-License-Identifier: Apache-2.0
"""Names outside, pseudonyms inside: how what an operator calls its meters stays off the ledger.

Documents with the operator's own names come in the transient map and are written with pseudonyms
(domain.pseudonyms). Whoever writes pseudonyms already may give the document as an argument.
"""

from collections.abc import Sequence

from pedchain_chaincode.documents import Document, checked, load_many, read
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import pseudonyms
from pedchain_fabric.shim import Context, PeerError, Refusal


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


async def document(ctx: Context, argument: bytes, schema: str) -> Document:
    """A document with pseudonyms: the argument as it is, or the transient one translated."""
    sent = ctx.stub.transient.get("document")
    body = checked(read(argument if sent is None else sent), schema)
    return body if sent is None else (await vault(ctx)).translated(body)


async def resolve(ctx: Context, name: str) -> str:
    """The id a query means: a name's pseudonym where this peer can derive it, else the name."""
    if pseudonyms.is_pseudonym(name):
        return name
    try:
        opened = await Vault.open(ctx)
    except PeerError:  # not of the collection: it knows ids only
        return name
    return name if opened is None else opened.pseudonym(name)


async def devices(ctx: Context, names: Sequence[str]) -> dict[str, Document]:
    """The devices' entries by the name their records give; registered by it or its pseudonym.

    The secret is read only if some device is not found by name, so that a district whose operator
    gives pseudonyms reads as little as before.
    """
    stub = ctx.stub
    direct = await load_many(stub, [keys.device(stub, name) for name in names])
    found = {n: entry for n, entry in zip(names, direct, strict=True) if entry is not None}
    lacking = [name for name in names if name not in found]
    opened = await Vault.open(ctx) if lacking else None
    if opened is None:
        return found
    derived = [keys.device(stub, opened.pseudonym(name)) for name in lacking]
    for name, entry in zip(lacking, await load_many(stub, derived), strict=True):
        if entry is not None:
            found[name] = {**entry, "document": {**entry["document"], "name": name}}
    return found
