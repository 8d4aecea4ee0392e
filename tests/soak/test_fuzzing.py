# SPDX-License-Identifier: Apache-2.0
"""Every decoder under Atheris, guided by coverage, a bounded number of runs each.

PEDCHAIN_SOAK_FUZZ_RUNS (100000) and PEDCHAIN_SOAK_FUZZ_SECONDS (60) bound a target's run. What is
found belongs into tests/fuzz/corpus, mended.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.fuzz import environment
from tests.fuzz.targets import TARGETS
from tests.interop.environments import MissingError

INPUT_S = 10  # one input may take this long; all decoders need milliseconds
MEMORY_MB = 2_500
LONGEST = 70_000


def bound(name: str, default: int) -> int:
    """A bound of the run, from the environment."""
    return int(os.environ.get(f"PEDCHAIN_SOAK_FUZZ_{name}", default))


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_a_decoder(name: str, tmp_path: Path) -> None:
    seeds, found = tmp_path / "seeds", tmp_path / "found"
    seeds.mkdir()
    found.mkdir()
    options = (
        f"-runs={bound('RUNS', 100_000)}",
        f"-max_total_time={bound('SECONDS', 60)}",
        f"-timeout={INPUT_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={found}/",
    )
    try:
        command, variables = environment.command(name, seeds, *options)
    except MissingError as error:
        pytest.skip(f"NOT FUZZED: {error}")
    done = subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace")
    kept = [(path.name, path.read_bytes()[:200]) for path in found.iterdir()]
    assert (done.returncode, kept) == (0, []), done.stderr[-3_000:]
    assert "DONE" in done.stderr or "Done" in done.stderr, done.stderr[-500:]
