# SPDX-License-Identifier: Apache-2.0
"""Our client beside the official Node client: the same calls on one network, in turns.

CPU is that of the client's own process, all its threads. Seven rounds; a ratio is that of one
round's neighbours.
"""

import statistics
from contextlib import ExitStack

from bench import networks
from bench.processes import fabric_found

ROUNDS = 7
COUNTS = {"evaluate": 1_500, "submit": 300}
LANES = 40

Found = dict[str, dict[str, list[dict[str, float]]]]


def measure() -> dict[str, dict[str, float]]:
    runtime = "native" if fabric_found() else "embedded"
    kinds = ["python", *(["node"] if networks.node_installed() else [])]
    text = (networks.RIVALS / "consortium.yaml").read_text()
    with (
        networks.network(runtime, networks.without(text, ["node", "go"])) as state,
        ExitStack() as stack,
    ):
        profile = state / "profiles/Solo.json"
        clients = {kind: stack.enter_context(networks.client(kind, profile)) for kind in kinds}
        return {runtime: figures(rounds(clients))}


def rounds(clients: dict[str, networks.Client]) -> Found:
    """What each call cost each client, one entry a round; the first, cold round is left out."""
    jobs = {
        "evaluate": {"function": "Get", "args": ["key"]},
        "submit": {"function": "Put", "args": ["k#", "v" * 200]},
    }
    found: Found = {call: {kind: [] for kind in clients} for call in jobs}
    for number in range(ROUNDS + 1):
        order = list(clients) if number % 2 else list(clients)[::-1]
        for call, job in jobs.items():
            for kind in order:
                told = {"call": call, "chaincode": "ours", "count": COUNTS[call], "lanes": LANES}
                done = clients[kind].do(told | job)
                if number:
                    found[call][kind].append(done)
                    rate, cpu = done["count"] / done["seconds"], done["cpu_us"] / done["count"]
                    print(f"{number} {call} {kind}: {rate:.0f} per s, {cpu:.0f} us", flush=True)
    return found


def figures(found: Found) -> dict[str, float]:
    """Medians, and medians of each round's ratios: above 1 is better for us in rates, below 1
    in CPU."""
    made: dict[str, float] = {}
    for call, by_kind in found.items():
        rates = {kind: [d["count"] / d["seconds"] for d in all_] for kind, all_ in by_kind.items()}
        cpus = {kind: [d["cpu_us"] / d["count"] for d in all_] for kind, all_ in by_kind.items()}
        for kind in by_kind:
            made[f"{call}_{kind}_per_s"] = round(statistics.median(rates[kind]), 1)
            made[f"{call}_{kind}_cpu_us"] = round(statistics.median(cpus[kind]), 1)
        if "node" in by_kind:
            made[f"{call}_vs_node"] = ratio(rates)
            made[f"{call}_cpu_vs_node"] = ratio(cpus)
    return made


def ratio(by_kind: dict[str, list[float]]) -> float:
    """The median of ours over theirs, round by round."""
    pairs = zip(by_kind["python"], by_kind["node"], strict=True)
    return round(statistics.median(ours / theirs for ours, theirs in pairs), 3)
