# SPDX-License-Identifier: Apache-2.0
"""Contract `membership`: the people of a district and the devices that wait for their key.

Served beside `metering` in the same definition, so under the same policy and over the same state.
Everything that could name somebody travels in the transient map; answers are empty.
"""

from pedchain_chaincode.access import require
from pedchain_chaincode.documents import found, identifier, refusals
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import claims, guards, keys, names, people
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import canonical
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit


class MembershipContract(Contract):
    """Members, occupancies, participations and claims of one district."""

    name = "membership"

    @submit
    @guarded("permitted")
    async def enrol(self, ctx: Context) -> None:
        """Admit a member: transient `membership` signed by its key, `identity`, `salt`."""
        fence = await guards.permitted(ctx, "enrol")
        await people.enrol(ctx, fence)

    @submit
    @guarded("permitted")
    async def leave(self, ctx: Context) -> None:
        """End a membership: transient `document` leave/1 and `salt`."""
        await guards.permitted(ctx, "leave")
        await people.leave(ctx)

    @submit
    @guarded("permitted")
    async def occupy(self, ctx: Context) -> None:
        """A member lives at a site from now on: transient `document` occupancy/1 and `salt`."""
        fence = await guards.permitted(ctx, "occupy")
        await people.occupy(ctx, fence)

    @submit
    @guarded("permitted")
    async def vacate(self, ctx: Context) -> None:
        """A member has moved out: transient `document` vacate/1 and `salt`."""
        await guards.permitted(ctx, "vacate")
        await people.vacate(ctx)

    @submit
    @guarded("permitted")
    async def participate(self, ctx: Context, document: bytes) -> None:
        """Register or end a site's share in a district: participation/1, or as transient."""
        await guards.permitted(ctx, "participate")
        await people.participate(ctx, document)

    @submit
    @guarded("permitted")
    async def offer_claim(self, ctx: Context) -> None:
        """Expect a device: transient `document` claim/1 and `salt`."""
        fence = await guards.permitted(ctx, "offer_claim")
        await claims.offer(ctx, fence)

    @submit
    @guarded("permitted", "claim")
    async def present_claim(self, ctx: Context, claim_id: str) -> None:
        """Take up a claim: transient `code`, `possession`, `salt`. Says nothing of the code."""
        fence = await guards.permitted(ctx, "present_claim")
        claim_id = identifier(claim_id)
        await claims.present(ctx, fence, claim_id, await guards.claim(ctx, claim_id))

    @submit
    @guarded("permitted", "claim")
    async def settle_claim(self, ctx: Context, claim_id: str) -> None:
        """Judge the last presentation; whether it held is seen by asking for the claim."""
        fence = await guards.permitted(ctx, "settle_claim")
        claim_id = identifier(claim_id)
        await claims.settle(ctx, fence, claim_id, await guards.claim(ctx, claim_id))

    @submit
    @guarded("claim")
    async def withdraw_claim(self, ctx: Context, claim_id: str) -> None:
        """Take a claim back."""
        require(ctx, "withdraw_claim")
        claim_id = identifier(claim_id)
        await claims.withdraw(ctx, claim_id, await guards.claim(ctx, claim_id))

    @evaluate
    async def get_claim(self, ctx: Context, claim_id: str) -> bytes:
        """{"state", "tries", "through", "attempt"} of a claim."""
        key = keys.claim(ctx.stub, identifier(claim_id))
        return canonical.encode(await found(ctx, key))

    @evaluate
    async def get_member(self, ctx: Context, member_id: str) -> bytes:
        """A member's public entry: pseudonym, membership, end."""
        key = keys.member(ctx.stub, identifier(member_id))
        return canonical.encode(await found(ctx, key))

    @evaluate
    async def get_member_of_key(self, ctx: Context, spki: str) -> bytes:
        """{"member"}: the pseudonym of the member with this key (members of the collection)."""
        vault = await Vault.open(ctx)
        if vault is None:
            raise Refusal("not-found")
        with refusals():
            name = people.name_of_key(spki)
        return canonical.encode({"member": vault.pseudonym(name)})

    @evaluate
    async def get_identity(self, ctx: Context, member_id: str) -> bytes:
        """Who a member is (members of the collection only)."""
        return canonical.encode(await people.private(ctx, "identity", member_id))

    @evaluate
    async def get_occupancies(self, ctx: Context, site_id: str) -> bytes:
        """Who lives and lived at a site (members of the collection only)."""
        site = await names.resolve(ctx, identifier(site_id))
        return canonical.encode(await people.private(ctx, "occupancies", site))

    @evaluate
    async def get_participations(self, ctx: Context, site_id: str) -> bytes:
        """A site's shares by district."""
        return canonical.encode(await people.shares(ctx, site_id))
