# SPDX-License-Identifier: Apache-2.0
"""Contract `registry`: what all districts share. The DSO writes, the definition's policy (DSO and
two others) decides, everyone reads. Metering definitions adopt versions into their own state."""

from pedchain_chaincode import limits
from pedchain_chaincode.access import DSO, require
from pedchain_chaincode.documents import Document, checked, found, identifier, read, save
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.registry import decisions, guards, keys
from pedchain_domain import canonical, selftest
from pedchain_domain.documents import changes_governed
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit

LASTING = ("id", "boundary", "zone", "grain", "dso", "operator", "shards", "network")
"""What a district keeps for its life: readings, folds and certificates were made under it."""


class RegistryContract(Contract):
    """Districts, calendars and factor versions."""

    name = "registry"

    def self_test(self) -> str:
        """Digest of domain's edge vectors, for GetMetadata."""
        return selftest.digest()

    @submit
    @guarded("former")
    async def put_district(self, ctx: Context, document: bytes) -> None:
        """Admit a district, or amend its calendars; a change of its rule, parameters or factors
        is proposed. Refuses a change of what it keeps for its life."""
        require(ctx, "put_district")
        district = checked(read(document), "district/1")
        check_district(district)
        key = keys.district(ctx.stub, str(district["id"]))
        former = await guards.former(ctx, key)
        if former is not None and any(former.get(f) != district.get(f) for f in LASTING):
            raise Refusal("already-registered")
        if former is not None and changes_governed(former, district):
            await decisions.propose(ctx, former, district)
        elif (former or {}).get("from") != district.get("from"):
            raise Refusal("malformed-document", "from")
        else:
            await save(ctx.stub, key, district)

    @submit
    @guarded("proposal")
    async def approve(self, ctx: Context, district_id: str, document_hash: str) -> None:
        """A district's operator agrees to a proposed change, named by its hash."""
        proposal = await guards.proposal(ctx, identifier(district_id))
        own = ctx.client.msp_id
        require(ctx, "approve", own if own in proposal["required"] else None)
        await decisions.approve(ctx, district_id, document_hash, proposal)

    @submit
    @guarded("former")
    async def put_calendar(self, ctx: Context, calendar_id: str, document: bytes) -> None:
        """Publish a calendar ahead, or add rows to it. A row that stands is never changed."""
        require(ctx, "put_calendar")
        calendar = checked(read(document), "calendar/1")
        if calendar["id"] != calendar_id:
            raise Refusal("malformed-document", "id")
        key = keys.calendar(ctx.stub, calendar_id)
        former = await guards.former(ctx, key)
        if former is not None and not _holds_rows(calendar, former):
            raise Refusal("already-registered", "rows")
        await save(ctx.stub, key, calendar)

    @submit
    @guarded("former")
    async def put_factors(self, ctx: Context, version: str, document: bytes) -> None:
        """Publish a factor version. A version that stands is never changed (rules V6)."""
        require(ctx, "put_factors")
        factors = checked(read(document), "factors/1")
        if factors["version"] != version:
            raise Refusal("malformed-document", "version")
        key = keys.factors(ctx.stub, version)
        former = await guards.former(ctx, key)
        if former is not None and former != factors:
            raise Refusal("already-registered")
        await save(ctx.stub, key, factors)

    @evaluate
    async def get_district(self, ctx: Context, district_id: str) -> bytes:
        """A district's document."""
        return canonical.encode(await found(ctx, keys.district(ctx.stub, identifier(district_id))))

    @evaluate
    async def get_proposal(self, ctx: Context, district_id: str) -> bytes:
        """The change of a district that waits, and who has agreed so far."""
        return canonical.encode(await found(ctx, keys.proposal(ctx.stub, identifier(district_id))))

    @evaluate
    async def get_decision(self, ctx: Context, district_id: str, day: str) -> bytes:
        """The change of a district that holds from a day, and who agreed to it."""
        return canonical.encode(
            await found(ctx, keys.decision(ctx.stub, identifier(district_id), identifier(day)))
        )

    @evaluate
    async def get_calendar(self, ctx: Context, calendar_id: str) -> bytes:
        """A calendar's document."""
        return canonical.encode(await found(ctx, keys.calendar(ctx.stub, identifier(calendar_id))))

    @evaluate
    async def get_factors(self, ctx: Context, version: str) -> bytes:
        """A factor version's document."""
        return canonical.encode(await found(ctx, keys.factors(ctx.stub, identifier(version))))


def check_district(district: Document) -> None:
    """What a valid district document must also be, here: ours, and within our bounds."""
    if district["dso"] != DSO:
        raise Refusal("malformed-document", "dso")
    if not 1 <= int(district["shards"]) <= limits.SHARDS:
        raise Refusal("malformed-document", "shards")
    if not 1 <= len(district["calendar"]) <= limits.CALENDARS:
        raise Refusal("malformed-document", "calendar")


def _holds_rows(calendar: Document, former: Document) -> bool:
    rows = {row["day"]: row for row in calendar["rows"]}
    return all(rows.get(row["day"]) == row for row in former["rows"])
