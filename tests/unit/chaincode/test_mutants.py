# SPDX-License-Identifier: Apache-2.0
"""Four ways to be different on every machine: the lint names each, and running each in five
processes shows that it matters (an honest contract beside them stays the same)."""

import subprocess
import sys
from pathlib import Path

import pytest

from pedchain_chaincode.lint import run
from pedchain_chaincode.lint.source import Sources
from tests.unit.chaincode.test_same_bytes import environment

CONTRACT = """
{head}
from pedchain_fabric.shim import Context, Contract, submit

SEEN = []

class Mutant(Contract):
    name = "mutant"

    @submit
    async def act(self, ctx: Context, text: str) -> str:
        words = text.split(",")
        {body}
        await ctx.stub.put_state("key", str(result).encode())
        return str(result)
"""

RUNNER = """
import asyncio, sys
from mutants.contract import Mutant
from pedchain_fabric.shim.testing import MemoryPeer

async def main(times):
    peer = MemoryPeer()
    peer.install("m", Mutant())
    for _ in range(times):
        outcome = await peer.endorse("m", "Act", "alpha,beta,gamma,delta,epsilon,zeta,eta")
    print(outcome.payload.hex(), outcome.results.hex())

asyncio.run(main(int(sys.argv[1])))
"""

MUTANTS = {
    "set order": ("PD009", "", "result = list(set(words))"),
    "clock": ("PD005", "import time", "result = time.time_ns()"),
    "randomness": ("PD006", "import random", "result = random.random()"),
    "memory": ("PD013", "", "SEEN.append(1)\n        result = len(SEEN)"),
}


def written(folder: Path, head: str, body: str) -> Path:
    package = folder / "mutants"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "contract.py").write_text(CONTRACT.format(head=head, body=body))
    (folder / "runner.py").write_text(RUNNER)
    return package


def outcomes(folder: Path) -> set[str]:
    """What five processes say: other hash seeds, and after one to five calls before."""
    said = set()
    for seed in range(5):
        installed = [path for path in sys.path if path.endswith("site-packages")]
        done = subprocess.run(
            [sys.executable, str(folder / "runner.py"), str(seed + 1)],
            env=environment(seed, str(folder), *installed),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        said.add(done.stdout)
    return said


@pytest.mark.fault(15)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_named_by_the_lint_and_shown_by_the_double_run(
    tmp_path: Path, name: str
) -> None:
    code, head, body = MUTANTS[name]
    package = written(tmp_path, head, body)
    _, findings = run(["mutants.contract"], sources=Sources({"mutants": package}), ours=["mutants"])
    assert code in [finding.code for finding in findings]
    assert len(outcomes(tmp_path)) > 1


@pytest.mark.fault(15)
def test_an_honest_contract_says_the_same_in_every_process(tmp_path: Path) -> None:
    written(tmp_path, "", "result = sorted(set(words))")
    assert len(outcomes(tmp_path)) == 1
