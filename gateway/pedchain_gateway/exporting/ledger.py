# SPDX-License-Identifier: Apache-2.0
"""What is exported of a district: certificates, their history, intervals, readings, differences.

Certificates are public; intervals and readings are answered to members of the district's collection
(the DSO and the district) and are private data: the operator answers for the file.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedchain_domain import ocmf, registers
from pedchain_domain.calendar import shifted
from pedchain_domain.text import hex_bytes
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, definition_of
from pedchain_gateway.ledger.queries import ask, ask_document

Document = dict[str, Any]
_CHARGED = "T"
_UNITS = {**registers.OCMF_UNITS, **registers.EXTENSION_UNITS}
DIFFER_WH, DIFFER_SHARE = 100, 100
"""A day's difference beyond 1 % and 100 Wh is a finding (rules R8)."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a district, both ends included."""

    district: str
    first: str
    last: str

    @property
    def days(self) -> list[str]:
        """Every day."""
        found, day = [], self.first
        while day <= self.last:
            found.append(day)
            day = shifted(day, 1)
        return found


async def certificates(ledger: Ledger, span: Span) -> AsyncIterator[Document]:
    """Certificates in force by day."""
    async for one in _paged(ledger, span.district, "ListCertificates", span.first):
        if one["day"] <= span.last:
            yield one


async def months(ledger: Ledger, span: Span) -> AsyncIterator[Document]:
    """Certificates in force by calendar month."""
    async for one in _paged(ledger, span.district, "ListMonthly", span.first[:7]):
        if one["month"] <= span.last[:7]:
            yield one


async def samples(ledger: Ledger, span: Span) -> AsyncIterator[Document]:
    """What auditors found of days' samples (ADR 43), by day and organisation."""
    async for one in _paged(ledger, span.district, "ListSamples", span.first, "samples"):
        if one["day"] <= span.last:
            yield one


async def history(ledger: Ledger, span: Span) -> AsyncIterator[Document]:
    """Every version of every certificate with the transaction that wrote it, newest first."""
    async for one in certificates(ledger, span):
        asked = (definition_of(span.district), "GetCertificateHistory", one["day"])
        for version in await ask(ledger, *asked):
            yield {"transaction": version["transaction"], **version["certificate"]}


async def _paged(
    ledger: Ledger, district: str, function: str, first: str, items: str = "certificates"
) -> AsyncIterator[Document]:
    bookmark = ""
    for _ in range(limits.STEPS_PER_CALL_MAX):
        asked = (definition_of(district), function, first, bookmark)
        page = await ask_document(ledger, *asked)
        for one in page[items]:
            yield one
        bookmark = page["bookmark"]
        if not bookmark:
            return


async def intervals(ledger: Ledger, span: Span, sites: Sequence[str]) -> AsyncIterator[Document]:
    """What each run certified of sites' points, interval by interval."""
    for site in sites:
        for day in span.days:
            asked = (definition_of(span.district), "privacy:GetSubjectDay", site, day)
            found = await ask_document(ledger, *asked)
            for run, points in sorted(found["intervals"].items()):
                for point, about in sorted((points or {}).items()):
                    for role, (values, classes) in sorted(about.get("registers", {}).items()):
                        for at, (wh, letter) in enumerate(zip(values, classes, strict=True)):
                            yield {
                                "site": site, "day": day, "run": run or "newest", "point": point,
                                "role": role, "interval": at, "wh": wh, "class": letter,
                            }  # fmt: skip


async def readings(ledger: Ledger, span: Span, sites: Sequence[str]) -> AsyncIterator[Document]:
    """Every reading that sites' devices signed, with its record's counter and transaction."""
    for site in sites:
        async for transaction, counter, record in _records(ledger, span, site):
            for reading in (*record.readings, *record.extensions):
                yield {
                    "site": site, "device": record.device, "counter": counter,
                    "instant": reading.instant, "register": reading.obis,
                    "value": str(reading.register), "unit": reading.unit,
                    "status": reading.status, "context": record.context,
                    "transaction": transaction,
                }  # fmt: skip


async def differences(ledger: Ledger, span: Span, sites: Sequence[str]) -> AsyncIterator[Document]:
    """What devices of one point say of the same day, the DSO's beside the others' (rules R8).

    A day counts for a device that read the register at both its ends.
    """
    rows = await _rows(ledger, span)
    for site in sites:
        points: dict[str, tuple[str, str]] = {}
        stood: dict[tuple[str, str], dict[int, int]] = {}
        async for _, _, record in _records(ledger, span, site):
            if record.context == _CHARGED:
                continue
            if record.device not in points:
                points[record.device] = await _about(ledger, span.district, record.device)
            for reading in (*record.readings, *record.extensions):
                whole = registers.to_whole(reading.register, _UNITS[reading.unit])
                mine = stood.setdefault((record.device, reading.obis), {})
                if reading.status == "S" or reading.instant not in mine:
                    mine[reading.instant] = whole
        for day, start, end in rows:
            for one in _differing(points, stood, start, end):
                yield {"site": site, "day": day, **one}


def _differing(
    points: Mapping[str, tuple[str, str]],
    stood: Mapping[tuple[str, str], Mapping[int, int]],
    start: int,
    end: int,
) -> list[Document]:
    """A day's sums of the DSO's devices against those of others at the same point."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for (device, obis), values in sorted(stood.items()):
        if start in values and end in values:
            point, authority = points[device]
            mine = sums.setdefault((point, obis), {})
            mine.setdefault(authority, values[end] - values[start])
    found = []
    for (point, obis), mine in sums.items():
        dso = mine.pop("dso", None)
        for authority, wh in mine.items() if dso is not None else ():
            most = max(DIFFER_WH, max(dso or 0, wh) // DIFFER_SHARE)
            found.append(
                {
                    "point": point, "register": obis, "dso_wh": dso, "source": authority,
                    "source_wh": wh, "difference_wh": wh - (dso or 0),
                    "finding": abs(wh - (dso or 0)) > most,
                }
            )  # fmt: skip
    return found


async def _rows(ledger: Ledger, span: Span) -> list[tuple[str, int, int]]:
    """The span's days with start and end."""
    district = await ask_document(ledger, "registry", "GetDistrict", span.district)
    found = []
    for name in district["calendar"]:
        calendar = await ask_document(ledger, "registry", "GetCalendar", name)
        found += [(row["day"], row["start"], row["end"]) for row in calendar["rows"]]
    return [row for row in sorted(found) if span.first <= row[0] <= span.last]


async def _about(ledger: Ledger, district: str, device: str) -> tuple[str, str]:
    """The point a device is at, and whose word it is."""
    document = (await ask_document(ledger, definition_of(district), "GetDevice", device))[
        "document"
    ]
    return str(document["point"]), str(document.get("authority", "agent"))


async def _records(
    ledger: Ledger, span: Span, site: str
) -> AsyncIterator[tuple[str, int, ocmf.Record]]:
    """A site's records of the periods that filed readings for the span's days, each once."""
    definition = definition_of(span.district)
    periods: set[int] = set()
    for day in span.days:
        found = await ask_document(ledger, definition, "privacy:GetSubjectDay", site, day)
        periods |= set(found["periods"])
    for period in sorted(periods):
        after = ""
        for _ in range(limits.STEPS_PER_CALL_MAX):
            asked = ("privacy:ListSubjectRecords", site, str(period), after)
            page = await ask_document(ledger, definition, *asked)
            for one in page["records"]:
                yield one["transaction"], one["counter"], ocmf.parse(hex_bytes(one["record"]))
            after = page["bookmark"]
            if not after:
                break
