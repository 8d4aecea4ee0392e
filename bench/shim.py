# SPDX-License-Identifier: Apache-2.0
"""Our shim beside the official Node and Go shims: the same contract on one peer, one client.

Seven rounds, a ratio for each; in a round all shims take many short turns, one after the other, so
that what else a machine does meets all alike.
`get` and `put` count reads and writes, each a message of its own, within calls of ten. `call_get`
counts calls that read once, `noop` calls that do nothing: of such a call shims are a tenth, and
every other part of it is the same for all, so that it tells more of the peer. All these are
proposals signed beforehand, whose bytes go straight to the peer's endorser: the client is next to
no part of the figure. `submit_put` is a transaction with one write, through the gateway, until it
is committed.
Beside each rate stands who used how much CPU for one call: shim, peer, orderer, client.
"""

import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import networks
from bench.processes import cpu_us, fabric_found, recorded

ROUNDS = 7
TURNS = 8  # of every shim in a round
CALLS, WRITES, MANY = 1_000, 200, 700  # in a turn
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
    "call_get": Kind("endorse", "Get", ("key",), CALLS),
    "get": Kind("endorse", "Scan", (str(EACH),), MANY, EACH),
    "put": Kind("endorse", "Fill", (str(EACH), VALUE), MANY, EACH),
    "submit_put": Kind("submit", "Put", ("k#", VALUE), WRITES),
}
FILL = Kind("submit", "Fill", (str(EACH), VALUE), 1)
ONE = Kind("submit", "Put", ("key", VALUE), 1)

Measured = dict[str, float]  # CPU microseconds by who used them, and what they are for
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
        for name, kind in KINDS.items():
            for shim, measured in one_round(client, kind, shims).items():
                if number:
                    found[name][shim].append(measured)
                print(number, name, shim, *(f"{k} {v:.0f}" for k, v in measured.items()))
    return found


def one_round(
    client: networks.Client, kind: Kind, shims: Mapping[str, Mapping[str, psutil.Process]]
) -> dict[str, Measured]:
    """Every shim's turns: things per second, CPU microseconds per call."""
    turns: dict[str, list[Measured]] = {shim: [] for shim in shims}
    order = list(shims)
    for _ in range(TURNS):
        for shim in order:
            turns[shim].append(turn(client, kind, shim, shims[shim]))
        order.append(order.pop(0))
    return {shim: rates(kind, taken) for shim, taken in turns.items()}


def rates(kind: Kind, turns: Sequence[Measured]) -> Measured:
    """What came of a shim's turns in one round."""
    total = {name: sum(each[name] for each in turns) for name in turns[0]}
    calls, seconds = total.pop("calls"), total.pop("seconds")
    return {"per_s": kind.each * calls / seconds} | {k: us / calls for k, us in total.items()}


def turn(
    client: networks.Client, kind: Kind, shim: str, processes: Mapping[str, psutil.Process]
) -> Measured:
    """One turn: its calls, its seconds, and the CPU microseconds of each process."""
    before = {name: cpu_us(each) for name, each in processes.items()}
    done = client.do(kind.job(shim))
    used = {name: cpu_us(each) - before[name] for name, each in processes.items()}
    taken = {"calls": done["count"], "seconds": done["seconds"], "client": done["cpu_us"]}
    return taken | used


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
