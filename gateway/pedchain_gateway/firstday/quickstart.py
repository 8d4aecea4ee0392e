# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway quickstart`: a folder of spreadsheets ends as certificates, plots, a preview.

    district.toml            what the district is
    sites.csv, points.csv    master data
    NAME.toml, NAME*         a mapping and the operator's files it is for (csv, xlsx, xml)

Each step may be repeated, so the command may be run again with more files.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pedchain_domain.der import spki_hex
from pedchain_domain.ocmf import PrivateKey
from pedchain_gateway.certifying.closing import Closer
from pedchain_gateway.firstday import district as districts
from pedchain_gateway.firstday import master, plots
from pedchain_gateway.firstday.preview import Preview, preview
from pedchain_gateway.importing import importer, mapping
from pedchain_gateway.importing.importer import Summary
from pedchain_gateway.importing.store import Store
from pedchain_gateway.importing.telling import Signer
from pedchain_gateway.ledger.port import Ledger, definition_of
from pedchain_gateway.ledger.queries import ask_document
from pedchain_gateway.registering.register import Registration, register

DISTRICT = "district.toml"
KINDS = (".csv", ".xlsx", ".xml")
Report = Callable[[str], None]
Document = dict[str, Any]


class Style(NamedTuple):
    """An operator's mapping and its files."""

    name: str
    mapping: mapping.Mapping
    files: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in it, read and checked before anything is registered."""

    about: districts.District
    documents: Sequence[Document]
    styles: Sequence[Style]


def read(folder: Path, key: PrivateKey) -> Folder:
    """Raises `DistrictError`, `MasterError`, `MappingError`."""
    about = districts.load(folder / DISTRICT)
    since = districts.calendars(about)[0]["rows"][0]["start"]
    documents = master.load(folder, spki_hex(key.public_key()), since)
    styles = [
        Style(path.stem, mapping.load(path), _files(folder, path.stem))
        for path in sorted(folder.glob("*.toml"))
        if path.name != DISTRICT
    ]
    return Folder(about, documents, styles)


def _files(folder: Path, name: str) -> list[Path]:
    own = (master.SITES, master.POINTS)
    found = sorted(folder.glob(f"{name}*"))
    return [path for path in found if path.suffix in KINDS and path.name not in own]


async def run(
    ledger: Ledger, signer: Signer, folder: Folder, state: Path, report: Report
) -> Summary:
    """Register, import, certify; results under `state`. Raises any `LedgerError`."""
    about = folder.about
    await register(ledger, districts.registration(about), report)
    await register(ledger, Registration([], [], [], {about.id: folder.documents}), report)
    store = Store(state / importer.STORE)
    try:
        summary = Summary()
        for style in folder.styles:
            rejected = state / f"rejected-{style.name}.csv"
            summary.add(importer.collect(store, style.files, style.mapping, report, rejected))
        summary.unregistered, summary.sent = await importer.file(
            ledger, about.id, store, signer, report
        )
        days = _covered(store, about)
        if days:
            closer = Closer(ledger, about.id, definition_of(about.id), report)
            await closer.close(first=days[0], through=days[-1], run="P")
            await _results(ledger, about.id, days[-1], state, report)
        _preview(preview(store, folder.documents, about.grain), state, report)
    finally:
        store.close()
    return summary


def _covered(store: Store, about: districts.District) -> list[str]:
    """Local days from the first with values through the last that ends with values."""
    rows = [row for one in districts.calendars(about) for row in one["rows"]]
    first, last = store.span()
    return [row["day"] for row in rows if row["end"] > first and row["end"] <= last]


async def _results(ledger: Ledger, district: str, day: str, state: Path, report: Report) -> None:
    """The newest certificate, and what it says in a line."""
    found = await ask_document(ledger, definition_of(district), "GetCertificate", day)
    path = state / f"certificate-{day}.json"
    path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    window, verdict = found["window"], found["verdict"]
    report(
        f"{district} {window['first']} to {window['last']}, {window['days']} days: "
        f"{verdict['verdict']} ({path})"
    )


def _preview(found: Preview, state: Path, report: Report) -> None:
    """The sharing preview as a table by site, and as a plot by month."""
    path = state / "sharing.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["site", "drawn_wh", "received_wh", "fed_in_wh", "given_wh"])
        for site in sorted(found.sites):
            one = found.sites[site]
            writer.writerow([site, one.drawn, one.received, one.fed_in, one.given])
    (state / "sharing.svg").write_text(plots.months(found.months))
    shared = sum(one.received for one in found.sites.values())
    drawn = sum(one.drawn for one in found.sites.values())
    report(f"sharing would cover {shared} of {drawn} Wh drawn ({path})")
