# SPDX-License-Identifier: Apache-2.0
"""Four ways to be different on every machine: the lint names each, and running each in five
processes shows that it matters (an honest contract beside them stays the same)."""

import json
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
import asyncio, importlib, json, sys
from pedchain_fabric.shim.testing import MemoryPeer

async def main(times, names):
    said = {}
    for name in names:
        peer = MemoryPeer()
        peer.install("m", importlib.import_module(f"mutants.{name}").Mutant())
        for _ in range(times):
            outcome = await peer.endorse("m", "Act", "alpha,beta,gamma,delta,epsilon,zeta,eta")
        said[name] = [outcome.payload.hex(), outcome.results.hex()]
    print(json.dumps(said))

asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
"""

HONEST = ("", "result = sorted(set(words))")
MUTANTS = {
    "set_order": ("PD009", "", "result = list(set(words))"),
    "clock": ("PD005", "import time", "result = time.time_ns()"),
    "randomness": ("PD006", "import random", "result = random.random()"),
    "memory": ("PD013", "", "SEEN.append(1)\n        result = len(SEEN)"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package `mutants`, a module each, and what runs them."""
    made = tmp_path_factory.mktemp("mutants")
    package = made / "mutants"
    package.mkdir()
    (package / "__init__.py").write_text("")
    bodies = {name: (head, body) for name, (_, head, body) in MUTANTS.items()}
    for name, (head, body) in {"honest": HONEST, **bodies}.items():
        (package / f"{name}.py").write_text(CONTRACT.format(head=head, body=body))
    (made / "runner.py").write_text(RUNNER)
    return made


@pytest.fixture(scope="module")
def said(folder: Path) -> list[dict[str, list[str]]]:
    """What each says in five processes: other hash seeds, and after one to five calls."""
    return [json.loads(run_all(folder, seed)) for seed in range(5)]


def run_all(folder: Path, seed: int) -> str:
    installed = [path for path in sys.path if path.endswith("site-packages")]
    done = subprocess.run(
        [sys.executable, str(folder / "runner.py"), str(seed + 1), "honest", *MUTANTS],
        env=environment(seed, str(folder), *installed),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.fault(15)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_named_by_the_lint_and_shown_by_the_double_run(
    folder: Path, said: list[dict[str, list[str]]], name: str
) -> None:
    sources = Sources({"mutants": folder / "mutants"})
    _, findings = run([f"mutants.{name}"], sources=sources, ours=["mutants"])
    assert MUTANTS[name][0] in [finding.code for finding in findings]
    assert any(one[name] != said[0][name] for one in said)


@pytest.mark.fault(15)
def test_an_honest_contract_says_the_same_in_every_process(
    said: list[dict[str, list[str]]],
) -> None:
    assert all(one["honest"] == said[0]["honest"] for one in said)
