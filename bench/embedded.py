# SPDX-License-Identifier: Apache-2.0
"""The embedded network beside real Fabric native: four organisations, two endorse, one client.

Both networks are up at once and take turns under load; each one's chaincode is ours. A transaction
is endorsed by two, ordered, and committed before the client sends its lane's next one. The start is
that of the whole network: keys, channel, chaincode, until a first call is answered.
"""

import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from bench import networks
from bench.processes import fabric_found, recorded
from bench.shim import job

ROUNDS = 7
WRITES, READS = 400, 1_500


def measure() -> dict[str, dict[str, float]]:
    runtimes = ["embedded", *(["native"] if fabric_found() else [])]
    made: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        clients, states = {}, {}
        for runtime in runtimes:
            begun = time.perf_counter()
            state = states[runtime] = stack.enter_context(networks.network(runtime, four()))
            made[runtime] = {"start_s": round(time.perf_counter() - begun, 2)}
            profile = state / "profiles/Solo.json"
            clients[runtime] = stack.enter_context(networks.client("python", profile))
        found = rounds(clients)
        for runtime, state in states.items():
            made[runtime] |= figures(runtime, found[runtime])
            made[runtime]["resident_mb"] = resident_mb(state)
    if "native" in found:
        made["embedded"] |= ratios(found)
    return made


def four() -> str:
    """The one organisation's topology made four, any two of which must agree."""
    text = networks.without((networks.RIVALS / "consortium.yaml").read_text(), ["node", "go"])
    names = ("Solo", "North", "South", "East")
    members = [f"  - {{name: {n}, ports: {17_050 + 100 * i}}}\n" for i, n in enumerate(names)]
    peers = ", ".join(f"'{name}MSP.peer'" for name in names)
    return (
        text.replace("  - {name: Solo, ports: 17050}\n", "".join(members))
        .replace("OR('SoloMSP.peer')\"}", f'OutOf(2, {peers})"}}')
        .replace("faults: 0", "faults: 1")
    )


def rounds(clients: dict[str, networks.Client]) -> dict[str, dict[str, list[float]]]:
    """Calls per second by runtime and kind; the first, cold round is left out."""
    found: dict[str, dict[str, list[float]]] = {
        runtime: {"submit": [], "evaluate": []} for runtime in clients
    }
    for number in range(ROUNDS + 1):
        order = list(clients) if number % 2 else list(clients)[::-1]
        for runtime in order:
            put = clients[runtime].do(job("submit", "ours", "Put", ["k#", "v" * 200], WRITES))
            get = clients[runtime].do(job("evaluate", "ours", "Get", ["key"], READS))
            if number:
                found[runtime]["submit"].append(put["count"] / put["seconds"])
                found[runtime]["evaluate"].append(get["count"] / get["seconds"])
        print(number, {each: rates["submit"][-1:] for each, rates in found.items()}, flush=True)
    return found


def figures(runtime: str, rates: dict[str, list[float]]) -> dict[str, float]:
    """Medians: transactions per second under the runtime's name, and calls that only read."""
    return {
        f"{runtime}_per_s": round(statistics.median(rates["submit"]), 1),
        "evaluate_per_s": round(statistics.median(rates["evaluate"]), 1),
    }


def ratios(found: dict[str, dict[str, list[float]]]) -> dict[str, float]:
    """Medians of each round's ratios to real Fabric: above 1 is better for us."""
    ours, theirs = found["embedded"], found["native"]
    return {
        f"{kind}_vs_native": round(
            statistics.median(a / b for a, b in zip(ours[kind], theirs[kind], strict=True)), 3
        )
        for kind in ours
    }


def resident_mb(state: Path) -> float:
    """Resident MB of everything that runs for this network, chaincode included."""
    return round(sum(each.memory_info().rss for each in recorded(state)) / 1e6, 1)
