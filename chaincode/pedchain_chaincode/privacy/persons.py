# SPDX-License-Identifier: Apache-2.0
"""Who lived at a site: for the subject's copy, and forgotten once the membership has ended.

Public stay a pseudonym, a key, and salted digests, which tell nothing without what is purged here.
"""

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.privacy.retention import day_row
from pedchain_domain import terms
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context


async def stay(ctx: Context, first: str, last: str) -> Document:
    """The term {from, to} of whole days. Refuses `unknown-day`."""
    begin, end = await day_row(ctx, first), await day_row(ctx, last)
    return {"from": begin["start"], "to": end["end"]}


async def of_stay(ctx: Context, vault: Vault, site: str, during: Document) -> list[Document]:
    """Who lived at the site during a stay: {"term", "identity", "left"}, the identity as far as it
    is still kept, `left` when the membership ended."""
    held = await vault.load("occupancies", site)
    found = [one for one in held["terms"] if terms.overlap(one, during)] if held else []
    identities = await vault.load_many([("identity", one["member"]) for one in found])
    entries = [await load(ctx.stub, names.member(ctx.stub, one["member"])) for one in found]
    return [
        {"term": term, "identity": identity, "left": entry["to"] if entry else None}
        for term, identity, entry in zip(found, identities, entries, strict=True)
    ]


async def forget(ctx: Context, vault: Vault, site: str, during: Document, salt: str) -> int:
    """Purge identity and homes of those who lived here during the stay and are members no more, and
    their terms at this site; how many."""
    gone = [one for one in await of_stay(ctx, vault, site, during) if one["left"] is not None]
    if not gone:
        return 0
    members = sorted({one["term"]["member"] for one in gone})
    for member in members:
        await vault.purge(("identity", member))
        await vault.purge(("homes", member))
    held = await vault.load("occupancies", site)
    assert held is not None
    kept = [one for one in held["terms"] if one["member"] not in members]
    fresh = derive_salt("erased", [salt, "occupancies", site])
    await vault.replace(("occupancies", site), {"salt": fresh, "terms": kept})
    return len(members)
