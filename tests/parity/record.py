# SPDX-License-Identifier: Apache-2.0
"""Records what real Fabric answers to the probes: `python -m tests.parity.record`.

Needs Fabric's binaries (FABRIC_HOME). The probes run on two fresh networks; where those differ
nothing is recorded, for then the difference is not Fabric's.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.parity.run import GOLDEN, answers, network
from tests.parity.target import Fact


def record() -> dict[str, dict[str, Fact]]:
    """One run on a network of its own."""
    with tempfile.TemporaryDirectory() as directory, network("native", Path(directory)) as made:
        made.run("up")
        return asyncio.run(answers(made.state / "profiles"))


def main() -> None:
    """Record twice, compare, store."""
    first, second = record(), record()
    unstable = [
        f"{section}/{name}"
        for section, facts in first.items()
        for name, fact in facts.items()
        if second[section][name] != fact
    ]
    if unstable:
        raise SystemExit(f"answered differently the second time: {', '.join(unstable)}")
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for section, facts in first.items():
        text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
        (GOLDEN / f"{section}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{sum(map(len, first.values()))} answers recorded\n")


if __name__ == "__main__":
    main()
