# SPDX-License-Identifier: Apache-2.0
"""Erase: a subject's records and intervals leave every member's store, their digests stay (C5, Y).

One call erases one day of the subject's cell, or records of some batches. Both may be called
again: what is erased already is passed over. Only days that run FINAL has closed, since later runs
would count the readings as missing; sums, roots and certificates stay what they are.
"""

import hmac
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pedchain_chaincode import debits, limits
from pedchain_chaincode.documents import Document, load, read, refusals, save
from pedchain_chaincode.metering import adoption, days
from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering import names as pseudonyms
from pedchain_chaincode.metering.batchdoc import BatchDocument, Row
from pedchain_chaincode.metering.vault import Name, Vault
from pedchain_chaincode.privacy import batches, keys, persons
from pedchain_chaincode.privacy.retention import day_row, exchanged_on
from pedchain_domain import batch, calendar, canonical, erasure
from pedchain_domain.columns import TIMES
from pedchain_domain.erasure import Kept, Subject
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal

FORMS = (
    ["cell", "day", "site"],
    ["batches", "cell", "first", "last", "site"],
    ["account", "cell", "site"],
    ["cell", "first", "last", "person", "site"],
)
Change = Callable[[Document, Subject, str], Document | None]


class Eraser:
    """Erases one subject in one transaction; every salt is of the client's random bytes."""

    def __init__(self, ctx: Context, vault: Vault, roster: Document, site: str) -> None:
        self._ctx, self._vault, self._cell = ctx, vault, int(roster["shard"])
        self._roster, self._subject = roster, erasure.subject(site, roster)
        self._salt = debits.salt(ctx)
        self.written = 0

    @classmethod
    async def open(cls, ctx: Context, what: Document) -> "Eraser":
        """Refuses `unknown-site`, `no-readings`, `salt-missing`.

        The cell is given, not looked up: a read of the site's own entry would stand in the block.
        """
        vault = await Vault.open(ctx)
        if vault is None:
            raise Refusal("no-readings")
        with refusals():
            name = canonical.check_id(what["site"])
        roster = await load(ctx.stub, names.roster(ctx.stub, _cell(what["cell"])))
        for identifier in (name, await pseudonyms.resolve(ctx, name)):
            if roster is not None and identifier in roster["sites"]:
                return cls(ctx, vault, roster, identifier)
        raise Refusal("unknown-site")

    async def day(self, closing: Document, day: str) -> None:
        """Erase the subject from the documents of one day."""
        if not days.is_closed(closing, day, "FINAL"):
            raise Refusal("run-missing")
        cell = self._cell
        index = await self._vault.load("day", cell, day)
        for period in index["periods"] if index else []:
            await self._change(("fold", cell, day, period), erasure.fold)
            await self._change(("trail", cell, period), erasure.trail)
        await self._change(("day", cell, day), erasure.index)
        await self._change(("intervals", cell, day), erasure.intervals)
        await self._change(("draws", cell, day), _of_site("sites"))
        for run in days.RUNS:
            await self._change(("intervals", cell, day, run), erasure.intervals)
            await self._change(("prints", cell, day, run), _of_site("prints"))
            await self._change(("totals", day, run), _of_run(run))
            await self._vault.purge(("sums", day, run))
        for kind in ("issue", "claims", "left", "released"):
            await self._vault.purge((kind, self._subject.site, day))
        for device in exchanged_on(self._roster, await day_row(self._ctx, day)):
            if self._subject.is_device(device):
                await self._vault.purge(("exchange", device))
        await self._done()

    async def _change(self, name: Name, change: Change) -> None:
        document = await self._vault.load(*name)
        if document is None:
            return
        salt = derive_salt("erased", [self._salt.hex(), *map(str, name)])
        erased = change(document, self._subject, salt)
        if erased is not None:
            await self._vault.replace(name, erased)
            self.written += 1

    async def records(self, closing: Document, what: Document) -> None:
        """Erase the subject's records of a stretch of final days from some batches."""
        transactions = what["batches"]
        if not isinstance(transactions, list) or len(transactions) > limits.ERASE_BATCHES:
            raise Refusal("too-large")
        first, last = str(what["first"]), str(what["last"])
        for day in (first, last):
            if not days.is_closed(closing, day, "FINAL"):
                raise Refusal("run-missing")
        newest = await adoption.newest(self._ctx)
        rows: list[Any] = await adoption.calendar_rows(self._ctx, newest)
        with refusals():
            begin, end = calendar.find(rows, first)["start"], calendar.find(rows, last)["end"]
            checked = [canonical.check_id(name) for name in transactions]
        for transaction in checked:
            held = await batches.load(self._ctx.stub, transaction)
            if held is not None:
                await self._batch(transaction, held, _Stay(begin, end, rows))
        await self._done()

    async def _batch(self, transaction: str, held: batches.Held, stay: "_Stay") -> None:
        known = held.rows()
        kept: list[Kept] = []
        gone: list[str] = []
        for position in held.positions():
            mark = "" if position.record is None else batches.mark_of(position.record)
            cell, row = known.get(mark, (0, []))
            if row and self._subject.is_device(row[0]) and stay.holds(row):
                kept.append(erasure.gone(position.leaf, cell, stay.days(row)))
                gone.append(mark)
            else:
                kept.append(position)
        if not gone:
            return
        salt = hmac.digest(self._salt, b"batch" + transaction.encode(), "sha256")
        document = _erased(held.document, kept, gone, salt[: limits.SALT_BYTES])
        await batches.replace(self._ctx.stub, transaction, held, document)
        self.written += 1

    async def _done(self) -> None:
        """The public trace: that documents were written anew, and how many."""
        await self._vault.mark_moved()
        key = keys.erasure(self._ctx.stub, self._ctx.stub.transaction_id)
        await save(self._ctx.stub, key, {"documents": self.written})

    async def person(self, what: Document) -> None:
        """Forget who lived at the site during the stay, if they have left the district."""
        during = await persons.stay(self._ctx, str(what["first"]), str(what["last"]))
        site, salt = self._subject.site, self._salt.hex()
        self.written += await persons.forget(self._ctx, self._vault, site, during, salt)
        await self._done()

    async def account(self) -> None:
        """Forget which accounts the site's energy was issued to."""
        name: Name = ("holders", self._subject.site)
        holders = await self._vault.load(*name)
        for _, account, _ in holders["rows"] if holders else []:
            known = await self._vault.load("account", account)
            if known is not None and known["site"] is not None:
                salt = derive_salt("erased", [self._salt.hex(), account])
                await self._vault.replace(
                    ("account", account), {**known, "site": None, "salt": salt}
                )
                self.written += 1
        if holders is not None:
            await self._vault.purge(name)
            await self._vault.purge(("storage", self._subject.site))
            self.written += 1
        await self._done()


