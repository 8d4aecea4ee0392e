# SPDX-License-Identifier: Apache-2.0
"""How long the consortium takes until a probe was committed, what the network weighs, and what the
loss of the leading orderer costs.

The embedded network's rival is real Fabric, native and (where an engine runs) in containers,
brought up by the same command in the same run, in turns; medians of three. The rival of our
SmartBFT times are Fabric's own, on the same nodes: `leader_loss_s` beside `fabric_times`.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.leaderloss import leader_loss_s, look
from bench.processes import BIN, docker_found, fabric_found, timed
from pedchain_network.progress import Progress
from pedchain_network.runtimes.docker import engine, supply
from pedchain_network.topology.model import FABRIC
from pedchain_network.topology.reader import reference
from tests import ports

ROUNDS = 3
AGAIN = 2
MB = 1e6
FABRICS_TIMES = {
    "forward_ms": 5_000,
    "complain_ms": 20_000,
    "heartbeat_ms": 60_000,
    "view_change_ms": 20_000,
    "resend_ms": 5_000,
}
"""SmartBFT's defaults in Fabric (orderer/consensus/smartbft, as configtxgen writes them)."""


def measure() -> dict[str, dict[str, float]]:
    runtimes = [
        "embedded",
        *(["native"] if fabric_found() else []),
        *(["docker"] if docker_found() else []),
    ]
    if "docker" in runtimes:
        with engine.connected() as found:  # no `up` that is measured builds them
            supply.ensure(found, FABRIC, Progress(print))
    rounds: dict[str, list[dict[str, float]]] = {runtime: [] for runtime in runtimes}
    for _ in range(ROUNDS):
        for runtime in runtimes:
            rounds[runtime].append(one(runtime))
            print(runtime, rounds[runtime][-1], flush=True)
    figures = {
        runtime: {
            name: round(statistics.median(each[name] for each in measured), 2)
            for name in measured[0]
        }
        for runtime, measured in rounds.items()
    }
    if "native" in figures:
        figures["fabric_times"] = with_fabrics_times()
    return figures


def one(runtime: str) -> dict[str, float]:
    """One fresh network: up, up again, its memory, its leader lost (real Fabric only), gone."""
    with fresh(runtime, reference().read_text()) as (state, up):
        up_s = timed(*up)
        again = [timed(*up) for _ in range(AGAIN)]
        figures = {"up_s": up_s, "up_again_s": statistics.median(again), **memory(state)}
        if runtime != "embedded":
            figures["leader_loss_s"] = asyncio.run(leader_loss_s(state))
        return figures


def with_fabrics_times() -> dict[str, float]:
    """The loss of the leader with Fabric's own times, once."""
    text = reference().read_text()
    for name, value in FABRICS_TIMES.items():
        (line,) = [line for line in text.splitlines() if line.strip().startswith(f"{name}:")]
        text = text.replace(line, f"  {name}: {value}")
    with fresh("native", text) as (state, up):
        timed(*up)
        return {"leader_loss_s": round(asyncio.run(leader_loss_s(state)), 2)}


@contextmanager
def fresh(runtime: str, text: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A state directory for a topology on free ports, and the command that brings it up."""
    with tempfile.TemporaryDirectory() as folder, ports.moved(text) as moved:
        topology, state = Path(folder) / "topology.yaml", Path(folder) / "state"
        topology.write_text(moved)
        given = ("--state", str(state), "--topology", str(topology))
        try:
            yield state, ("ped-network", "up", "--runtime", runtime, *given)
        finally:
            clean(state)


def memory(state: Path) -> dict[str, float]:
    """Resident MB of the network's own processes, and of the chaincode's."""
    weights = {part["name"]: (part["memory_bytes"] or 0) / MB for part in look(state)["parts"]}
    chaincode = sum(weight for name, weight in weights.items() if "chaincode" in name)
    return {
        "network_resident_mb": sum(weights.values()) - chaincode,
        "chaincode_resident_mb": chaincode,
    }


def clean(state: Path) -> None:
    """The network's end, also if we were interrupted meanwhile."""
    subprocess.run(
        [str(BIN / "ped-network"), "clean", "--yes", "--state", str(state)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
    )
