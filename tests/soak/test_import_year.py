# SPDX-License-Identifier: Apache-2.0
"""The demo's homes over a year, by agents and from two operators' files: the same certificates.

PEDCHAIN_SOAK_DAYS (365) shortens it.
"""

import os
from pathlib import Path

import pytest

from tests import evidence
from tests.scenarios.harness import network as make_network
from tests.scenarios.test_import import OWN, A, B, Imported, bring_in, set_out

pytestmark = [pytest.mark.serial, pytest.mark.timeout(14_400)]


@pytest.mark.parametrize("runtime", ["embedded", "native"])
def test_a_year_from_files_certifies_as_the_agents_year(tmp_path: Path, runtime: str) -> None:
    if runtime == "native" and not evidence.fabric_found():
        pytest.skip("Fabric's peer and orderer were not found")
    days = int(os.environ.get("PEDCHAIN_SOAK_DAYS", "365"))
    with make_network(runtime, tmp_path) as network:
        network.run("up")
        set_out(network, tmp_path, days)
        imported = Imported(network, tmp_path, bring_in(network, tmp_path))
        read, brought = imported.certificates(A), imported.certificates(B)
    assert len(read) == days
    for one, two in zip(read, brought, strict=True):
        for name in one.keys() | two.keys():
            if name not in OWN:
                assert two[name] == one[name], (one["day"], name)
