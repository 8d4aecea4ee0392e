# SPDX-License-Identifier: Apache-2.0
"""An order's whole life gives the same bytes in every process, and takes every transaction."""

import subprocess
import sys

import pytest

from pedchain_chaincode.flexibility.contract import FlexibilityContract
from pedchain_chaincode.flexibility.ordering import OrderingContract
from tests.unit.chaincode.test_same_bytes import REPOSITORY, environment

SCRIPT = "tests.unit.chaincode.script_flexibility"
CALLED_BY_SETTLEMENT = {
    f"flexibility:{name}"
    for name in (
        "FreezeCells",
        "DispatchSites",
        "AnswerSites",
        "MeasureCells",
        "PartsOf",
        "CorrectCells",
        "AdditionsOf",
    )
}


def lines(seed: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", SCRIPT],
        cwd=REPOSITORY,
        env=environment(seed),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def reference() -> list[str]:
    return lines(0)


def test_the_script_takes_every_transaction_of_demand_response(reference: list[str]) -> None:
    called = {line.split()[1] for line in reference if not line.startswith("state")}
    contracts = (FlexibilityContract, OrderingContract)
    everything = {f"flexibility:{name}" for one in contracts for name in one.transactions}
    assert everything - called == CALLED_BY_SETTLEMENT


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_other_hash_seeds_give_the_same_bytes(seed: int, reference: list[str]) -> None:
    assert lines(seed) == reference
