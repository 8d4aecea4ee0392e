# SPDX-License-Identifier: Apache-2.0
"""Networks for the probes, and one run of them all."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from tests.parity import (
    block_probes,
    config_probes,
    discovery_probes,
    event_probes,
    gateway_probes,
    http_probes,
    lifecycle_probes,
    peer_probes,
)
from tests.parity.target import Fact, Probe, Target
from tests.scenarios import harness

GOLDEN = Path(__file__).parents[1] / "golden" / "services"
_FOLDER = Path(__file__).parent

SECTIONS: Mapping[str, Mapping[str, Probe]] = {
    "blocks": block_probes.PROBES,
    "gateway": {**gateway_probes.PROBES, **event_probes.PROBES},
    "http": http_probes.PROBES,
    "peer": {**peer_probes.PROBES, **lifecycle_probes.PROBES},
    "discovery": discovery_probes.PROBES,
    "config": config_probes.PROBES,
}


def network(runtime: str, directory: Path) -> AbstractContextManager[harness.Network]:
    """This folder's consortium on free ports, not yet up; gone afterwards."""
    command = ("python", str(_FOLDER / "chaincode.py"), "serve")
    return harness.network(runtime, directory, command, _FOLDER / "consortium.yaml")


async def answers(profiles: Path) -> dict[str, dict[str, Fact]]:
    """Every probe's answer, as JSON gives it back, by section and name."""
    async with Target(profiles) as target:
        found = {
            section: {name: await probe(target) for name, probe in probes.items()}
            for section, probes in SECTIONS.items()
        }
    document: dict[str, dict[str, Fact]] = json.loads(json.dumps(found))
    return document
