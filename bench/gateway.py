# SPDX-License-Identifier: Apache-2.0
"""Readings per second and milliseconds to commit, posted over HTTP to one organisation's gateway.

The rival is the machine: `ceiling_signatures_per_s`, records if its cores did nothing but verify
each twice, since two organisations endorse. Everything runs on the same cores: network, gateway,
and the client that posts. A lone reading is posted alone on an idle network, and again while the
gateway's organisation certifies a day of 1,000 meters, one after the other without a pause;
`recorded` is said only after commit. The closing is `close --gently`, a process of its own: the
same steps and rests as within `serve`, begun when the bench wants it. What the flood left was
folded before: a day's closing meets a day's readings.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path

import httpx2
import psutil

from bench import metering, networks, street
from bench.processes import BIN, fabric_found
from pedchain_domain import ocmf
from pedchain_network.topology import reader
from tests import ports

DISTRICT = "DistrictA"
FLOOD_S = 60
POSTED, LANES = 200, 18
"""Records in a request of the flood, and requests at the same time."""
WARM = 10
LONE = 80
MOST = 5_000
"""Records a second that are made ready for the flood: more than can be taken."""
CLOSED = 5
"""The day, by number, that is certified while lone readings go on: after the flood's."""
TRIES = 5


def measure() -> dict[str, dict[str, float]]:
    runtime = "native" if fabric_found() else "embedded"
    homes = street.homes()
    topology = reader.reference().read_text()
    with networks.network(runtime, topology) as state, tempfile.TemporaryDirectory() as folder:
        registration = str(street.registration(Path(folder), homes))
        dso = str(state / "profiles/DSO.json")
        networks.run([str(BIN / "ped-gateway"), "register", registration, "--profile", dso])
        with ports.free() as port, serving(state, Path(folder), port) as (url, process):
            figures = asyncio.run(load(state, url, process, homes))
    return {runtime: {**figures, **ceiling(homes)}}


