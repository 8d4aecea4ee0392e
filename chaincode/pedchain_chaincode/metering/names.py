# SPDX-License-Identifier: Apache-2.0
"""Names outside, pseudonyms inside: how what an operator calls its meters stays off the ledger.

A district whose first documents came in the transient map is registered by names: they stand on the
ledger under pseudonyms (domain.pseudonyms), and since what a transaction reads is as public as what
it writes, no name is ever looked up as it is. Otherwise the district is open: its operator gives
ids that are pseudonyms of its own making. A district stays what it was first.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pedchain_chaincode.documents import Document, checked, load, load_many, read, save
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.state import restore
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


async def devices(
    ctx: Context, names: Sequence[str], cells: Sequence[int] = ()
) -> dict[str, Document]:
    """The devices' entries by the name their records give.

    Who stands in the roster of one of `cells` is taken from there, the others are read one by one:
    few keys are read for many devices, and the public read set does not name who sent something.
    An entry found under a pseudonym carries the name, so that a record may be held against it.
    """
    stub = ctx.stub
    opened = await Vault.open(ctx) if await named(ctx) else None
    ids = {name: name if opened is None else opened.pseudonym(name) for name in names}
    known: dict[str, Document] = {}
    if cells:
        for value in await stub.get_states([keys.roster(stub, cell) for cell in cells]):
            known |= {} if value is None else _of_roster(value)
    alone = [identifier for identifier in ids.values() if identifier not in known]
    entries = await load_many(stub, [keys.device(stub, identifier) for identifier in alone])
    known |= {one: entry for one, entry in zip(alone, entries, strict=True) if entry is not None}
    found = {name: known[identifier] for name, identifier in ids.items() if identifier in known}
    if opened is None:
        return found
    return {
        name: {**entry, "document": {**entry["document"], "name": name}}
        for name, entry in found.items()
    }


async def cells(ctx: Context, names: Sequence[str]) -> list[int | None]:
    """The cells that devices belong to, by their names or ids; None for an unknown one."""
    found = await devices(ctx, list(dict.fromkeys(names)))
    return [found[name]["cell"] if name in found else None for name in names]


@lru_cache(maxsize=256)  # rosters seldom change, and each batch needs some dozens of them
def _of_roster(value: bytes) -> Mapping[str, Document]:
    """What judging needs of the devices' entries, from the roster that repeats them."""
    roster = restore(value)
    points = roster["points"]
    return {
        name: {
            "cell": roster["shard"],
            "document": document,
            "p_max_w": points[document["point"]]["p_max_w"],
        }
        for name, document in roster["devices"].items()
    }
