# SPDX-License-Identifier: Apache-2.0
"""Readings filed per second on four organisations, and what certifying their day costs.

The rival is the machine itself. `ceiling_signatures_per_s`: records if its cores did nothing but
verify each twice, since two organisations endorse. `ceiling_fabric_per_s`: if the contract looked
at nothing and only wrote the same bytes (`bench.bare`). `ceiling_records_per_s`: both together.
They and `..._by_cpu_per_s` count CPU, so that other work on the machine does not enter.

Filing is measured on real Fabric (embedded without it), and then the certifying of the day that was
filed, while single readings go on. What that costs the contract by the ledger's age is measured on
a peer in memory (`daycost`).
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench import bare, daycost, networks, street
from bench.processes import BIN, fabric_found, recorded
from pedchain_domain import ocmf
from pedchain_fabric.client import Contract, profile
from pedchain_network.topology import reader

LANES = 8
"""Batches in flight: more only adds latency."""

SINGLE_BATCHES = 40
WARM_BATCHES = 10
"""Filed before single readings are counted: each device's first record makes its key be read."""
BARE_BATCHES = 20
ROW_BYTES = 246
"""Of the private row that a record of one reading becomes."""
CLOSED = 2
"""The day, by number, that is filed whole and certified."""
LONE_READINGS = 30
TRIES = 5

Batch = dict[str, bytes]


def measure() -> dict[str, dict[str, float]]:
    runtime = "native" if fabric_found() else "embedded"
    homes = street.homes()
    topology = networks.serving(reader.reference().read_text(), bare.COMMAND)
    with networks.network(runtime, topology) as state, tempfile.TemporaryDirectory() as folder:
        dso = state / "profiles/DSO.json"
        register(street.registration(Path(folder), homes), dso)
        filed = asyncio.run(load(state, homes))
        print(runtime, filed, flush=True)
    most = ceiling(homes, filed.pop("bare_cpu_us_per_record"))
    reached = round(100 * filed["single_by_cpu_per_s"] / most["ceiling_records_per_s"])
    print(runtime, most, flush=True)
    figures = filed | most | {"single_percent_of_ceiling": reached}
    return {runtime: figures, "in_memory": asyncio.run(daycost.measure())}


def register(file: Path, dso: Path) -> None:
    """The street's documents, onto the ledger."""
    networks.run([str(BIN / "ped-gateway"), "register", str(file), "--profile", str(dso)])


async def load(state: Path, homes: Sequence[street.Home]) -> dict[str, float]:
    """File a lone reading at a time, single readings by the batch, then days by the batch."""
    opened = profile.load(state / "profiles/DistrictA.json")
    meters = street.meters(homes)
    turns = [street.single(meter, interval) for interval in range(34) for meter in meters]
    alone, flood = turns[:LONE_READINGS], turns[2 * LONE_READINGS :]
    days = [street.whole_day(meter, CLOSED) for meter in meters]
    async with await profile.connect(opened, "gateway") as gateway:
        contract = gateway.network(opened.channel).contract("metering-DistrictA")
        lone = await Turn.of(contract, list(street.batches(alone, 1)), 1, state)
        cells = await cells_of(contract, meters)
        flood = flood[: (WARM_BATCHES + SINGLE_BATCHES) * street.SINGLE]
        batches = list(street.batches(flood, street.SINGLE, cells))
        warm, batches = batches[:WARM_BATCHES], batches[WARM_BATCHES:]
        await Turn.of(contract, warm, LANES, state)
        singles = await Turn.of(contract, batches, LANES, state)
        unseen = await Turn.of(contract, bared(batches[:BARE_BATCHES]), LANES, state, "bare:")
        whole = list(street.batches(days, street.WHOLE_DAYS, cells))
        daily = await Turn.of(contract, whole, LANES, state)
        meanwhile = list(street.batches(turns[LONE_READINGS : 2 * LONE_READINGS], 1))
        certified = await certify(contract, meanwhile, state)
    readings = (street.INTERVALS + 1) * sum(len(meter.roles) for meter in meters)
    return {
        "lone_reading_ms": round(1_000 * statistics.median(lone.latencies), 1),
        "single_readings_per_s": round(street.SINGLE * len(batches) / singles.seconds),
        "single_batch_ms": round(1_000 * statistics.median(singles.latencies), 1),
        "single_block_bytes_per_reading": round(singles.written / (street.SINGLE * len(batches))),
        "day_readings_per_s": round(readings / daily.seconds),
        "day_batch_ms": round(1_000 * statistics.median(daily.latencies), 1),
        "day_block_bytes_per_reading": round(daily.written / readings, 1),
        **singles.costs("single", street.SINGLE * len(batches)),
        "bare_cpu_us_per_record": unseen.cpu_us(street.SINGLE * BARE_BATCHES),
        **daily.costs("day", readings),
        **certified,
    }


async def cells_of(contract: Contract, meters: Sequence[street.Meter]) -> dict[str, int]:
    """The meters' cells, asked as gateways ask."""
    names = [meter.name for meter in meters]
    answer = await contract.evaluate("GetCells", json.dumps(names))
    return dict(zip(names, json.loads(answer), strict=True))


