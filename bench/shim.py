# SPDX-License-Identifier: Apache-2.0
"""Our shim beside the official Node and Go shims: the same contract on one peer, one client.

Seven rounds; in each, every shim takes its turn, and a ratio is that of one round's neighbours.
`noop` and `get` are calls with nothing and one read: proposals signed beforehand, whose bytes go
straight to the peer's endorser, so that the client is next to no part of the figure. `put` is a
transaction with one write, through the gateway, until it is committed. `reads` and `writes` count
single ones, each a message of its own, within calls of ten, endorsed in the same way: of a call
that has only one, shims are a tenth, and every other part of it is the same for all.
Beside each rate stands who used how much CPU for one call: shim, peer, orderer, client.
"""

import os
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import networks
from bench.processes import cpu_us, fabric_found, recorded

ROUNDS = 7
CALLS, WRITES, MANY = 6_000, 1_000, 4_000
LANES = 60  # calls at a time
EACH = 10  # keys that one call of `Scan` reads, or `Fill` writes, one after the other
VALUE = "v" * 200


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of call, and what it counts."""

    call: str
    function: str
    args: tuple[str, ...]
    count: int
    each: int = 1

    def job(self, shim: str) -> dict[str, object]:
        """One turn of one shim."""
        return job(self.call, shim, self.function, [*self.args], self.count)


KINDS = {
    "noop": Kind("endorse", "Noop", (), CALLS),
    "get": Kind("endorse", "Get", ("key",), CALLS),
    "put": Kind("submit", "Put", ("k#", VALUE), WRITES),
    "reads": Kind("endorse", "Scan", (str(EACH),), MANY, EACH),
    "writes": Kind("endorse", "Fill", (str(EACH), VALUE), MANY, EACH),
}
FILL = Kind("submit", "Fill", (str(EACH), VALUE), 1)
ONE = Kind("submit", "Put", ("key", VALUE), 1)

Measured = Mapping[str, float]  # `per_s`, and CPU microseconds per call by who used them
Found = dict[str, dict[str, list[Measured]]]


def measure() -> dict[str, dict[str, float]]:
    runtime = "native" if fabric_found() else "embedded"
    with tempfile.TemporaryDirectory() as folder:
        shims = available(Path(folder))
        absent = [each for each in ("node", "go") if each not in shims]
        topology = networks.without((networks.RIVALS / "consortium.yaml").read_text(), absent)
        with networks.network(runtime, topology) as state:
            profile = state / "profiles/Solo.json"
            with networks.client("python", profile) as client:
                found = rounds(client, {shim: workers(shim, state) for shim in shims})
            weights = {shim: resident_mb(shim, state) for shim in shims}
    return {runtime: figures(found) | weights_of(weights)}


def available(folder: Path) -> list[str]:
    """The shims that run here."""
    shims = ["ours"]
    if networks.node_installed():
        shims.append("node")
    if binary := networks.go_chaincode(folder):
        os.environ["BENCH_GO_CHAINCODE"] = str(binary)
        shims.append("go")
    return shims


def workers(shim: str, state: Path) -> dict[str, psutil.Process]:
    """The processes that work for a call on this shim, but the client."""
    others = {each.name(): each for each in recorded(state)}
    nodes = {str(name): others[name] for name in ("peer", "orderer") if name in others}
    return {"shim": server(shim, state), **nodes}


def rounds(client: networks.Client, shims: Mapping[str, Mapping[str, psutil.Process]]) -> Found:
    """What each call cost, one entry a round; the first, cold round is left out."""
    found: Found = {kind: {shim: [] for shim in shims} for kind in KINDS}
    for shim in shims:
        client.do(ONE.job(shim))
        client.do(FILL.job(shim))
    for number in range(ROUNDS + 1):
        order = list(shims) if number % 2 else list(shims)[::-1]
        for name, kind in KINDS.items():
            for shim in order:
                measured = turn(client, kind, shim, shims[shim])
                if number:
                    found[name][shim].append(measured)
                print(number, name, shim, *(f"{k} {v:.0f}" for k, v in measured.items()))
    return found


def turn(
    client: networks.Client, kind: Kind, shim: str, processes: Mapping[str, psutil.Process]
) -> Measured:
    """One turn: things per second, CPU microseconds per call."""
    before = {name: cpu_us(each) for name, each in processes.items()}
    done = client.do(kind.job(shim))
    used = {name: cpu_us(each) - before[name] for name, each in processes.items()}
    calls = done["count"]
    rate = {"per_s": kind.each * calls / done["seconds"]}
    return rate | {name: us / calls for name, us in (used | {"client": done["cpu_us"]}).items()}


def job(call: str, shim: str, function: str, args: list[str], count: int) -> dict[str, object]:
    """One turn's calls, as a client takes them."""
    return {
        "call": call,
        "chaincode": shim,
        "function": function,
        "args": args,
        "count": count,
        "lanes": min(LANES, count),
    }


def figures(found: Found) -> dict[str, float]:
    """Medians, and medians of each round's ratios."""
    made: dict[str, float] = {}
    for kind, by_shim in found.items():
        rates = {shim: [each["per_s"] for each in all_] for shim, all_ in by_shim.items()}
        for shim, measured in by_shim.items():
            made[f"{kind}_{shim}_per_s"] = round(statistics.median(rates[shim]), 1)
            for name in [name for name in measured[0] if name != "per_s"]:
                cpu = statistics.median(each[name] for each in measured)
                made[f"{kind}_{shim}_{name}_cpu_us"] = round(cpu)
            if shim != "ours":
                ratios = [a / b for a, b in zip(rates["ours"], rates[shim], strict=True)]
                made[f"{kind}_vs_{shim}"] = round(statistics.median(ratios), 3)
    return made


def weights_of(weights: Mapping[str, float]) -> dict[str, float]:
    """Resident memory, as figures."""
    return {f"{shim}_resident_mb": weight for shim, weight in weights.items()}


def resident_mb(shim: str, state: Path) -> float:
    """Resident MB of the process that serves the contract on this shim."""
    return round(float(server(shim, state).memory_info().rss) / 1e6, 1)


def server(shim: str, state: Path) -> psutil.Process:
    """The process that serves the contract on this shim."""
    ours = [each for each in recorded(state) if "bench.rivals.serve" in " ".join(each.cmdline())]
    if shim == "ours":
        return ours[0]
    word = {"node": "chaincode.js", "go": os.environ.get("BENCH_GO_CHAINCODE", "")}[shim]
    children = [child for each in ours for child in each.children()]
    return next(each for each in children if word in " ".join(each.cmdline()))
