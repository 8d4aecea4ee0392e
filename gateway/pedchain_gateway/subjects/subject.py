# SPDX-License-Identifier: Apache-2.0
"""A data subject's own copy and its erasure, and the purge of what is past its retention.

The subject's name stands in queries and in the transient map, never in what is ordered. An export
is one JSON object and a CSV of the intervals:

    subject/1 {schema, district, site, first, last, people: [...], days: [...], records: [...],
      not_covered: [...]}
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pedchain_domain.calendar import shifted
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, Unavailable, definition_of
from pedchain_gateway.ledger.queries import ask_document
from pedchain_gateway.ledger.steps import private, submit_step
from pedchain_gateway.subjects import flexsubject

DONE = b"done"
NOT_COVERED = (
    "backups of peers and archives that auditors fetched before",
    "this gateway's own spool and index, which forget records by their own retention",
    "certificates of origin that were transferred: they are their owners'",
    "the registers of the stay's first and last midnight, on which the days around it rest",
    "the number of records the devices have signed (counters), and that the points exist",
)
"""What an erasure on the ledger does not reach; said with every export and erasure."""
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stay:
    """A site of a district over whole days, both ends included."""

    district: str
    site: str
    first: str
    last: str

    def days(self) -> Iterator[str]:
        """Every day of the stay."""
        day = self.first
        while day <= self.last:
            yield day
            day = shifted(day, 1)


@dataclass(frozen=True, slots=True)
class Subjects:
    """Exports and erases through one gateway."""

    ledger: Ledger
    report: Callable[[str], None]

    async def export(self, stay: Stay) -> Document:
        """Everything the collection holds about the site in the stay. Raises any `LedgerError`."""
        days = [await self._day(stay, day) for day in stay.days()]
        records = [one async for one in self._records(stay, days)]
        self.report(f"{len(days)} days, {len(records)} signed records")
        people = await self._people(stay)
        return {
            "schema": "subject/1",
            "district": stay.district,
            "site": stay.site,
            "first": stay.first,
            "last": stay.last,
            "people": people,
            "days": days,
            "records": records,
            "not_covered": list(NOT_COVERED),
        }

    async def erase(self, stay: Stay) -> int:
        """Erase the site's stay from the ledger; the number of transactions it took.

        Records first, so that a run that is broken off and begun again still finds them by the
        days' indexes.
        """
        days = [await self._day(stay, day) for day in stay.days()]
        about = {"site": stay.site, "cell": days[0]["cell"]}
        found = [one async for one in self._records(stay, days)]
        transactions = sorted({one["transaction"] for one in found})
        steps = 0
        for start in range(0, len(transactions), limits.ERASE_BATCHES):
            part = transactions[start : start + limits.ERASE_BATCHES]
            what = {**about, "batches": part, "first": stay.first, "last": stay.last}
            steps += await self._erase(stay, what)
        self.report(f"{len(found)} signed records erased from {len(transactions)} batches")
        for day in stay.days():
            steps += await self._erase(stay, {**about, "day": day})
        steps += await self._erase(stay, {**about, "account": 1})
        self.report(f"{len(days)} days erased; certificates, sums and roots are unchanged")
        steps += await flexsubject.erase(
            self.ledger, stay.district, about, stay.days(), self.report
        )
        steps += await self._erase_people(stay, about)
        for place in NOT_COVERED:
            self.report(f"not reached: {place}")
        return steps

    async def _people(self, stay: Stay) -> list[Document]:
        asked = ("privacy:GetSubjectPeople", stay.site, stay.first, stay.last)
        found = await ask_document(self.ledger, definition_of(stay.district), *asked)
        people: list[Document] = found["people"]
        return people

    async def _erase_people(self, stay: Stay, about: Document) -> int:
        """Identities of those who have left; who is still a member is said to be kept."""
        people = await self._people(stay)
        left = [one for one in people if one["left"] is not None]
        steps = 0
        if left:
            what = {**about, "person": 1, "first": stay.first, "last": stay.last}
            steps = await self._erase(stay, what)
        self.report(f"{len(left)} of {len(people)} people who lived here are forgotten")
        if len(left) < len(people):
            self.report("not reached: the identity of who is a member still (member leave first)")
        return steps

    async def _erase(self, stay: Stay, what: Document) -> int:
        sent = private(subject=what)
        await submit_step(
            self.ledger, definition_of(stay.district), "privacy:Erase", transient=sent
        )
        return 1

    async def _day(self, stay: Stay, day: str) -> Document:
        asked = ("privacy:GetSubjectDay", stay.site, day)
        found = await ask_document(self.ledger, definition_of(stay.district), *asked)
        flexible = await flexsubject.export(self.ledger, stay.district, stay.site, day)
        return {**found, "flexibility": flexible}

    async def _records(self, stay: Stay, days: list[Document]) -> Any:
        """The site's records in every period that filed readings for one of the days."""
        for period in sorted({period for day in days for period in day["periods"]}):
            after = ""
            for _ in range(limits.STEPS_PER_CALL_MAX):
                page = await ask_document(
                    self.ledger,
                    definition_of(stay.district),
                    "privacy:ListSubjectRecords",
                    stay.site,
                    str(period),
                    after,
                )
                for one in page["records"]:
                    yield one
                after = page["bookmark"]
                if not after:
                    break


