# SPDX-License-Identifier: Apache-2.0
"""Members of a district, where they live, and which share of a site takes part where.

Public: a member's pseudonym, key, salted digest of its identity, term, and the member's signature;
the operator's is that of the transaction's creator, so both sides' stand in the block. Private: the
identity, and who lives where; of an occupancy the public sees that something at the site changed.
"""

from pedchain_chaincode.documents import (
    Document,
    checked,
    found,
    identifier,
    load,
    read,
    refusals,
    save,
)
from pedchain_chaincode.metering import guards, keys, names, queries
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import der, members, onboarding, pseudonyms, signed, terms
from pedchain_domain import roster as rosters
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal


def sent(ctx: Context, name: str, schema: str) -> Document:
    """A document of the transient map. Refuses `malformed-document` where it is not there."""
    return checked(read(ctx.stub.transient.get(name, b"null")), schema)


def _signed_by(ctx: Context, fence: Fence, key: Document, document: Document) -> None:
    """Refuse a document of another district, or not signed by this key for this ledger."""
    if document["district"] != fence.district:
        raise Refusal("wrong-domain")
    message = signed.message(
        signed.unsigned(document),
        network=fence.network,
        channel=ctx.stub.channel_id,
        contract=onboarding.CONTRACT,
    )
    with refusals():
        signed.verify(key["spki"], message, document["signature"])


async def enrol(ctx: Context, fence: Fence) -> None:
    """A member joins: transient `membership`, `identity`, `salt`."""
    membership = sent(ctx, "membership", "membership/1")
    identity = sent(ctx, "identity", "identity/1")
    if members.identity_digest(identity) != membership["identity"]:
        raise Refusal("identity-mismatch")
    _signed_by(ctx, fence, membership["key"], membership)
    vault = await names.vault(ctx)
    member = vault.pseudonym(pseudonyms.member_name(membership["key"]["spki"]))
    key = keys.member(ctx.stub, member)
    known = await load(ctx.stub, key)
    if known is not None:
        if known["document"] != membership:
            raise Refusal("already-registered")
        return
    await vault.save(("identity", member), identity)
    await save(ctx.stub, key, {"id": member, "document": membership, "to": None})


async def leave(ctx: Context) -> None:
    """A membership ends: transient `document` leave/1. Refuses while the member lives here."""
    body = await names.document(ctx, b"null", "leave/1")
    entry = await guards.member(ctx, body["member"])
    if entry["to"] == body["to"]:
        return
    if entry["to"] is not None or body["to"] <= entry["document"]["from"]:
        raise Refusal("wrong-state")
    homes = await (await names.vault(ctx)).load("homes", body["member"])
    held = homes["terms"] if homes else []
    if any(one["to"] is None or one["to"] > body["to"] for one in held):
        raise Refusal("still-occupies")
    await save(ctx.stub, keys.member(ctx.stub, body["member"]), {**entry, "to": body["to"]})


async def occupy(ctx: Context, fence: Fence) -> None:
    """A member moves in: transient `document` occupancy/1 signed by the member, `salt`."""
    document = sent(ctx, "document", "occupancy/1")
    body = await names.translated(ctx, signed.unsigned(document))
    entry = await guards.member(ctx, body["member"])
    _signed_by(ctx, fence, entry["document"]["key"], document)
    if body["from"] < entry["document"]["from"] or entry["to"] is not None:
        raise Refusal("not-a-member")
    if await load(ctx.stub, keys.site(ctx.stub, body["site"])) is None:
        raise Refusal("unknown-site")
    await _occupancies(ctx, await names.vault(ctx), body, begins=True)


async def vacate(ctx: Context) -> None:
    """A member moves out: transient `document` vacate/1, `salt`."""
    body = await names.document(ctx, b"null", "vacate/1")
    await guards.member(ctx, body["member"])
    await _occupancies(ctx, await names.vault(ctx), body, begins=False)


async def _occupancies(ctx: Context, vault: Vault, body: Document, *, begins: bool) -> None:
    """Write the term into the site's list, which allows no overlap, and into the member's."""
    site, member = body["site"], body["member"]
    names_of = (("occupancies", site), ("homes", member))
    here, homes = [
        found["terms"] if found else [] for found in await vault.load_many(list(names_of))
    ]
    with refusals():
        if begins:
            term = {"member": member, "site": site, "from": body["from"], "to": body["to"]}
            after = terms.added(here, term)
        else:
            if not any(one["member"] == member and one["from"] == body["from"] for one in here):
                raise Refusal("wrong-state")
            after = terms.ended(here, body["from"], body["to"])
    if after == here:
        return
    mine = [one for one in after if one["member"] == member and one["from"] == body["from"]]
    others = [one for one in homes if (one["site"], one["from"]) != (site, body["from"])]
    salt = names.salt(ctx).hex()
    site_salt = derive_salt("occupancies", [salt, site])
    await vault.save(names_of[0], {"salt": site_salt, "terms": after})
    member_salt = derive_salt("homes", [salt, member])
    await vault.save(names_of[1], {"salt": member_salt, "terms": [*others, *mine]})
    digest = members.identity_digest({"salt": site_salt, "terms": after})
    await save(ctx.stub, keys.occupancy(ctx.stub, site), {"terms": len(after), "digest": digest})


async def participate(ctx: Context, argument: bytes) -> None:
    """A site's share in a district begins or ends; the shares sum to the whole at most."""
    body = await names.document(ctx, argument, "participation/1")
    entry = await load(ctx.stub, keys.site(ctx.stub, body["site"]))
    if entry is None:
        raise Refusal("unknown-site")
    key = keys.roster(ctx.stub, entry["cell"])
    roster = await load(ctx.stub, key)
    assert roster is not None
    with refusals():
        after = rosters.add(roster, body)
    if after != roster:
        await save(ctx.stub, key, after)


def name_of_key(spki: str) -> str:
    """What a member's pseudonym is made of; DomainError for what is no key."""
    der.public_key(spki)
    return pseudonyms.member_name(spki)


async def private(ctx: Context, kind: str, name: str) -> Document:
    """A private document of this contract, or `not-found`."""
    vault = await Vault.open(ctx)
    found = await vault.load(kind, identifier(name)) if vault else None
    if found is None:
        raise Refusal("not-found")
    return found


async def shares(ctx: Context, site_id: str) -> list[Document]:
    """A site's participations, by their beginning."""
    entry = await queries.registered(ctx, keys.site, site_id)
    roster = await found(ctx, keys.roster(ctx.stub, entry["cell"]))
    held: list[Document] = roster.get("participations", {}).get(entry["document"]["id"], [])
    return held
