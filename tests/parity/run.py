# SPDX-License-Identifier: Apache-2.0
"""Networks for the probes, and one run of them all."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.parity import (
    block_probes,
    config_probes,
    discovery_probes,
    gateway_probes,
    http_probes,
    peer_probes,
)
from tests.parity.target import Fact, Probe, Target
from tests.scenarios import harness

GOLDEN = Path(__file__).parents[1] / "golden" / "services"
_FOLDER = Path(__file__).parent

SECTIONS: Mapping[str, Mapping[str, Probe]] = {
    "blocks": block_probes.PROBES,
    "gateway": gateway_probes.PROBES,
    "http": http_probes.PROBES,
    "peer": peer_probes.PROBES,
    "discovery": discovery_probes.PROBES,
    "config": config_probes.PROBES,
}


@contextmanager
def network(runtime: str, directory: Path) -> Iterator[harness.Network]:
    """This folder's consortium on free ports, not yet up; gone afterwards."""
    command = json.dumps(["python", str(_FOLDER / "chaincode.py"), "serve"])
    text = (_FOLDER / "consortium.yaml").read_text()
    text = re.sub(r"  command: .*", f"  command: {command}", text)
    with ExitStack() as stack:
        for base in re.findall(r"ports: (\d+)", text):
            ports = stack.enter_context(harness._free_ports())
            text = text.replace(f"ports: {base}", f"ports: {ports}", 1)
        topology = directory / "consortium.yaml"
        topology.write_text(text)
        made = harness.Network(runtime, directory / "state", topology)
        stack.callback(made.run, "clean")
        yield made


async def answers(profiles: Path) -> dict[str, dict[str, Fact]]:
    """Every probe's answer, as JSON gives it back, by section and name."""
    async with Target(profiles) as target:
        found = {
            section: {name: await probe(target) for name, probe in probes.items()}
            for section, probes in SECTIONS.items()
        }
    document: dict[str, dict[str, Fact]] = json.loads(json.dumps(found))
    return document
