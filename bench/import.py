# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N999 - named as it is asked for
"""Rows of an operator's CSV files per second onto the ledger: 1,000 points by the quarter-hour.

`rows_per_s` counts from the first line read to the last batch committed and the last filing period
folded, on real Fabric (embedded without it), all on this machine; `year_minutes` is what a year of
such points takes at that pace. `batched_rows_per_s` is the importer's own part, in one process:
rows read, checked, counted into registers, signed and stored.
"""

import asyncio
import csv
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
from cryptography.hazmat.primitives.asymmetric import ec

from bench import networks, street
from bench.metering import cpu
from bench.processes import fabric_found
from pedchain_domain.der import spki_hex
from pedchain_gateway.firstday.master import load as load_master
from pedchain_gateway.importing import importer
from pedchain_gateway.importing.mapping import Mapping
from pedchain_gateway.importing.sending import Sent
from pedchain_gateway.importing.store import Store
from pedchain_gateway.importing.telling import Signer, sign, tell
from pedchain_gateway.ledger.fabric import open_ledger
from pedchain_gateway.registering.register import Registration, register
from pedchain_network.topology import reader
from tests.unit.chaincode import district

SITES, DAYS = 500, 4
YEAR_ROWS = 1_000 * 96 * 365
STYLE = Mapping.model_validate(
    {
        "delimiter": ";",
        "decimal": ",",
        "zone": "Europe/Rome",
        "time": "%d.%m.%Y %H:%M",
        "columns": {"point": "POD", "obis": "OBIS", "time": "Inizio", "value": "kWh"},
    }
)
DRAWN, MADE = "1-0:1.8.0*255", "1-0:2.8.0*255"


def measure() -> dict[str, dict[str, float]]:
    runtime = "native" if fabric_found() else "embedded"
    topology = reader.reference().read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write(folder)
        alone = batched(folder, files)
        with networks.network(runtime, topology) as state:
            whole = asyncio.run(filed(state, folder, files))
    return {runtime: {**alone, **whole}}


def write(folder: Path) -> list[Path]:
    """A file a day, and the master data."""
    zone = ZoneInfo(STYLE.zone)
    instants = range(district.START, district.START + 86_400 * DAYS, 900)
    texts = [f"{datetime.fromtimestamp(at, zone):%d.%m.%Y %H:%M}" for at in instants]
    files = []
    for day in range(DAYS):
        path = folder / f"day-{day}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(["POD", "OBIS", "Inizio", "kWh"])
            writer.writerows(lines(texts[96 * day : 96 * (day + 1)]))
        files.append(path)
    _master(folder)
    return files


def lines(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for site in range(SITES):
        for at, text in enumerate(texts):
            yield f"IT{site:04}E", DRAWN, text, f"0,{100 + (site + at) % 300:03d}"
            yield f"IT{site:04}P", MADE, text, f"0,{200 + (site * at) % 300:03d}"


def _master(folder: Path) -> None:
    with (folder / "sites.csv").open("w") as sites, (folder / "points.csv").open("w") as points:
        sites.write("id,plan,connection_w,feeder,substation,zone,from\n")
        points.write("id,site,kind,parent,p_max_w,registers\n")
        for site in range(SITES):
            sites.write(f"s{site},P1,20000,feeder-1,substation-1,zone-1,2025-12-31\n")
            points.write(f"IT{site:04}E,s{site},GCP,,20000,{DRAWN}=I {MADE}=E\n")
            points.write(f"IT{site:04}P,s{site},GEN,IT{site:04}E,20000,{MADE}=G\n")


def batched(folder: Path, files: Sequence[Path]) -> dict[str, float]:
    """The importer without a ledger."""
    store = Store(folder / "alone.sqlite")
    signer = Signer(ec.generate_private_key(ec.SECP256R1()), "pedchain", "ped")
    start, used = time.perf_counter(), time.process_time()
    summary = importer.collect(store, files, STYLE, lambda _: None, None)
    took = time.perf_counter() - start
    for point in store.unregistered():
        store.registered(point, [DRAWN, MADE])
    tell(store)
    for day in store.days_with_news():
        while sign(store, signer, day):
            pass
    whole, used = time.perf_counter() - start, time.process_time() - used
    rows = sum(one.taken for one in summary.files)
    store.close()
    return {
        "rows": rows,
        "read_rows_per_s": round(rows / took),
        "batched_rows_per_s": round(rows / whole),
        "batched_rows_by_cpu_per_s": round(rows / used),
    }


async def filed(state: Path, folder: Path, files: Sequence[Path]) -> dict[str, float]:
    """The whole way."""
    key = ec.generate_private_key(ec.SECP256R1())
    documents = load_master(folder, spki_hex(key.public_key()), district.START - 86_400)
    definition = district.district(**street.settings())
    registration = Registration(
        [district.factors()], street.calendars(), [definition], {"DistrictA": documents}
    )
    async with await open_ledger(state / "profiles/DSO.json", "gateway") as ledger:
        await register(ledger, registration, lambda _: None)
        store = Store(folder / "import.sqlite")
        start, before = time.perf_counter(), sum(cpu(state).values())
        summary = importer.collect(store, files, STYLE, lambda _: None, None)
        lacking, sent = await importer.file(
            ledger, "DistrictA", store, Signer(key, "pedchain", ledger.channel), print
        )
        took, used = time.perf_counter() - start, sum(cpu(state).values()) - before
    rows = sum(one.taken for one in summary.files)
    if lacking or sent.rejected or sent == Sent():
        raise RuntimeError(f"not all was filed: {sent}")
    return {
        "rows_per_s": round(rows / took),
        "year_minutes": round(YEAR_ROWS * took / rows / 60),
        "rows_by_cpu_per_s": round((psutil.cpu_count() or 1) * rows / used),
    }