class _Stay(NamedTuple):
    """From when until when the subject's records go, with the calendar."""

    start: int
    end: int
    rows: list[Any]

    def holds(self, row: Row) -> bool:
        """Whether all a record read lies in the stay; its closing register may lie on its end.
        A record of which nothing could be certified goes with any stay."""
        return all(self.start <= at <= self.end for at in row[5][TIMES])

    def days(self, row: Row) -> list[str]:
        """The days a record was filed for: a register on a boundary serves both sides."""
        found: dict[str, None] = {}
        for at in row[5][TIMES]:
            for instant in (at - 1, at):
                day = calendar.day_at(self.rows, instant)
                if day is not None:
                    found[day["day"]] = None
        return list(found)


def _cell(value: object) -> int:
    if type(value) is not int or value < 0:
        raise Refusal("malformed-document", "cell")
    return value


def _of_site(field: str) -> Change:
    return lambda document, who, salt: erasure.of_site(document, who, salt, field)


def _of_run(run: str) -> Change:
    """A run's totals, which then also say which run they are of: the auditor finds them by it."""

    def change(document: Document, who: Subject, salt: str) -> Document | None:
        found = erasure.totals(document, who, salt)
        return None if found is None else {**found, "run": run}

    return change


def _erased(
    before: BatchDocument, kept: Sequence[Kept], gone: Sequence[str], salt: bytes
) -> BatchDocument:
    """The batch with leaves in place of records, and without their rows."""
    rows = {cell: [row for row in rows if row[3] not in gone] for cell, rows in before.rows.items()}
    body = batch.frame([each.record for each in kept if each.record is not None])
    return BatchDocument(
        salt,
        {cell: left for cell, left in rows.items() if left},
        erasure.FORM,
        body,
        [each.shown() for each in kept],
    )


def request(ctx: Context) -> Document:
    """What to erase, in transient `subject`: {site, cell} and {day}, or {batches: [transaction],
    first, last}, or {account: 1}, or {person: 1, first, last}."""
    found = read(ctx.stub.transient.get("subject", b""))
    if sorted(found) not in FORMS:
        raise Refusal("malformed-document")
    return found