async def purge(ledger: Ledger, district: str, through: str, report: Callable[[str], None]) -> int:
    """Purge what is past its retention, up to a day; the number of steps. Raises any
    `LedgerError`; `Refused` `too-early` where the day is younger."""
    for step in range(1, limits.STEPS_PER_CALL_MAX + 1):
        answer = await submit_step(ledger, definition_of(district), "privacy:Purge", through)
        if answer == DONE:
            report(f"{district} purged through {through} in {step} steps")
            return step + await flexsubject.purge(ledger, district, through, report)
    raise Unavailable("Purge does not come to an end")


async def issue(ledger: Ledger, district: str, report: Callable[[str], None]) -> list[str]:
    """Issue certificates of origin for every day that run F has closed; the days issued."""
    issued: list[str] = []
    state = await ask_document(ledger, definition_of(district), "origin:GetIssuing")
    day = shifted(state["last"], 1) if "last" in state else await _first(ledger, district)
    while day is not None:
        try:
            await _issue_day(ledger, district, day)
        except Refused as error:
            if error.reason != "run-missing":
                raise
            break
        issued.append(day)
        report(f"{district} {day} certificates of origin issued")
        day = shifted(day, 1)
    return issued


async def _issue_day(ledger: Ledger, district: str, day: str) -> None:
    for _ in range(limits.STEPS_PER_CALL_MAX):
        definition = definition_of(district)
        step = await submit_step(ledger, definition, "origin:IssueDay", day, transient=private())
        if step == DONE:
            return
    raise Unavailable("IssueDay does not come to an end")


async def _first(ledger: Ledger, district: str) -> str | None:
    """The first certified day."""
    asked = ("ListCertificates", "0000-01-01", "")
    page = await ask_document(ledger, definition_of(district), *asked)
    return str(page["certificates"][0]["day"]) if page["certificates"] else None


def intervals_csv(export: Document) -> str:
    """The export's intervals as CSV: day, run, point, role, interval, Wh, class."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("day", "run", "point", "role", "interval", "wh", "class"))
    for day in export["days"]:
        for run, points in sorted(day["intervals"].items()):
            for name, point in sorted((points or {}).items()):
                for role, (values, classes) in sorted(point.get("registers", {}).items()):
                    for at, (energy, letter) in enumerate(zip(values, classes, strict=True)):
                        writer.writerow(
                            (day["day"], run or "newest", name, role, at, energy, letter)
                        )
    return out.getvalue()


def as_json(export: Document) -> str:
    """The export as readable JSON, keys sorted."""
    return json.dumps(export, indent=1, sort_keys=True) + "\n"
