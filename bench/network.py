# SPDX-License-Identifier: Apache-2.0
"""How long the consortium takes until a probe was committed, and what the network weighs.

The rival of the embedded network is real Fabric as native processes, brought up by the same
command in the same run, in turns. Medians of three.
"""

import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.processes import BIN, fabric_found, resident_mb, timed

ROUNDS = 3
AGAIN = 2


def measure() -> dict[str, dict[str, float]]:
    runtimes = ["embedded", *(["native"] if fabric_found() else [])]
    rounds: dict[str, list[dict[str, float]]] = {runtime: [] for runtime in runtimes}
    for _ in range(ROUNDS):
        for runtime in runtimes:
            rounds[runtime].append(one(runtime))
            print(runtime, rounds[runtime][-1], flush=True)
    return {
        runtime: {
            name: round(statistics.median(each[name] for each in found), 2) for name in found[0]
        }
        for runtime, found in rounds.items()
    }


def one(runtime: str) -> dict[str, float]:
    """One fresh network: up, up again, its memory, down."""
    with tempfile.TemporaryDirectory() as folder:
        state = ("--state", folder)
        try:
            up_s = timed("ped-network", "up", "--runtime", runtime, *state)
            again = [timed("ped-network", "up", "--runtime", runtime, *state) for _ in range(AGAIN)]
            return {"up_s": up_s, "up_again_s": statistics.median(again), **memory(Path(folder))}
        finally:
            subprocess.run(
                [str(BIN / "ped-network"), "down", *state], check=True, stdout=subprocess.DEVNULL
            )


def memory(state: Path) -> dict[str, float]:
    """Resident MB of the network's own processes, and of the chaincode's."""
    processes = json.loads((state / "run.json").read_text())["processes"]
    weights = {each["name"]: resident_mb(each["pid"]) for each in processes}
    chaincode = sum(weight for name, weight in weights.items() if "chaincode" in name)
    return {
        "network_resident_mb": sum(weights.values()) - chaincode,
        "chaincode_resident_mb": chaincode,
    }
