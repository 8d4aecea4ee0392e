# SPDX-License-Identifier: Apache-2.0
"""Contract `privacy`, beside `metering` in the same definition: how long private data live (rules
Y), what a data subject gets of them, and how they are erased.

`Purge(day)` until `done`; `Erase` with transient `subject` and `salt`, once per day of the stay,
per few batches, for the account and for the person. The subject stands in the transient map only,
and in queries, which are never ordered.
"""

from typing import Any

from pedchain_chaincode.documents import identifier
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import guards as metering
from pedchain_chaincode.metering.folding import DONE
from pedchain_chaincode.privacy import erasing, guards, retention, subject
from pedchain_domain import canonical
from pedchain_fabric.shim import Context, Contract, evaluate, submit


class PrivacyContract(Contract):
    """Retention, export and erasure of the one district this definition has adopted."""

    name = "privacy"

    @submit
    @guarded("closing", "retention")
    async def purge(self, ctx: Context, day: str) -> bytes:
        """A step of purging what is older than the retention, up to a day: `more` or `done`."""
        fence = await metering.permitted(ctx, "purge")
        closing, state = await guards.closing(ctx), await guards.retention(ctx)
        row = await retention.due(ctx, closing, identifier(day))
        return await retention.purge(ctx, fence, closing, state, row)

    @submit
    @guarded("closing")
    async def erase(self, ctx: Context) -> bytes:
        """A step of erasing the subject in transient `subject`; nothing is answered but `done`."""
        await metering.permitted(ctx, "erase")
        what = erasing.request(ctx)
        eraser = await erasing.Eraser.open(ctx, what)
        closing = await guards.closing(ctx)
        if "day" in what:
            await eraser.day(closing, identifier(what["day"]))
        elif "batches" in what:
            await eraser.records(closing, what)
        elif "person" in what:
            await eraser.person(what)
        else:
            await eraser.account()
        return DONE

    @evaluate
    async def get_retention(self, ctx: Context) -> bytes:
        """Up to which day and period private documents were purged."""
        return canonical.encode(await guards.retention(ctx))

    @evaluate
    async def get_subject_day(self, ctx: Context, site: str, day: str) -> bytes:
        """What stands about a site in the documents of a day (members of the collection only)."""
        found: Any = await subject.of_day(ctx, identifier(site), identifier(day))
        return canonical.encode(found)

    @evaluate
    async def get_subject_people(self, ctx: Context, site: str, first: str, last: str) -> bytes:
        """Who lived at a site in a stay of whole days (members of the collection only)."""
        days = identifier(first), identifier(last)
        found: Any = await subject.of_people(ctx, identifier(site), *days)
        return canonical.encode(found)

    @evaluate
    async def list_subject_records(self, ctx: Context, site: str, period: int, after: str) -> bytes:
        """A page of a site's signed records in a period (members of the collection only)."""
        fence = await metering.fence(ctx)
        found: Any = await subject.of_batches(ctx, fence, identifier(site), period, after)
        return canonical.encode(found)
