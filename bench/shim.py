# SPDX-License-Identifier: Apache-2.0
"""Our shim beside the official Node and Go shims: the same contract on one peer, one client.

Seven rounds; in each, every shim takes its turn, and a ratio is that of one round's neighbours.
"""

import json
import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from bench import networks
from bench.processes import fabric_found

ROUNDS = 7
READS, WRITES, LANES = 2_000, 400, 60
VALUE = "v" * 200

Rates = dict[str, dict[str, list[float]]]


def measure() -> dict[str, dict[str, float]]:
    runtime = "native" if fabric_found() else "embedded"
    with tempfile.TemporaryDirectory() as folder:
        shims = available(Path(folder))
        absent = [each for each in ("node", "go") if each not in shims]
        topology = networks.without((networks.RIVALS / "consortium.yaml").read_text(), absent)
        with networks.network(runtime, topology) as state:
            profile = state / "profiles/Solo.json"
            with networks.client("python", profile) as client:
                rates = rounds(client, shims)
            weights = {shim: resident_mb(shim, state) for shim in shims}
    return {runtime: figures(rates, weights)}


def available(folder: Path) -> list[str]:
    """The shims that run here."""
    shims = ["ours"]
    if networks.node_installed():
        shims.append("node")
    if binary := networks.go_chaincode(folder):
        os.environ["BENCH_GO_CHAINCODE"] = str(binary)
        shims.append("go")
    return shims


def rounds(client: networks.Client, shims: list[str]) -> Rates:
    """Calls per second by kind and shim, one number a round; the first, cold round is left out."""
    kinds: dict[str, Callable[[str], dict[str, object]]] = {
        "noop": lambda shim: job("evaluate", shim, "Noop", [], READS),
        "get": lambda shim: job("evaluate", shim, "Get", ["key"], READS),
        "put": lambda shim: job("submit", shim, "Put", ["k#", VALUE], WRITES),
    }
    found: Rates = {kind: {shim: [] for shim in shims} for kind in kinds}
    for shim in shims:
        client.do(job("submit", shim, "Put", ["key", VALUE], 1))
    for number in range(ROUNDS + 1):
        order = shims if number % 2 else shims[::-1]
        for kind, make in kinds.items():
            for shim in order:
                done = client.do(make(shim))
                if number:
                    found[kind][shim].append(done["count"] / done["seconds"])
        print(number, {k: {s: round(r[-1]) for s, r in by.items() if r} for k, by in found.items()})
    return found


def job(call: str, shim: str, function: str, args: list[str], count: int) -> dict[str, object]:
    """One turn of one shim."""
    return {
        "call": call,
        "chaincode": shim,
        "function": function,
        "args": args,
        "count": count,
        "lanes": min(LANES, count),
    }


def figures(rates: Rates, weights: dict[str, float]) -> dict[str, float]:
    """Medians, and medians of each round's ratios."""
    made: dict[str, float] = {}
    for kind, by_shim in rates.items():
        for shim, found in by_shim.items():
            made[f"{kind}_{shim}_per_s"] = round(statistics.median(found), 1)
            if shim != "ours":
                ratios = [a / b for a, b in zip(by_shim["ours"], found, strict=True)]
                made[f"{kind}_vs_{shim}"] = round(statistics.median(ratios), 3)
    return made | {f"{shim}_resident_mb": weight for shim, weight in weights.items()}


def resident_mb(shim: str, state: Path) -> float:
    """Resident MB of the process that serves the contract on this shim."""
    ours = [each for each in processes(state) if "bench.rivals.serve" in " ".join(each.cmdline())]
    if shim == "ours":
        return round(ours[0].memory_info().rss / 1e6, 1)
    word = {"node": "chaincode.js", "go": os.environ.get("BENCH_GO_CHAINCODE", "")}[shim]
    children = [child for each in ours for child in each.children()]
    rival = next(each for each in children if word in " ".join(each.cmdline()))
    return round(rival.memory_info().rss / 1e6, 1)


def processes(state: Path) -> list[psutil.Process]:
    """What `up` started for this state."""

    record = json.loads((state / "run.json").read_text())
    return [psutil.Process(each["pid"]) for each in record["processes"]]
