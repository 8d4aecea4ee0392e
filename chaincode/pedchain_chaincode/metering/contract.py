# SPDX-License-Identifier: Apache-2.0
"""Contract `metering`: one district's devices, readings, folds and certificates.

Order of a day: `SubmitReadings(period)` while the period is open; `SealPeriod(period)`;
`FoldShard(period, shard)` for every shard until it answers `done`; `CloseDay(day, run)` until
`done`. Every step may be called again: what is done answers `done` and changes nothing.
"""

from typing import Any

from pedchain_chaincode import limits
from pedchain_chaincode.access import require
from pedchain_chaincode.documents import checked, found, identifier, read, read_array
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import (
    adoption,
    closing,
    devicekeys,
    findings,
    folding,
    guards,
    keys,
    names,
    proving,
    queries,
    registration,
    revising,
    submission,
)
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import canonical, certificate, selftest
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit


class MeteringContract(Contract):
    """Metering of the one district this definition has adopted."""

    name = "metering"

    def self_test(self) -> str:
        """Digest of domain's edge vectors, for GetMetadata."""
        return selftest.digest()

    @submit
    @guarded("adoption")
    async def adopt(self, ctx: Context, district_id: str) -> None:
        """Copy district, calendars and factor version from `registry`; the first time open
        period 1. Later versions hold from the first day not closed yet."""
        former = await guards.adoption(ctx)
        await adoption.adopt(ctx, identifier(district_id), former)

    @submit
    @guarded("permitted")
    async def register(self, ctx: Context, documents: bytes) -> None:
        """Register up to 200 sites, points and devices: a JSON array of documents, any order.

        In the transient map (`documents`, `salt`) they carry the operator's own names and are
        written under pseudonyms; as the argument they carry pseudonyms already.
        """
        await guards.permitted(ctx, "register")
        sent = ctx.stub.transient.get("documents")
        array = read_array(documents if sent is None else sent, limits.REGISTER_DOCUMENTS)
        await registration.register(ctx, array, named=sent is not None)

    @submit
    @guarded("permitted", "closing")
    async def revise(self, ctx: Context, documents: bytes) -> None:
        """Revise up to 200 sites and points, each from a day on that is not closed: a JSON array of
        revision/1, in the transient map by names, as the argument by pseudonyms."""
        await guards.permitted(ctx, "revise")
        closing = await guards.closing(ctx)
        sent = ctx.stub.transient.get("documents")
        array = read_array(documents if sent is None else sent, limits.REGISTER_DOCUMENTS)
        await revising.revise(ctx, closing, array, named=sent is not None)

    @submit
    @guarded("permitted")
    async def rotate_key(self, ctx: Context, document: bytes) -> None:
        """Bind a device's new key from a counter on; signed by the old and the new key."""
        fence = await guards.permitted(ctx, "rotate_key")
        entry, body = await devicekeys.rotation(ctx, document, fence)
        await devicekeys.change(ctx, entry, body)

    @submit
    @guarded("device")
    async def revoke_key(self, ctx: Context, document: bytes) -> None:
        """Refuse a device's records from a counter on; doubt its readings since an instant."""
        require(ctx, "revoke_key")
        body, since = await devicekeys.revocation(ctx, document)
        entry = await guards.device(ctx, body["device"])
        await devicekeys.change(ctx, entry, body, since)

    @submit
    @guarded("permitted", "device")
    async def suspend_device(self, ctx: Context, document: bytes) -> None:
        """Certify nothing a device measures from an instant on, until it is resumed."""
        await guards.permitted(ctx, "suspend_device")
        body = await names.document(ctx, document, "suspend/1")
        await devicekeys.change(ctx, await guards.device(ctx, body["device"]), body)

    @submit
    @guarded("device")
    async def resume_device(self, ctx: Context, document: bytes) -> None:
        """End a suspension: what is measured from an instant on counts again."""
        require(ctx, "resume_device")
        body = await names.document(ctx, document, "resume/1")
        await devicekeys.change(ctx, await guards.device(ctx, body["device"]), body)

    @submit
    @guarded("device")
    async def exchange_meter(self, ctx: Context) -> None:
        """One meter replaces another at a point: final and initial registers (rules R6), in
        transient `document` exchange/1 and `salt`."""
        require(ctx, "exchange_meter")
        body = await names.document(ctx, b"null", "exchange/1")
        await devicekeys.exchange(ctx, await guards.device(ctx, body["old"]), body)

    @submit
    @guarded("permitted")
    async def submit_readings(self, ctx: Context, period: int) -> bytes:
        """File a batch of signed records under the open period; transient `records`, `salt` (16
        bytes) and, if known, `cells` (`GetCells`). Answers a status byte per record, no more."""
        fence = await guards.permitted(ctx, "submit_readings")
        return await submission.submit(ctx, fence, period)

    @submit
    @guarded("permitted")
    async def seal_period(self, ctx: Context, period: int) -> None:
        """Close the open period and open the next; a period sealed before stays sealed."""
        fence = await guards.permitted(ctx, "seal_period")
        if period > fence.period or period < 1:
            raise Refusal("period-not-open")
        if period == fence.period:
            await adoption.put_fence(ctx, fence.following())

    @submit
    @guarded("permitted")
    async def fold_shard(self, ctx: Context, period: int, shard: int) -> bytes:
        """A step of folding a sealed period's shard: `more` or `done`."""
        fence = await guards.permitted(ctx, "fold_shard")
        return await folding.fold_shard(ctx, fence, period, shard)

    @submit
    @guarded("permitted")
    async def close_day(self, ctx: Context, day: str, run: str) -> bytes:
        """A step of closing a day by run P, F or FINAL: `more`, or `done` once certified."""
        fence = await guards.permitted(ctx, "close_day")
        return await closing.close_day(ctx, fence, identifier(day), run)

    @submit
    @guarded("permitted", "certificate")
    async def record_sample(self, ctx: Context, document: bytes) -> None:
        """What an auditor found of a certificate's sample: a sample/1, counts and digests alone."""
        fence = await guards.permitted(ctx, "record_sample")
        body = checked(read(document), "sample/1")
        certificate = await guards.certificate(ctx, body["day"])
        await proving.record(ctx, fence, certificate, body)

    @evaluate
    async def get_fence(self, ctx: Context) -> bytes:
        """{"period"}: where batches are filed now; and the district it is of."""
        fence = await guards.fence(ctx)
        return canonical.encode(
            {"district": fence.district, "period": fence.period, "shards": fence.shards}
        )

    @evaluate
    async def get_pseudonym(self, ctx: Context, name: str) -> bytes:
        """What stands on the ledger for an operator's name (members of the collection only)."""
        await guards.fence(ctx)
        vault = await Vault.open(ctx)
        if vault is None:
            raise Refusal("not-found")
        return canonical.encode({"pseudonym": vault.pseudonym(identifier(name))})

    @evaluate
    async def get_device(self, ctx: Context, device_id: str) -> bytes:
        """A device: document, site, shard, keys by counter, revocation."""
        fence = await guards.fence(ctx)
        return canonical.encode(await queries.device(ctx, device_id, fence.shards))

    @evaluate
    async def get_cells(self, ctx: Context, names: bytes) -> bytes:
        """The cells of devices, given as a JSON array of names or ids: what batches are told."""
        await guards.fence(ctx)
        found: Any = await queries.cells(ctx, names)
        return canonical.encode(found)

    @evaluate
    async def get_site(self, ctx: Context, site_id: str) -> bytes:
        """A site and the shard it is folded in."""
        fence = await guards.fence(ctx)
        entry = await queries.registered(ctx, keys.site, site_id)
        shard = entry["cell"] % fence.shards
        return canonical.encode({"document": entry["document"], "shard": shard})

    @evaluate
    async def get_point(self, ctx: Context, point_id: str) -> bytes:
        """A point and the shard it is folded in."""
        fence = await guards.fence(ctx)
        entry = await queries.registered(ctx, keys.point, point_id)
        shard = entry["cell"] % fence.shards
        return canonical.encode({"document": entry["document"], "shard": shard})

    @evaluate
    async def get_certificate(self, ctx: Context, day: str) -> bytes:
        """The certificate in force for a day."""
        key = keys.certificate(ctx.stub, identifier(day))
        return canonical.encode(await found(ctx, key))

    @evaluate
    async def list_certificates(self, ctx: Context, from_day: str, bookmark: str) -> bytes:
        """A page of certificates in force from a day on."""
        return canonical.encode(await queries.certificates(ctx, from_day, bookmark))

    @evaluate
    async def get_certificate_history(self, ctx: Context, day: str) -> bytes:
        """Every version of a day's certificate, the newest first."""
        key = keys.certificate(ctx.stub, identifier(day))
        versions: Any = await queries.history(ctx, key)
        return canonical.encode(versions)

    @evaluate
    async def get_rolling(self, ctx: Context, day: str) -> bytes:
        """The rolling year that ends with a day: its sums, indicators and verdict."""
        key = keys.certificate(ctx.stub, identifier(day))
        return canonical.encode(certificate.rolling(await found(ctx, key)))

    @evaluate
    async def get_monthly(self, ctx: Context, month: str) -> bytes:
        """The certificate in force for a calendar month."""
        key = keys.monthly(ctx.stub, identifier(month))
        return canonical.encode(await found(ctx, key))

    @evaluate
    async def list_monthly(self, ctx: Context, from_month: str, bookmark: str) -> bytes:
        """A page of months' certificates in force from a month on."""
        return canonical.encode(await queries.months(ctx, from_month, bookmark))

    @evaluate
    async def get_monthly_history(self, ctx: Context, month: str) -> bytes:
        """Every version of a month's certificate, the newest first."""
        versions: Any = await queries.history(ctx, keys.monthly(ctx.stub, identifier(month)))
        return canonical.encode(versions)

    @evaluate
    async def get_proof(self, ctx: Context, point: str, day: str, instant: int) -> bytes:
        """That a point's interval lies under a day's certificate (members of the collection)."""
        return canonical.encode(await proving.proof(ctx, point, identifier(day), instant))

    @evaluate
    async def get_leaves(self, ctx: Context, day: str, cell: int) -> bytes:
        """Roots of a cell's points under a day's certificate (members of the collection)."""
        return canonical.encode(await proving.leaves_of(ctx, identifier(day), cell))

    @evaluate
    async def list_samples(self, ctx: Context, from_day: str, bookmark: str) -> bytes:
        """A page of what auditors found of samples, from a day on."""
        return canonical.encode(await queries.samples(ctx, from_day, bookmark))

    @evaluate
    async def get_record(self, ctx: Context, device_id: str, counter: int) -> bytes:
        """What the fold made of a record (members of the collection only)."""
        await guards.fence(ctx)
        return canonical.encode(await findings.record(ctx, device_id, counter))

    @evaluate
    async def get_window(self, ctx: Context) -> bytes:
        """The preliminary run's window with all its sums (members of the collection only)."""
        return canonical.encode(await findings.window(ctx))

    @evaluate
    async def list_findings(self, ctx: Context, day: str) -> bytes:
        """What folds and closes found on a day (members of the collection only)."""
        return canonical.encode(await findings.of_day(ctx, identifier(day)))