async def certify(contract: Contract, lone: Sequence[Batch], state: Path) -> dict[str, float]:
    """Seal, fold and close the day, and post lone readings one by one meanwhile."""
    day = street.day_name(CLOSED)
    calls = [("FoldShard", "1", str(shard)) for shard in range(street.SHARDS)]
    done, steps = asyncio.Event(), 0
    await contract.submit("SealPeriod", "1")
    posted = asyncio.create_task(_post(contract, lone, done))
    used, start = cpu(state), time.perf_counter()
    for call in [*calls, ("CloseDay", day, "P")]:
        answer = b"more"
        while answer == b"more":
            answer, steps = await contract.submit(*call), steps + 1
    took = time.perf_counter() - start
    done.set()
    latencies = await posted
    spent = cpu(state)["chaincode"] - used["chaincode"] if "chaincode" in used else 0.0
    return {
        "certify_s": round(took, 2),
        "certify_steps": steps,
        "certify_chaincode_cpu_s_each": round(spent / 2, 2),  # two organisations endorse
        "lone_reading_meanwhile_ms": round(1_000 * statistics.median(latencies), 1),
    }


async def _post(contract: Contract, lone: Sequence[Batch], done: asyncio.Event) -> list[float]:
    """Latencies of readings filed under the next period, one after the other until `done`."""
    latencies = []
    for transient in lone:
        since = time.perf_counter()
        await contract.submit("SubmitReadings", "2", transient=transient)
        latencies.append(time.perf_counter() - since)
        if done.is_set():
            break
    return latencies


@dataclass
class Turn:
    """One load: its time, each batch's latency, what the blocks grew by, who used the CPU."""

    seconds: float = 0.0
    written: int = 0
    latencies: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)

    @classmethod
    async def of(
        cls, contract: Contract, batches: Sequence[Batch], lanes: int, state: Path, by: str = ""
    ) -> "Turn":
        """File all batches, `lanes` at a time; every record must be recorded. `by` names another
        contract than the first of the package."""
        turn, waiting = cls(), iter(batches)

        async def lane() -> None:
            for transient in waiting:
                since = time.perf_counter()
                answer = await contract.submit(f"{by}SubmitReadings", "1", transient=transient)
                turn.latencies.append(time.perf_counter() - since)
                if any(answer):
                    raise RuntimeError(f"not recorded: {answer.hex()}")

        used, held, start = cpu(state), stored(state), time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(lanes)))
        turn.seconds = time.perf_counter() - start
        turn.cpu_s = {kind: s - used[kind] for kind, s in cpu(state).items()}
        turn.written = stored(state) - held
        return turn

    def costs(self, name: str, readings: int) -> dict[str, float]:
        """Where the time goes: CPU microseconds a reading, in all and by kind of process in
        percent. With as many cores busy with nothing else they set the throughput."""
        whole = sum(self.cpu_s.values())
        shares = {f"{name}_{kind}_cpu_percent": round(100 * s / whole)
                  for kind, s in self.cpu_s.items()}  # fmt: skip
        by_cpu = round((psutil.cpu_count() or 1) * readings / whole)
        each = {f"{name}_cpu_us_per_reading": self.cpu_us(readings), f"{name}_by_cpu_per_s": by_cpu}
        return each | shares

    def cpu_us(self, readings: int) -> float:
        """CPU microseconds a reading, of all processes."""
        return round(1e6 * sum(self.cpu_s.values()) / readings, 1)


def cpu(state: Path) -> dict[str, float]:
    """CPU seconds so far by kind of process; `client` is this one."""
    used: dict[str, float] = {}
    for name, each in [("client", psutil.Process()), *named(state)]:
        times = each.cpu_times()
        kind = name.split(".")[0].rstrip("0123456789")
        used[kind] = used.get(kind, 0.0) + times.user + times.system
    return used


def named(state: Path) -> list[tuple[str, psutil.Process]]:
    """The network's processes by their nodes' names."""
    return [(Path(log_of(each)).stem, each) for each in recorded(state)]


def log_of(process: psutil.Process) -> str:
    """Where a node's output goes: a file named after the node."""
    return next(each.path for each in process.open_files() if each.path.endswith(".log"))


def stored(state: Path) -> int:
    """Bytes of the blocks the district's own peer holds. Its databases are left out: they are
    rewritten as they grow, so what they take says nothing of a single reading."""
    files = [each for each in (state / "data").rglob("*") if each.is_file()]
    blocks = [
        each for each in files if "districta" in str(each) and each.name.startswith("blockfile_")
    ]
    return sum(each.stat().st_size for each in blocks or files)  # embedded: all is one database


def bared(batches: Sequence[Batch]) -> list[Batch]:
    """The batches for the contract that looks at nothing."""
    told = {"rows": str(ROW_BYTES * street.SINGLE).encode(), "count": str(street.SINGLE).encode()}
    return [{**each, **told} for each in batches]


def ceiling(homes: Sequence[street.Home], bare_us: float) -> dict[str, float]:
    """Records per second that this machine's cores can do at most; `bare_us` is what a record costs
    all processes if nobody looks at it."""
    meter = homes[0].grid
    record = ocmf.parse(street.single(meter, 0))
    key, best, count = meter.key.public_key(), 0.0, 2_000
    for _ in range(TRIES):
        start = time.process_time()
        for _ in range(count):
            ocmf.verify(record, key)
        best = max(best, count / (time.process_time() - start))
    cores = psutil.cpu_count() or 1
    return {
        "verifications_per_core_s": round(best),
        "ceiling_signatures_per_s": round(best * cores / 2),
        "ceiling_fabric_per_s": round(cores * 1e6 / bare_us),
        "ceiling_records_per_s": round(cores / (2 / best + bare_us / 1e6)),
    }
