# SPDX-License-Identifier: Apache-2.0
"""A certified day's sample, opened by the district for an auditor (ADR 43).

    opening/1  {schema, district, day, run, version, root, block, hash, leaves,
                cells: {cell: [[point, root]...]}, opened: [leaf...]}
    leaf       {proof: proof/1, records: [{transaction, device, counter, record, salt, proof}...]}
               or {refused: reason} of a leaf that is not to be had any more

`cells` lists the roots of all points, so that nobody can hide one; beyond them only the drawn
leaves are told, and the whole records that hold the registers at their ends. The file is private
data: it goes to the auditor and to nobody else.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pedchain_domain import ocmf, sampling
from pedchain_domain.calendar import shifted
from pedchain_domain.text import hex_bytes
from pedchain_fabric.wire.block import header_hash, parse_block
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, Unavailable, definition_of
from pedchain_gateway.ledger.queries import ask, ask_document

Document = dict[str, Any]
_PRIVATE = ("transaction", "device", "counter", "record", "salt", "proof")


class Opening:
    """Opens the sample of one day through a gateway of the collection. Raises any `LedgerError`."""

    def __init__(
        self, ledger: Ledger, district: str, day: str, report: Callable[[str], None]
    ) -> None:
        self._ledger, self._district, self._day = ledger, district, day
        self._definition, self._report = definition_of(district), report
        self._periods: dict[tuple[str, str], list[int]] = {}
        self._held: dict[tuple[str, int], list[Document]] = {}
        self._points: dict[str, str] = {}

    async def make(self, leaves: int) -> Document:
        """The opening of so many leaves, or of all if the day has fewer."""
        certificate = await self._ask("GetCertificate", self._day)
        block, hashed = await self._block()
        cells = await self._cells()
        start, grain = certificate["start"], certificate["grain"]
        sizes = {cell: len(points) for cell, points in cells.items()}
        drawn = sampling.places(
            sizes, (certificate["end"] - start) // grain, hashed, self._district, self._day, leaves
        )
        opened = []
        for place in drawn:
            point, _, site = cells[place.cell][place.point]
            opened.append(await self._leaf(point, site, start + place.interval * grain, grain))
            self._report(f"{self._district} {len(opened)} of {len(drawn)} leaves opened")
        return {
            "schema": "opening/1",
            **{name: certificate[name] for name in ("district", "day", "run", "version", "root")},
            "block": block,
            "hash": hashed,
            "leaves": len(drawn),
            "cells": {
                cell: [[point, root] for point, root, _ in points] for cell, points in cells.items()
            },
            "opened": opened,
        }

    async def _block(self) -> tuple[int, str]:
        """The block that holds the certificate in force: its number and its header's hash."""
        versions = await ask(self._ledger, self._definition, "GetCertificateHistory", self._day)
        raw = await self._ledger.block_of(str(versions[0]["transaction"]))
        if raw is None:
            raise Unavailable("the peer does not have the certificate's block")
        header = parse_block(raw).header
        return int(header.number), header_hash(header).hex()

    async def _cells(self) -> dict[str, list[tuple[str, str, str]]]:
        """Point, root and site of all leaves' trees, by cell."""
        first = await self._ask("GetLeaves", self._day, "0")
        found = {}
        for cell in first["cells"]:
            page = first if cell == "0" else await self._ask("GetLeaves", self._day, cell)
            found[cell] = [(point, root, site) for point, root, site in page["points"]]
        return found

    async def _leaf(self, point: str, site: str, start: int, grain: int) -> Document:
        try:
            proof = await self._ask("GetProof", point, self._day, str(start))
        except Refused as error:
            return {"refused": error.reason}
        records = [
            {name: one[name] for name in _PRIVATE}
            for one in await self._records(site)
            if await self._point(one["device"]) == point and _holds(one, (start, start + grain))
        ]
        return {"proof": proof, "records": records}

    async def _records(self, site: str) -> list[Document]:
        """A site's records of the periods that told of the day or of its neighbours: a day's ends
        are registers of two days."""
        days = [shifted(self._day, at) for at in (-1, 0, 1)]
        periods = {period for day in days for period in await self._periods_of(site, day)}
        return [one for at in sorted(periods) for one in await self._records_of(site, at)]

    async def _periods_of(self, site: str, day: str) -> list[int]:
        if (site, day) not in self._periods:
            found = await self._ask("privacy:GetSubjectDay", site, day)
            self._periods[site, day] = found["periods"]
        return self._periods[site, day]

    async def _records_of(self, site: str, period: int) -> list[Document]:
        if (site, period) not in self._held:
            self._held[site, period] = [one async for one in self._pages(site, period)]
        return self._held[site, period]

    async def _pages(self, site: str, period: int) -> Any:
        after = ""
        for _ in range(limits.STEPS_PER_CALL_MAX):
            page = await self._ask("privacy:ListSubjectRecords", site, str(period), after)
            for one in page["records"]:
                yield one
            after = page["bookmark"]
            if not after:
                return

    async def _point(self, device: str) -> str:
        """The point a device is at; a charger's transactions are of none that is certified."""
        if device not in self._points:
            try:
                found = await self._ask("GetDevice", device)
                self._points[device] = str(found["document"]["point"])
            except Refused:
                self._points[device] = ""
        return self._points[device]

    async def _ask(self, function: str, *arguments: str) -> Document:
        return await ask_document(self._ledger, self._definition, function, *arguments)


def _holds(one: Document, instants: tuple[int, int]) -> bool:
    """Whether a record has a register at one of the instants."""
    return any(instant in instants for instant in _instants(one))


def _instants(one: Document) -> Iterator[int]:
    record = ocmf.parse(hex_bytes(one["record"]))
    for reading in (*record.readings, *record.extensions):
        yield reading.instant