@contextmanager
def serving(state: Path, folder: Path, port: int) -> Iterator[tuple[str, psutil.Process]]:
    """The gateway of the district's organisation; its address and process."""
    config = folder / "gateway.toml"
    config.write_text(
        f'profile = "{state}/profiles/{DISTRICT}.json"\nstate = "gateway"\n'
        f'listen = "127.0.0.1:{port}"\n[districts.{DISTRICT}]\n'
        "[rates]\nrequests_per_address = 1000000\n"
    )
    command = [str(BIN / "ped-gateway"), "serve", "--config", str(config)]
    with (folder / "gateway.log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}", psutil.Process(started.pid)
        finally:
            started.terminate()
            started.wait(60)


async def load(
    state: Path, url: str, gateway: psutil.Process, homes: Sequence[street.Home]
) -> dict[str, float]:
    """Lone readings, the flood, and lone readings while a day is certified."""
    meters = street.meters(homes)
    records = (street.single(meter, number) for number in range(10_000) for meter in meters)
    async with connected(url) as client:
        for _ in range(WARM):
            await post(client, [next(records)])
        lone = [await post(client, [next(records)]) for _ in range(LONE)]
        print("alone", summary(lone), flush=True)
        warm = list(islice(records, LANES * POSTED))
        await flood(client, [warm[at : at + POSTED] for at in range(0, len(warm), POSTED)])
        parts = [list(islice(records, POSTED)) for _ in range(FLOOD_S * MOST // POSTED)]
        before, start = resident_mb(gateway), time.perf_counter()
        watched = asyncio.create_task(watch(gateway))
        used = cpu(state, gateway)
        count = await flood(client, parts, start + FLOOD_S)
        seconds = time.perf_counter() - start
        spent = {kind: s - used[kind] for kind, s in cpu(state, gateway).items()}
        watched.cancel()
        most = max(resident_mb(gateway), *MEMORY)
        print("flood", count, round(seconds, 1), most, costs(spent, count), flush=True)
        await (await closing(state, 0, CLOSED - 1)).wait()  # with all that the flood left
        days = [street.whole_day(meter, CLOSED) for meter in meters]
        await flood(client, [days[at : at + 60] for at in range(0, len(days), 60)])
        busy = await while_closing(client, state, records)
    return {
        "http_readings_per_s": round(count / seconds),
        **costs(spent, count),
        "flood_s": round(seconds, 1),
        "post_to_commit_ms": round(statistics.median(lone), 1),
        "post_to_commit_p95_ms": percentile(lone),
        "post_to_commit_closing_ms": round(statistics.median(busy), 1),
        "post_to_commit_closing_p95_ms": percentile(busy),
        "closing_posts": len(busy),
        "resident_idle_mb": before,
        "resident_flood_mb": most,
    }


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the gateway, once that serves."""
    bounds = httpx2.Limits(max_connections=LANES, max_keepalive_connections=LANES)
    async with httpx2.AsyncClient(base_url=url, timeout=60, limits=bounds) as client:
        deadline = time.monotonic() + 60
        while True:
            try:
                if (await client.get("/healthz")).status_code == 200:
                    break
            except httpx2.TransportError:
                assert time.monotonic() < deadline, "the gateway does not serve"
            await asyncio.sleep(0.1)
        yield client


async def post(client: httpx2.AsyncClient, records: Sequence[bytes]) -> float:
    """Milliseconds until all records are said to be recorded, coming again when asked to."""
    start = time.perf_counter()
    while True:
        answer = await client.post(
            "/v1/readings",
            params={"district": DISTRICT},
            content=b"\n".join(records),
            headers={"content-type": "text/plain"},
        )
        if answer.status_code != 429:
            break
        await asyncio.sleep(float(answer.headers["retry-after"]))
    results = answer.json().get("results", [])
    if answer.status_code != 200 or any(one["status"] != "recorded" for one in results):
        raise RuntimeError(f"not recorded: {answer.status_code} {answer.text[:300]}")
    return 1_000 * (time.perf_counter() - start)


async def flood(
    client: httpx2.AsyncClient, parts: Sequence[Sequence[bytes]], until: float = float("inf")
) -> int:
    """Post the parts, as many at a time as there are lanes; the records that were recorded."""
    waiting, count = iter(parts), 0

    async def lane() -> None:
        nonlocal count
        for part in waiting:
            if time.perf_counter() >= until:
                break
            await post(client, part)
            count += len(part)

    await asyncio.gather(*(lane() for _ in range(LANES)))
    return count


async def while_closing(
    client: httpx2.AsyncClient, state: Path, records: Iterator[bytes]
) -> list[float]:
    """Milliseconds of lone readings while a day of all meters is sealed, folded and certified."""
    process = await closing(state, CLOSED, CLOSED, "--gently")
    taken = []
    while process.returncode is None:
        taken.append(await post(client, [next(records)]))
    if process.returncode:
        raise RuntimeError("the day was not closed")
    print("while closing", summary(taken), flush=True)
    return taken


async def closing(state: Path, first: int, last: int, *options: str) -> asyncio.subprocess.Process:
    """`ped-gateway close` for some days."""
    days = ["--from", street.day_name(first), "--through", street.day_name(last)]
    command = [str(BIN / "ped-gateway"), "close", *options, *days]
    command += ["--profile", f"{state}/profiles/{DISTRICT}.json", "--district", DISTRICT]
    return await asyncio.create_subprocess_exec(*command, stdout=sys.stderr)


def cpu(state: Path, gateway: psutil.Process) -> dict[str, float]:
    """CPU seconds so far by kind of process; `client` is this one."""
    times = gateway.cpu_times()
    return {**metering.cpu(state), "service": times.user + times.system}


def costs(spent: Mapping[str, float], count: int) -> dict[str, float]:
    """Where the time goes, and what the cores could do with nothing else to do: other work on the
    machine does not enter."""
    whole = sum(spent.values())
    each = {f"{kind}_cpu_us_per_reading": round(1e6 * s / count, 1) for kind, s in spent.items()}
    return {"http_readings_by_cpu_per_s": round((psutil.cpu_count() or 1) * count / whole), **each}


MEMORY: list[float] = [0.0]


async def watch(gateway: psutil.Process) -> None:
    """Note the gateway's memory again and again."""
    while True:
        MEMORY.append(resident_mb(gateway))
        await asyncio.sleep(0.5)


def resident_mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 2**20, 1)


def percentile(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return round(statistics.quantiles(values, n=20)[-1], 1) if len(values) > 1 else values[0]


def summary(values: Sequence[float]) -> str:
    whole = {"median": round(statistics.median(values), 1), "p95": percentile(values)}
    return json.dumps({**whole, "max": round(max(values), 1), "count": len(values)})


def ceiling(homes: Sequence[street.Home]) -> dict[str, float]:
    """Records per second if the cores only verified each twice."""
    meter = homes[0].grid
    record, key = ocmf.parse(street.single(meter, 0)), meter.key.public_key()
    best, count = 0.0, 2_000
    for _ in range(TRIES):
        start = time.process_time()
        for _ in range(count):
            ocmf.verify(record, key)
        best = max(best, count / (time.process_time() - start))
    return {"ceiling_signatures_per_s": round(best * (psutil.cpu_count() or 1) / 2)}
